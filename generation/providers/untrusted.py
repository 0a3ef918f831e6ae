"""What an upstream says, read as the words of a stranger: before it is a value, a path, a row or a line of a log."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

LONGEST_ID: Final = 200


def is_path_safe(text: str) -> bool:
    """Whether an upstream's id may stand in a path we build: nothing in it leads anywhere else."""
    is_plain = text.isascii() and all(char.isalnum() or char in "-_.~:" for char in text)
    return is_plain and 0 < len(text) <= LONGEST_ID and bool(text.strip("."))


def read_json(text: bytes | str) -> Any:
    """What a body says; None where it is no JSON."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


def storable(text: str) -> str:
    """A text without what a database cannot keep: NUL and halves of characters."""
    return text.replace("\x00", "").encode(errors="ignore").decode()


def host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or "nowhere"
    except ValueError:
        return "nowhere"
