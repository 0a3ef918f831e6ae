"""The `Prefer` header (RFC 7240): whether a caller waits for its song, and how long."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LONGEST_WAIT: Final = 600
_WAIT: Final = re.compile(r"wait\s*=\s*\"?(\d{1,9})\"?")


@dataclass(frozen=True, slots=True)
class Preference:
    """`wait_seconds` None: until the job's deadline. `applied` is what `Preference-Applied` says; empty: nothing."""

    wait_seconds: int | None = None
    applied: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Preference-Applied": self.applied} if self.applied else {}


def preference(header: str) -> Preference:
    """Read the header; what cannot be honoured is passed over, as its standard says."""
    wishes = [wish.split(";")[0].strip().lower() for wish in header.split(",")]
    for wish in wishes:
        found = _WAIT.fullmatch(wish)
        if found and 1 <= int(found[1]) <= LONGEST_WAIT:
            return Preference(int(found[1]), f"wait={int(found[1])}")
    if "respond-async" in wishes:
        return Preference(0, "respond-async")
    return Preference()
