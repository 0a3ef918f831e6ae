"""A skip is told on a developer's machine and fails where CI is "true"."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.repository.tree import ROOT

WAYS = {
    "in a fixture": "@pytest.fixture\ndef door():\n    pytest.skip('no key')\n\n\ndef test_it(door): ...",
    "in a test": "def test_it():\n    pytest.skip('no key')",
    "by a mark": "@pytest.mark.skip(reason='no key')\ndef test_it(): ...",
    "as a whole module": "pytest.skip('no key', allow_module_level=True)",
    "for want of a module": "pytest.importorskip('no_such_module', reason='no key')",
}


def run(folder: Path, *sources: str, ci: str) -> subprocess.CompletedProcess[str]:
    for number, source in enumerate(sources):
        (folder / f"test_{number}.py").write_text(f"import pytest\n\n\n{source}\n")
    plugins = ["-p", "tests.plugins.skips", "-p", "no:django", "-p", "no:xdist", "-p", "no:cacheprovider"]
    keys = ["-c", os.devnull, "--rootdir", str(folder), "--continue-on-collection-errors", "-rfEs"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *keys, *plugins, str(folder)],
        env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_skip_in_ci_fails_the_run_with_its_reason(tmp_path: Path) -> None:
    done = run(tmp_path, *WAYS.values(), ci="true")

    assert done.returncode == 1, done.stdout
    told = re.findall(r"^(?:FAILED|ERROR) test_(\d)\.py.* no key\. With CI=true a skip", done.stdout, re.MULTILINE)
    assert sorted(told) == [str(number) for number in range(len(WAYS))], done.stdout


def test_skip_at_home_passes_and_tells_its_reason(tmp_path: Path) -> None:
    done = run(tmp_path, *WAYS.values(), "def test_other(): ...", ci="")

    assert done.returncode == 0, done.stdout
    assert len(re.findall(r"^SKIPPED .*: no key$", done.stdout, re.MULTILINE)) == len(WAYS), done.stdout
    assert f"1 passed, {len(WAYS)} skipped" in done.stdout


def test_expected_failure_in_ci_is_no_skip(tmp_path: Path) -> None:
    done = run(tmp_path, "@pytest.mark.xfail(strict=True)\ndef test_it():\n    raise ZeroDivisionError", ci="true")

    assert "1 xfailed" in done.stdout, done.stdout
    assert done.returncode == 0
