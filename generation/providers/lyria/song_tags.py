"""Structure tags as vendors write them back, looser than generation.lyrics.tags: `[Verse 1]`, `[Guitar Solo]`."""

from __future__ import annotations

import re
from typing import Final

TAG: Final = re.compile(r"\[[^\[\]\n]{1,60}\]|【[^【】\n]{1,60}】")

_TYPES: Final = {
    r"intro": "intro",
    r"pre[\s-]?chorus|build[\s-]?up": "pre-chorus",
    r"post[\s-]?chorus|chorus|hook|refrain": "chorus",
    r"verse": "verse",
    r"bridge": "bridge",
    r"interlude|transition|break|inst|instrumental|solo": "break",
    r"outro": "outro",
}
_NAMES: Final = tuple((re.compile(rf"\b(?:{names})(?:\b|\d)", re.IGNORECASE), kind) for names, kind in _TYPES.items())


def section_type_of(tag: str) -> str | None:
    """The type of the section that a tag begins, see generation.contract.Section; None for other words in brackets."""
    return next((kind for names, kind in _NAMES if names.search(tag)), None)
