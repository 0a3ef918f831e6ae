"""Tests empty their tables between each other, which the ledger's guards refuse to everyone else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

from billing.guards import create_guards, drop_guards

VERSION = 1


@contextmanager
def ledger_guards_off(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Let this connection change, delete and empty the ledger's tables; on SQLite the others too."""
    off = _without_triggers if connection.vendor == "sqlite" else _as_a_replica
    with off(connection):
        yield


@contextmanager
def _without_triggers(connection: BaseDatabaseWrapper) -> Iterator[None]:
    with connection.schema_editor(atomic=True) as editor:
        drop_guards(editor, VERSION)
    try:
        yield
    finally:
        with connection.schema_editor(atomic=True) as editor:
            create_guards(editor, VERSION)


@contextmanager
def _as_a_replica(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """A replica trusts what it is sent: no trigger fires. Only a superuser may say so, as the tests' user is."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = DEFAULT")


@pytest.fixture(autouse=True, scope="session")
def flush_empties_the_ledger() -> Iterator[None]:
    """Every transactional test, of any app, ends with Django's flush: let it through."""
    case_of_django: Any = TransactionTestCase  # its stubs leave out what is not for everyone
    flush = case_of_django._fixture_teardown

    def flush_without_guards(case: Any) -> None:
        with ExitStack() as stack:
            for alias in case._databases_names(include_mirrors=False):
                stack.enter_context(ledger_guards_off(connections[alias]))
            flush(case)

    case_of_django._fixture_teardown = flush_without_guards
    yield
    case_of_django._fixture_teardown = flush
