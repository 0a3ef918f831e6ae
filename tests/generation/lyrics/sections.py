from __future__ import annotations

from generation.lyrics.tags import TAG, SectionType, tag_in


def section_types(lyrics: str) -> list[SectionType]:
    """The sections that the tags of a text open, in order."""
    return [tag_in(found).section_type for found in TAG.finditer(lyrics)]
