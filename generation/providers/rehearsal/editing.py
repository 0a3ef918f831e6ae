"""The rehearsal's writer with a text before it: what is there is kept, and what the prompt names is written anew."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from generation.contract import LyricsRequest, WrittenLyrics
from generation.lyrics.cues import shown
from generation.lyrics.tags import TAG, SectionType, tag_in
from generation.providers.rehearsal.writing import LONGEST_TITLE, Pen, style_tags

SECTION_WORDS: Final[dict[SectionType, str]] = {
    "pre-chorus": r"pre[\s-]?chorus|build[\s-]?up|导歌",
    "chorus": r"chorus|hook|refrain|副歌",
    "verse": r"verse|stanza|主歌",
    "bridge": r"bridge|桥段|过渡",
    "intro": r"intro|前奏|开头",
    "outro": r"outro|ending|尾奏|结尾",
    "break": r"interlude|间奏",
}
TAG_NAMES: Final[dict[SectionType, str]] = {
    "pre-chorus": "Pre Chorus",
    "chorus": "Chorus",
    "verse": "Verse",
    "bridge": "Bridge",
    "intro": "Intro",
    "outro": "Outro",
    "break": "Interlude",
}
_ORDINALS: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 0, "一": 1, "二": 2, "三": 3, "四": 4}
_ADDS: Final = re.compile(
    r"\b(?:add|append|insert|continue|extend|another|new|one more)\b|加|添|续|再写|再来", re.IGNORECASE
)
_ORDINAL: Final = r"(?:\b(first|second|third|fourth|last)\s+|第([一二三四])段?)?"


@dataclass(frozen=True, slots=True)
class Part:
    """A section of a text as it stands there: `tag` with its brackets, empty where none is written."""

    tag: str
    section_type: SectionType
    body: str


@dataclass(frozen=True, slots=True)
class Wish:
    """Which section is meant; `number` counts those of its kind, 0 is the last, None all or any."""

    section_type: SectionType
    number: int | None
    is_new: bool


def edit(request: LyricsRequest) -> WrittenLyrics:
    """Rewrite the section that the prompt names, or add it; add what the text lacks where it names none."""
    lyrics = request.lyrics or ""
    parts = parts_of(lyrics)
    pen = Pen.of(
        f"{request.seed}:{request.prompt}:{lyrics}", request.prompt, request.title or None, language_of=shown(lyrics)
    )
    wish = _wish(request.prompt) or _missing(parts)
    chosen = [] if wish.is_new else _meant(parts, wish)
    if chosen:
        body = "\n".join(pen.section(wish.section_type))
        parts = [
            replace(part, body=_in_place(part, body)) if place in chosen else part for place, part in enumerate(parts)
        ]
    else:
        parts = _with_new(parts, wish.section_type, "\n".join(pen.section(wish.section_type)))
    return WrittenLyrics(
        lyrics="".join(f"{part.tag}{part.body}" for part in parts).strip("\n"),
        title=request.title or _first_line(lyrics) or pen.title(),
        style_tags=style_tags(request.prompt, pen),
    )


def parts_of(lyrics: str) -> list[Part]:
    """The text in pieces, which together are the text; what stands before the first tag is a verse without one."""
    tags = list(TAG.finditer(lyrics))
    ends = [*(tag.start() for tag in tags), len(lyrics)]
    before = lyrics[: ends[0]]
    parts = [Part("", "verse", before)] if before.strip() else []
    for tag, end in zip(tags, ends[1:], strict=True):
        parts.append(Part(tag[0], tag_in(tag).section_type, lyrics[tag.end() : end]))
    return parts


def _wish(prompt: str) -> Wish | None:
    """The first section a prompt names."""
    for section_type, words in SECTION_WORDS.items():
        found = re.search(rf"{_ORDINAL}(?:{words})(?:\s*(\d))?", prompt, re.IGNORECASE)
        if found:
            said = (found[1] or found[2] or "").lower()
            number = _ORDINALS[said] if said else (int(found[3]) if found[3] else None)
            return Wish(section_type, number, is_new=_ADDS.search(prompt) is not None)
    return None


def _missing(parts: list[Part]) -> Wish:
    """What a whole song has and this text does not; one that has all of it goes on with a verse."""
    there = {part.section_type for part in parts}
    wanted: tuple[SectionType, ...] = ("verse", "chorus", "bridge", "outro")
    return Wish(next((kind for kind in wanted if kind not in there), "verse"), None, is_new=True)


def _meant(parts: list[Part], wish: Wish) -> list[int]:
    """The places of the sections that are meant: of a chorus all, of the others one."""
    places = [place for place, part in enumerate(parts) if part.section_type == wish.section_type]
    if not places or (wish.section_type == "chorus" and wish.number is None):
        return places
    wanted = 1 if wish.number is None else wish.number
    return [places[wanted - 1]] if wanted <= len(places) else []


def _in_place(part: Part, body: str) -> str:
    """The new lines with the line ends that stood before and after the old ones."""
    after = part.body[len(part.body.rstrip()) :]
    before = "\n" if part.tag else ""
    return f"{before}{body}{after}"


def _with_new(parts: list[Part], section_type: SectionType, body: str) -> list[Part]:
    """An intro stands first, an outro last, anything else before the outro."""
    last = parts[-1].section_type if parts else None
    place = 0 if section_type == "intro" else len(parts) - (last == "outro" and section_type != "outro")
    new = Part(f"[{TAG_NAMES[section_type]}]", section_type, f"\n{body}\n\n")
    before = [replace(part, body=f"{part.body.rstrip()}\n\n") for part in parts[place - 1 : place] if place]
    return [*parts[: max(place - 1, 0)], *before, new, *parts[place:]]


def _first_line(lyrics: str) -> str:
    lines = (shown(line) for line in TAG.sub("\n", lyrics).splitlines())
    return next((line for line in lines if line), "")[:LONGEST_TITLE]
