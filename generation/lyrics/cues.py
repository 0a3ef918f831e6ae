"""When each line of a track is sung: as the vendor said, or estimated from the words and the length."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final, NamedTuple

from generation.contract import Line, Section, Word
from generation.lyrics.tags import TAG, SectionType, tag_in

LEAD_SHARE: Final = 0.06
"""Of a song whose lyrics name no intro or outro: how much of it is heard before the first word, and after the last."""
WORDLESS: Final = 8.0
"""A section without words counts as this many syllables."""
BETWEEN: Final = 2.0
"""The breath after a line, in syllables."""
SYLLABIC: Final = r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0002ebef]"
"""Chinese, Japanese kana and Korean blocks are sung one syllable per character."""
_VOWELS: Final = re.compile(r"[aeiouyà-ÿа-яё]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cues:
    """The lines of a track by their beginnings, in milliseconds. `is_estimated`: nobody has listened for these times.

    Every line begins and ends inside the track, after it began, and has words to show.
    """

    lines: tuple[Line, ...]
    is_estimated: bool = False


class Stanza(NamedTuple):
    section_type: SectionType
    lines: tuple[str, ...]


def cues_of(sections: Sequence[Section], lyrics: str | None, duration_ms: int) -> Cues | None:
    """The lines of a track; None where nothing is sung, or nobody knows what."""
    told = tuple(line for section in sections for line in section.lines)
    if cleaned := _cleaned(told, duration_ms):
        return Cues(cleaned)
    stanzas = stanzas_of(lyrics or "")
    if duration_ms <= 0 or not any(stanza.lines for stanza in stanzas):
        return None
    return Cues(_cleaned(_estimated(stanzas, sections, duration_ms), duration_ms), is_estimated=True)


def stanzas_of(lyrics: str) -> list[Stanza]:
    """What stands under each tag; what stands before the first one is a verse."""
    tags = list(TAG.finditer(lyrics))
    ends = [*(tag.start() for tag in tags), len(lyrics)]
    before = _lines(lyrics[: ends[0]])
    stanzas = [Stanza("verse", before)] if before else []
    for tag, end in zip(tags, ends[1:], strict=True):
        stanzas.append(Stanza(tag_in(tag).section_type, _lines(lyrics[tag.end() : end])))
    return stanzas


def shown(text: str) -> str:
    """A text on one line, without what no screen shows."""
    return " ".join("".join(c if c.isprintable() or c.isspace() else "" for c in text).split())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for one in text.splitlines() if (line := shown(one)))


def _cleaned(lines: Sequence[Line], duration_ms: int) -> tuple[Line, ...]:
    """By their beginnings, inside the track, each at least a millisecond long."""
    kept = []
    for line in sorted(lines, key=lambda line: line.start):
        text, start = shown(line.text), max(line.start, 0)
        end = min(line.end, duration_ms)
        if text and start < duration_ms:
            end = max(end, start + 1)
            kept.append(Line(start, end, text, _words_within(line.words, start, end)))
    return tuple(kept)


def _words_within(words: Sequence[Word], start: int, end: int) -> tuple[Word, ...]:
    """In the order they are sung, none before the one before it, all inside the line."""
    kept: list[Word] = []
    for word in words:
        if text := shown(word.text):
            begins = min(max(word.start, kept[-1].end if kept else start), end)
            kept.append(Word(begins, min(max(word.end, begins), end), text))
    return tuple(kept)


def _estimated(stanzas: Sequence[Stanza], sections: Sequence[Section], duration_ms: int) -> list[Line]:
    """Each line as long as its syllables; inside the sections that are known, where they are those of the words."""
    if [stanza.section_type for stanza in stanzas] == [section.section_type for section in sections]:
        spans = [(section.start, section.end) for section in sections]
        return [line for stanza, span in zip(stanzas, spans, strict=True) for line in _spread([stanza], *span)]
    first, last = stanzas[0], stanzas[-1]
    start = 0 if first.section_type == "intro" or not first.lines else round(LEAD_SHARE * duration_ms)
    end = duration_ms - (0 if last.section_type == "outro" or not last.lines else round(LEAD_SHARE * duration_ms))
    return list(_spread(stanzas, start, end))


def _spread(stanzas: Sequence[Stanza], start: int, end: int) -> Iterator[Line]:
    """Lines and wordless sections one after another between two moments."""
    units = [unit for stanza in stanzas for unit in (stanza.lines or (None,))]
    weights = [WORDLESS if unit is None else _syllables(unit) + BETWEEN for unit in units]
    scale = (end - start) / sum(weights)
    moments = [start + round(scale * weight) for weight in accumulate(weights, initial=0.0)]
    for unit, (begins, follows) in zip(units, pairwise(moments), strict=True):
        if unit is not None:
            yield Line(begins, max(begins, follows - round(scale * BETWEEN)), unit)


def _syllables(text: str) -> float:
    counted = len(re.findall(SYLLABIC, text)) + len(_VOWELS.findall(text))
    return float(max(counted, 1))
