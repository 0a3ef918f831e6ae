"""`platform/` is a bare folder: the name belongs to a module of the standard library."""

from __future__ import annotations

import sysconfig
from pathlib import Path

from tests.repository.tree import ROOT, python


def test_platform_is_no_package() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()


def test_the_standard_library_keeps_its_module() -> None:
    result = python("-c", "import platform; print(platform.__file__)")

    assert Path(result.stdout.strip()) == Path(sysconfig.get_path("stdlib")) / "platform.py", result.stderr


def test_no_tests_folder_takes_the_name() -> None:
    assert not (ROOT / "tests" / "platform").exists()


def test_ground_is_a_closed_list() -> None:
    found = {path.name for path in (ROOT / "platform" / "ground").iterdir() if path.name != "__pycache__"}

    assert found <= {"__init__.py", "outbound", "sealed.py", "wakeup.py"}
