"""What files are called, and what none of them says."""

from __future__ import annotations

import re

from tests.repository.tree import ROOT, kept_files

DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
# Written in pieces, so that this file passes its own test.
FOREIGN = re.compile(
    "|".join(
        (
            r"\bissues?" + r"[ #]+\d",
            r"(?<![\w&#])#" + r"\d{1,4}\b(?!\.)",
            "pypi" + r"\.org",
            "python" + "hosted",
            "/work" + "/",
            "REFER" + "ENCE/",
            "WIRES" + r"\.md",
            "DESIGN" + r"\.md",
        )
    )
)
TEXT = {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".json", ".html", ".css", ".js", ".cfg", ""}


def test_no_module_is_a_drawer() -> None:
    assert [path.name for path in kept_files() if path.suffix == ".py" and path.stem in DRAWERS] == []
    assert [path.name for path in kept_files() if path.parent.name in DRAWERS] == []


def test_files_speak_of_the_project_alone() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{number}": line.strip()
        for path in kept_files()
        if path.suffix in TEXT and "static" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if FOREIGN.search(line)
    }

    assert found == {}
