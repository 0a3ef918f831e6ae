"""Ids as strings of digits, for the wires that write them so: the number that a UUID is."""

from __future__ import annotations

import re
import uuid
from typing import Final

_DIGITS: Final = re.compile(r"[1-9][0-9]{0,38}", re.ASCII)
"""No other spelling of a number: each id has one, and no text is too long to be read."""


def digits_of(uuid_text: str) -> str:
    """The digits that stand for a UUID. Raises ValueError for a text that is none."""
    return str(uuid.UUID(uuid_text).int)


def id_of(digits: str) -> str | None:
    """The UUID that the digits stand for, as text; None for what `digits_of` never gives."""
    if not _DIGITS.fullmatch(digits) or (number := int(digits)) >= 1 << 128:
        return None
    return str(uuid.UUID(int=number))
