"""One text that holds both what a song should be like and its words: structure tags tell them apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from generation.contract import Section
from generation.lyrics.tags import BLANK, TAG

FIRST_TAG: Final = re.compile(rf"^{BLANK}*(?:{TAG.pattern})", TAG.flags | re.MULTILINE)
"""A structure tag at the start of a line, in any letter case, with or without a number."""


class Words(NamedTuple):
    """`lyrics` begin with the first structure tag; None where the text has none."""

    prompt: str
    lyrics: str | None


def joined(parts: Iterable[str | None]) -> str:
    """The parts of a text as one, a blank line between them; empty ones are left out."""
    return "\n\n".join(part.strip() for part in parts if part and not part.isspace())


def split(text: str) -> Words:
    """Lines under structure tags are lyrics, the rest is the prompt; without tags all of it is the prompt."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    tag = FIRST_TAG.search(lines)
    if tag is None:
        return Words(lines.strip(), None)
    return Words(lines[: tag.start()].strip(), lines[tag.start() :].strip())


def structure_of(sections: Sequence[Section]) -> str | None:
    """The tags of a track that has no words; None for one whose sections are not known."""
    return "\n".join(f"[{section.section_type.title()}]" for section in sections) or None
