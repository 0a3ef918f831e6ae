"""Lyrics read as a singer reads them: stanzas under structure tags, lines, words, syllables."""

from __future__ import annotations

import re
from dataclasses import dataclass

from generation.lyrics.cues import SYLLABIC
from generation.lyrics.tags import TAG, SectionType, tag_in

WORD = re.compile(rf"[^\w\s]*{SYLLABIC}(?:(?!{SYLLABIC}|\w)\S)*|(?:(?!{SYLLABIC})\S)+")
VOWEL_GROUP = re.compile(r"[aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýÿœ]+")
_heard = "ai:e ay:e ea:i ee:i ie:i ei:e oo:u ou:u ow:o oa:o au:o oi:o oy:o ue:u ui:u y:i"
DIPHTHONGS = dict(pair.split(":") for pair in _heard.split())
MAXIMUM_SYLLABLES = 12


@dataclass(frozen=True, slots=True)
class Syllable:
    """`vowel` is one of a e i o u; `consonant` a hiss that begins it (s, t, h) or None."""

    vowel: str
    consonant: str | None


@dataclass(frozen=True, slots=True)
class SungWord:
    text: str
    syllables: tuple[Syllable, ...]


@dataclass(frozen=True, slots=True)
class SungLine:
    text: str
    words: tuple[SungWord, ...]

    @property
    def syllable_count(self) -> int:
        return sum(len(word.syllables) for word in self.words)


@dataclass(frozen=True, slots=True)
class Stanza:
    """What stands under one tag. `tag` is its name in lower case, without its number."""

    tag: str
    section_type: SectionType
    lines: tuple[SungLine, ...]


def read_stanzas(lyrics: str, *, opens: bool = True) -> tuple[Stanza, ...]:
    """Split lyrics at their structure tags; text before the first tag is a verse.

    Without any tag, blank lines part the stanzas, which become verse and chorus in turn between an intro (where the
    text `opens` the song) and an outro. Anything else in brackets is sung. Blank lyrics give no stanza.
    """
    tags = list(TAG.finditer(lyrics))
    if not tags:
        return _untagged(lyrics, opens=opens)
    before = _lines(lyrics[: tags[0].start()])
    stanzas = [_plain("verse", before)] if before else []
    ends = [*(tag.start() for tag in tags[1:]), len(lyrics)]
    for tag, end in zip(tags, ends, strict=True):
        known = tag_in(tag)
        stanzas.append(Stanza(" ".join(known.words).lower(), known.section_type, _lines(lyrics[tag.end() : end])))
    return tuple(stanzas)


def _untagged(lyrics: str, *, opens: bool) -> tuple[Stanza, ...]:
    blocks = [lines for block in re.split(r"\n\s*\n", lyrics) if (lines := _lines(block))]
    if not blocks:
        return ()
    sung = [_plain("chorus" if place % 2 else "verse", lines) for place, lines in enumerate(blocks)]
    opening = (_plain("intro"),) if opens else ()
    return (*opening, *sung, _plain("outro"))


def _plain(section_type: SectionType, lines: tuple[SungLine, ...] = ()) -> Stanza:
    return Stanza(section_type, section_type, lines)


def _lines(body: str) -> tuple[SungLine, ...]:
    return tuple(line for text in body.splitlines() if (line := _read_line(text.strip())).words)


def _read_line(text: str) -> SungLine:
    words = [SungWord(word, syllables) for word in WORD.findall(text) if (syllables := read_syllables(word))]
    return SungLine(text, tuple(words))


def read_syllables(word: str) -> tuple[Syllable, ...]:
    """Syllables of one word: one per Chinese, Japanese or Korean character, per digit, per English vowel group.

    Punctuation alone has none.
    """
    if re.search(SYLLABIC, word):
        return tuple(_from_code(ord(mark)) for mark in re.findall(SYLLABIC, word))
    digits = re.findall(r"\d", word)
    letters = re.sub(r"[^\w]|[\d_]", "", word.lower())
    found = tuple(Syllable("aeiou"[int(digit) % 5], "t") for digit in digits) + _spoken(letters)
    return found[:MAXIMUM_SYLLABLES]


def _spoken(letters: str) -> tuple[Syllable, ...]:
    """English by ear: vowel groups, a silent final e, the -ed of a past tense unless t or d stands before it."""
    if not letters:
        return ()
    groups = list(VOWEL_GROUP.finditer(letters))
    if len(groups) > 1 and _ends_silently(letters):
        groups.pop()
    if not groups:
        return (Syllable("e", _hiss(letters)),)
    return tuple(
        Syllable(_vowel(group[0]), _hiss(letters[(groups[place - 1].end() if place else 0) : group.start()]))
        for place, group in enumerate(groups)
    )


def _ends_silently(letters: str) -> bool:
    if letters.endswith("e"):
        return not letters.endswith(("le", "ee", "ie", "oe", "ue", "ye")) or letters[-3:-2] in "aeiou"
    return bool(re.search(r"[^aeioutd]ed$|[^aeiouscxzhg]es$", letters))


def _vowel(group: str) -> str:
    plain = group.translate(str.maketrans("àáâãäåæèéêëìíîïòóôõöøùúûüýÿœ", "aaaaaaaeeeeiiiioooooouuuuyyo"))
    return DIPHTHONGS.get(plain[:2]) or DIPHTHONGS.get(plain[0], plain[0])


def _hiss(onset: str) -> str | None:
    if re.search(r"[szx]|c[ehiy]|j", onset):
        return "s"
    if re.search(r"[tkpqc]", onset):
        return "t"
    return "h" if re.search(r"[hf]", onset) else None


def _from_code(code: int) -> Syllable:
    return Syllable("aeiou"[code % 5], ("s", "t", "h", None, None)[code // 5 % 5])
