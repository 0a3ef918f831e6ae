"""A skip is told on a developer's machine and fails where CI is "true"."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository.tree import ROOT

WAYS = {
    "in a fixture": "@pytest.fixture\ndef door():\n    pytest.skip('no key')\n\n\ndef test_it(door): ...",
    "in a test": "def test_it():\n    pytest.skip('no key')",
    "by a mark": "@pytest.mark.skip(reason='no key')\ndef test_it(): ...",
    "of a module": "pytest.skip('no key', allow_module_level=True)",
    "for want of a module": "pytest.importorskip('no_such_module', reason='no key')",
}


def run(folder: Path, source: str, *, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_one.py").write_text(f"import pytest\n\n\n{source}\n\n\ndef test_other(): ...\n")
    plugins = ["-p", "tests.plugins.skips", "-p", "no:django", "-p", "no:xdist", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(folder), "-rs", *plugins, str(folder)],
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("source", WAYS.values(), ids=WAYS.keys())
def test_skip_in_ci_fails_the_run_with_its_reason(tmp_path: Path, source: str) -> None:
    done = run(tmp_path, source, ci="true")

    assert done.returncode not in {0, 5}, done.stdout
    assert "no key. With CI=true a skip is a failure." in done.stdout


def test_skip_at_home_passes_and_tells_its_reason(tmp_path: Path) -> None:
    done = run(tmp_path, WAYS["in a test"], ci="")

    assert done.returncode == 0, done.stdout
    assert "no key" in done.stdout
    assert "1 passed, 1 skipped" in done.stdout


def test_expected_failure_in_ci_is_no_skip(tmp_path: Path) -> None:
    done = run(tmp_path, "@pytest.mark.xfail(strict=True)\ndef test_it():\n    raise ZeroDivisionError", ci="true")

    assert "1 passed, 1 xfailed" in done.stdout, done.stdout
