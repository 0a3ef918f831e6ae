"""Times written into lyrics, such as `[0:12] la la` or `[Chorus] (0:30 - 0:45)`: read, and taken out.

A mark stands at the start of a line, before or after its structure tag. Lines without a mark of their own share the
time up to the next one by their length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, NamedTuple

from generation.contract import Line, Section
from generation.providers.lyria.song_tags import TAG, section_type_of

LINE_MS: Final = 4000
"""How long the last line is taken to last where nothing before it tells."""
UNNAMED: Final = "verse"

_CLOCK: Final = r"(?:\d{1,2}:)?\d{1,3}:\d{2}(?:[.,]\d{1,3})?"
_SECONDS: Final = r"\d{1,5}(?:\.\d{1,3})?"
_CLOCK_MARK: Final = re.compile(rf"[\[(]\s*({_CLOCK})\s*(?:[-–—~]\s*({_CLOCK})?\s*)?[\])]")
_SECONDS_MARK: Final = re.compile(rf"\[\s*({_SECONDS})?\s*:\s*({_SECONDS})?\s*\]")


class Marked(NamedTuple):
    """Lyrics without their marks; `sections` are empty where there were none, or they made no sense."""

    lyrics: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class _Item:
    """A tag (`section_type` is set) or a line of the text; times in milliseconds where they were marked."""

    text: str
    section_type: str | None = None
    start: int | None = None
    end: int | None = None

    @property
    def weight(self) -> int:
        return 0 if self.section_type else len(self.text)


class _Span(NamedTuple):
    start: int
    end: int


def without_marks(text: str) -> Marked:
    """The lyrics as they are sung, and when."""
    items = list(_carried(item for line in text.splitlines() for item in _items(line.strip())))
    starts = [item.start for item in items if item.start is not None]
    if not starts:
        return Marked(text.strip(), ())
    lyrics = "\n".join(item.text for item in items).strip()
    if any(before > after for before, after in pairwise(starts)):
        return Marked(lyrics, ())
    timed = _with_known_ends([item for item in items if item.text])
    return Marked(lyrics, _sections(timed, _spans(timed)))


# --- Reading ------------------------------------------------------------------------------------------------------


def _items(line: str) -> Iterator[_Item]:
    """What stands in a line: a tag, words, both, or nothing."""
    start = end = tag = None
    while found := _CLOCK_MARK.match(line) or _SECONDS_MARK.match(line) or (TAG.match(line) if not tag else None):
        if found.re is not TAG:
            start, end = _mark(found, start, end)
        elif section_type_of(found[0]) is None:
            break
        else:
            tag = found[0]
        line = line[found.end() :].lstrip()
    if tag:
        yield _Item(tag, section_type_of(tag), start, end)
        start = end = None
    if line or not tag:
        yield _Item(line, None, start, end)


def _mark(found: re.Match[str], start: int | None, end: int | None) -> tuple[int | None, int | None]:
    """The first mark of a line counts."""
    if start is not None:
        return start, end
    first, last = (_milliseconds(one) if one else None for one in found.groups())
    return first, last


def _carried(items: Iterable[_Item]) -> Iterator[_Item]:
    """A mark that stands alone on its line belongs to what follows."""
    alone: _Item | None = None
    for item in items:
        if not item.text and item.start is not None:
            alone = item
        elif item.text and alone is not None:
            yield item if item.start is not None else replace(item, start=alone.start, end=alone.end)
            alone = None
        else:
            yield item


def _milliseconds(text: str) -> int:
    """Of `h:mm:ss.mmm`, `mm:ss` or a number of seconds."""
    seconds = 0.0
    for part in text.replace(",", ".").split(":"):
        seconds = seconds * 60 + float(part)
    return round(seconds * 1000)


# --- Timing -------------------------------------------------------------------------------------------------------


def _with_known_ends(items: Sequence[_Item]) -> list[_Item]:
    """Where a line says when it ends, what follows begins there unless it says otherwise."""
    known = list(items)
    for place, (item, after) in enumerate(pairwise(items)):
        if item.end is not None and item.section_type is None and after.start is None:
            known[place + 1] = replace(after, start=item.end)
    return known


def _spans(items: Sequence[_Item]) -> list[_Span]:
    """When each item is heard; of a tag, from its own time to that of what it stands over."""
    known = [place for place, item in enumerate(items) if item.start is not None]
    if known[0] > 0:
        known.insert(0, 0)
    spans: list[_Span] = []
    for place, following in pairwise([*known, len(items)]):
        start = items[place].start or 0
        run = items[place:following]
        spans += _shared(run, _Span(start, _end_of(items, place, following, spans)))
    return spans


def _end_of(items: Sequence[_Item], place: int, following: int, before: Sequence[_Span]) -> int:
    """When the items from `place` up to `following` have been heard."""
    start, end = items[place].start or 0, items[place].end
    if following < len(items):
        latest = items[following].start or start
        return max(min(end, latest), start) if end is not None else latest
    if end is not None:
        return max(end, start)
    lines = sum(1 for item in items[place:following] if item.section_type is None)
    lasted = [span.end - span.start for span in before if span.end > span.start]
    return start + lines * (sum(lasted) // len(lasted) if lasted else LINE_MS)


def _shared(run: Sequence[_Item], span: _Span) -> Iterator[_Span]:
    total, so_far = sum(item.weight for item in run), 0
    for item in run:
        start = _point(span, so_far, total)
        so_far += item.weight
        yield _Span(start, _point(span, so_far, total))


def _point(span: _Span, part: int, total: int) -> int:
    return span.start + (span.end - span.start) * part // total if total else span.start


def _sections(items: Sequence[_Item], spans: Sequence[_Span]) -> tuple[Section, ...]:
    firsts = [place for place, item in enumerate(items) if item.section_type or place == 0]
    begins = [spans[first].start for first in firsts]
    return tuple(
        _section(items[first:end], spans[first:end], following)
        for first, end, following in zip(firsts, [*firsts[1:], len(items)], [*begins[1:], None], strict=True)
    )


def _section(items: Sequence[_Item], spans: Sequence[_Span], following: int | None) -> Section:
    """`following`: when the next one begins."""
    marked, latest = items[0].end if items[0].section_type else None, spans[-1].end
    end = max(marked or 0, latest) if following is None else min(marked or following, following)
    lines = (
        Line(span.start, span.end, item.text)
        for item, span in zip(items, spans, strict=True)
        if item.section_type is None
    )
    return Section(items[0].section_type or UNNAMED, spans[0].start, max(end, latest), tuple(lines))
