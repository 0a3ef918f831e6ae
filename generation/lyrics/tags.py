"""Structure tags: what the vendors call the parts of a song, and each other's names for them.

A tag is one of fourteen names in [] or 【】, in any letter case, with or without a number. Anything else in brackets
is sung, and stays as it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

Vendor = Literal["minimax", "mureka", "lyria", "plain"]
SectionType = Literal["intro", "verse", "pre-chorus", "chorus", "bridge", "break", "outro"]


@dataclass(frozen=True, slots=True)
class Tag:
    """One of the fourteen names, its words in capitals, and which of the seven sections it opens."""

    words: tuple[str, ...]
    section_type: SectionType


def _tag(name: str, section_type: SectionType) -> Tag:
    return Tag(tuple(name.split()), section_type)


TAGS: Final = (
    _tag("Intro", "intro"),
    _tag("Verse", "verse"),
    _tag("Pre Chorus", "pre-chorus"),
    _tag("Chorus", "chorus"),
    _tag("Interlude", "break"),
    _tag("Bridge", "bridge"),
    _tag("Outro", "outro"),
    _tag("Post Chorus", "chorus"),
    _tag("Transition", "break"),
    _tag("Break", "break"),
    _tag("Hook", "chorus"),
    _tag("Build Up", "pre-chorus"),
    _tag("Inst", "break"),
    _tag("Solo", "break"),
)
_BY_LETTERS: Final = {"".join(tag.words).lower(): tag for tag in TAGS}
_SPELLING: Final[dict[SectionType, str]] = {
    "intro": "Intro",
    "verse": "Verse",
    "pre-chorus": "Pre-Chorus",
    "chorus": "Chorus",
    "bridge": "Bridge",
    "break": "Break",
    "outro": "Outro",
}
"""The names of those who know the seven sections alone."""

BLANK: Final = r"[ \t\r\f\v\u00a0\u3000]"
# The longest name first: "inst" begins no other, but nobody should have to check.
_NAMES: Final = "|".join(
    rf"(?:{BLANK}|-)?".join(tag.words).lower() for tag in sorted(TAGS, key=lambda tag: -len("".join(tag.words)))
)
_INSIDE: Final = rf"{BLANK}*({_NAMES}){BLANK}*(?:(\d+){BLANK}*)?"
TAG: Final = re.compile(rf"\[{_INSIDE}\]|【{_INSIDE}】", re.IGNORECASE | re.ASCII)
"""A structure tag; its groups are the name and the number in [], then those in 【】, None where they are not."""


def tags_for(vendor: Vendor, lyrics: str) -> str:
    """The lyrics with every known tag as this vendor spells it; not a character of the rest is changed.

    `minimax` has all fourteen, `[Pre Chorus]`; `mureka` the seven sections, `[Pre-Chorus]`, and takes the others for
    the one they open; `lyria` and `plain` all fourteen with hyphens. Numbers stay.
    """
    return TAG.sub(lambda found: _spelled(vendor, found), lyrics)


def tag_in(found: re.Match[str]) -> Tag:
    """Which of the fourteen a match of `TAG` is."""
    name = found[1] or found[3]
    return _BY_LETTERS[re.sub(r"[\s-]", "", name.lower())]


def _spelled(vendor: Vendor, found: re.Match[str]) -> str:
    tag, number = tag_in(found), found[2] or found[4]
    name = _SPELLING[tag.section_type] if vendor == "mureka" else (" " if vendor == "minimax" else "-").join(tag.words)
    return f"[{name} {number}]" if number else f"[{name}]"
