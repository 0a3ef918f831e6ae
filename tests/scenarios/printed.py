"""The examples as the vendors' documents print them, and what a client makes of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import yaml

EXAMPLES: Final = Path(__file__).parent / "examples"
CURL_SECONDS: Final = 300


class Slip(NamedTuple):
    """What a document prints that no client could send, and what must stand there."""

    document: str
    what: str
    printed: str
    meant: str


def printed(name: str) -> str:
    return (EXAMPLES / name).read_text()


def documented_answer(name: str) -> Any:
    """The example of an answer; a comment's marks are no part of it."""
    text = printed(name)
    uncommented = "\n".join(line.removeprefix("# ") for line in text.splitlines())
    return yaml.safe_load(text) if name.endswith(".yaml") else json.loads(uncommented)


def mended(line: str, slips: Iterable[Slip]) -> str:
    """The line without its slips; each of them must be there."""
    for slip in slips:
        assert slip.printed in line, f"{slip.what}: not in {line}"
        line = line.replace(slip.printed, slip.meant)
    return line


def filled(line: str, values: Mapping[str, str]) -> str:
    """The line with a customer's own values where the document has names for them."""
    for name, value in values.items():
        line = line.replace(name, value)
    return line


@dataclass(frozen=True)
class Answered:
    """What curl brought: status, headers in small letters, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def curl(line: str, folder: Path) -> Answered:
    """Run a line in a shell, as it stands; what else curl should do stands in its configuration, not in the line."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    heads = folder / "heads"
    (folder / ".curlrc").write_text(f'silent\nshow-error\nmax-time = {CURL_SECONDS}\ndump-header = "{heads}"\n')
    done = subprocess.run(
        ["bash", "-c", line], env={**os.environ, "CURL_HOME": str(folder)}, capture_output=True, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stderr.decode()}"
    # Before an upload curl asks whether it is welcome, which has a head of its own.
    status, *fields = heads.read_text().strip().split("\n\n")[-1].splitlines()
    named = (field.split(": ", 1) for field in fields)
    return Answered(int(status.split()[1]), {name.lower(): value for name, value in named}, done.stdout)


def beyond(documented: Any, answered: Any, path: str = "") -> set[str]:
    """The fields the document does not know. Fails where a documented one is missing or of another type.

    Where the example says null, nothing is known of the type.
    """
    if documented is None:
        return set()
    assert type(answered) is type(documented), f"{path or 'the answer'} is {answered!r}, documented {documented!r}"
    if isinstance(documented, dict):
        missing = documented.keys() - answered.keys()
        assert not missing, f"{path} lacks {missing}"
        more = {f"{path}.{name}".lstrip(".") for name in answered.keys() - documented.keys()}
        return more.union(
            *(beyond(value, answered[name], f"{path}.{name}".lstrip(".")) for name, value in documented.items())
        )
    if isinstance(documented, list) and documented and answered:
        # Of parts that differ each has its own place; of a list of things of one kind the first stands for all.
        alike = documented if len(documented) == len(answered) else documented[:1] * len(answered)
        pairs = zip(alike, answered, strict=True)
        return set().union(*(beyond(first, second, f"{path}[]") for first, second in pairs))
    return set()
