# The commands of the README. Python 3.11 or newer with venv, git and make are all that must be there.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
PIP := $(BIN)/python -m pip --disable-pip-version-check

export PORT
# Tools that are not started through manage.py find the project's packages here.
export PYTHONPATH := $(CURDIR):$(CURDIR)/platform

.DEFAULT_GOAL := help
.PHONY: help demo run test lint format lock

help: ## what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/run.stamp ## everything from nothing, then a first song; DEMO_EXIT=1 stops after it, PORT=8000
	$(MANAGE) migrate --verbosity 0
	exec $(MANAGE) demo

run: $(VENV)/run.stamp ## the same server without the first song
	$(MANAGE) migrate --verbosity 0
	$(MANAGE) demo_data
	exec $(MANAGE) serve

test: lint ## everything from nothing, then the whole test suite
	$(BIN)/python -m pytest -n 2 --dist loadfile -q -m "not whole_server"
	$(BIN)/python -m pytest -q -m whole_server
	$(BIN)/python tests/postgres.py $(BIN)/python -m pytest -q -m both_databases
	@echo "All tests passed, on SQLite and on PostgreSQL."

lint: $(VENV)/dev.stamp ## style, types, direction of imports, missing migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(MANAGE) makemigrations --check --dry-run

format: $(VENV)/dev.stamp ## mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## pin every requirement again, with hashes (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml \
		-o requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml \
		--extra dev -c requirements/run.txt -o requirements/dev.txt

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Tutti needs Python 3.11 or newer; name one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt | $(VENV)/bin/python
	$(PIP) install --quiet --require-hashes -r $<
	@touch $@

# The pins of dev.txt include those of run.txt.
$(VENV)/dev.stamp: requirements/dev.txt | $(VENV)/bin/python
	$(PIP) install --quiet --require-hashes -r $<
	@touch $@ $(VENV)/run.stamp
