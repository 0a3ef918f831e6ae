"""Every dependency has a reason; every requirement is pinned with its hashes."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.repository.tree import ROOT

PYPROJECT = (ROOT / "pyproject.toml").read_text()
LISTED = re.compile(r'^ {4}"(?P<requirement>[^"]+)",(?P<rest>.*)$')


def listed_lines() -> list[re.Match[str]]:
    start = PYPROJECT.index("dependencies = [")
    end = PYPROJECT.index("[tool.", start)
    return [match for line in PYPROJECT[start:end].splitlines() if (match := LISTED.match(line))]


def pins(name: str) -> dict[str, list[str]]:
    """Requirement (with its version and marker) to its hashes."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / "requirements" / name).read_text().splitlines():
        if not line.startswith((" ", "#")):
            requirement = line.removesuffix("\\").strip()
            found[requirement] = []
        elif (stripped := line.strip()).startswith("--hash="):
            found[requirement].append(stripped.removesuffix("\\").strip())
    return found


def test_every_dependency_says_why_it_is_there() -> None:
    unexplained = [line["requirement"] for line in listed_lines() if not re.match(r"\s+# \S.{4,}", line["rest"])]

    assert unexplained == []
    project = tomllib.loads(PYPROJECT)["project"]
    assert len(listed_lines()) == len(project["dependencies"]) + sum(
        map(len, project["optional-dependencies"].values())
    )


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_every_requirement_is_pinned_with_hashes(name: str) -> None:
    loose = [
        requirement
        for requirement, hashes in pins(name).items()
        if not re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?==[^\s;]+( ; .+)?", requirement)
        or not hashes
        or not all(re.fullmatch("--hash=sha256:[0-9a-f]{64}", text) for text in hashes)
    ]

    assert loose == []
    assert pins(name)


def test_development_runs_on_the_same_versions() -> None:
    assert pins("run.txt").items() <= pins("dev.txt").items()


@pytest.mark.parametrize(("name", "extra"), [("run.txt", None), ("dev.txt", "dev")])
def test_every_direct_dependency_is_locked_within_its_range(name: str, extra: str | None) -> None:
    project = tomllib.loads(PYPROJECT)["project"]
    wanted = project["dependencies"] + (project["optional-dependencies"][extra] if extra else [])
    locked = {canonicalize_name((pin := Requirement(text)).name): str(pin.specifier)[2:] for text in pins(name)}

    outside = [
        text
        for text in wanted
        if not (need := Requirement(text)).specifier.contains(locked[canonicalize_name(need.name)])
    ]

    assert outside == []
