"""The rehearsal's own writer: lyrics about what a prompt names, in its language, in rhyme; deterministic per seed."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from generation.contract import LyricsRequest, WrittenLyrics
from generation.providers.rehearsal.subjects import names_han, subjects_of
from generation.providers.rehearsal.verses import CHINESE, ENGLISH, Mood, Rhyme, Words
from generation.providers.rehearsal.vocabulary import HEARD, LEXICON, hear

Section = tuple[str, list[str]]
"""A tag as it is written, and the lines under it."""

COUPLETS = {"verse": 2, "pre-chorus": 1, "bridge": 1, "intro": 1}
MOST_VERSES = 6
STYLE_KINDS = ("genre", "feeling", "player")
MOST_STYLES = 8
LONGEST_TITLE = 60


def write(request: LyricsRequest) -> WrittenLyrics:
    """A whole text: verses about everything the prompt names, a chorus about the first of it."""
    pen = Pen.of(f"{request.seed}:{request.title}:{request.prompt}", request.prompt, request.title)
    return WrittenLyrics(
        lyrics=as_text(_whole_song(pen)),
        title=request.title or pen.title(),
        style_tags=style_tags(request.prompt, pen),
    )


def write_lyrics(prompt: str) -> str:
    """A short text for a song that brought none: a verse, a chorus. The same prompt always gives the same."""
    pen = Pen.of(f"short:{prompt}", prompt)
    verse, chorus = pen.section("verse"), pen.section("chorus")
    return as_text([("[Intro]", []), ("[Verse]", verse), ("[Chorus]", chorus), ("[Outro]", [])])


@dataclass(slots=True)
class Pen:
    """Writes section by section, and never the same couplet twice while there are others."""

    words: Words
    mood: Mood
    theme: str
    subjects: Iterator[str]
    rhymes: Iterator[tuple[Rhyme, int]]
    choose: random.Random

    @classmethod
    def of(cls, seed: str, prompt: str, title: str | None = None, *, language_of: str | None = None) -> Pen:
        """A pen for what a prompt names; `language_of` is a text whose language is kept."""
        choose = random.Random(f"lyrics:{seed}")
        words = CHINESE if names_han(language_of or prompt or title or "") else ENGLISH
        mood: Mood = "dark" if hear(prompt).major_vote < 0 else "bright"
        images = choose.sample(words.images[mood], len(words.images[mood]))
        named = subjects_of(prompt) or subjects_of(title or "") or images[:1]
        rhymes = choose.sample(words.rhymes, len(words.rhymes))
        first = [choose.randrange(2) for _ in rhymes]
        again = [(rhyme, 1 - turn) for rhyme, turn in zip(rhymes, first, strict=True)]
        return cls(
            words=words,
            mood=mood,
            theme=named[0],
            subjects=chain(named, (image for image in images if image not in named), _round(named)),
            rhymes=_round([*zip(rhymes, first, strict=True), *again]),
            choose=choose,
        )

    def section(self, kind: str) -> list[str]:
        """The lines of one section: a chorus sings of the theme, an outro of it for the last time."""
        if kind == "chorus":
            lines = self.choose.choice(self.words.choruses[self.mood])
            return [self._sung(line, self.theme) for line in lines]
        if kind == "outro":
            return [self._sung(line, self.theme) for line in self.words.endings[self.mood]]
        return [line for _ in range(COUPLETS.get(kind, 1)) for line in self._couplet()]

    def title(self) -> str:
        pattern, named = self.choose.choice(self.words.titles), self._named(self.theme)
        article = "the " if named.startswith("the ") else ""
        called = _titled(named.removeprefix(article))
        return pattern.format(V=called, N=f"{article}{called}")[:LONGEST_TITLE]

    def _couplet(self) -> list[str]:
        rhyme, turn = next(self.rhymes)
        opening = self._sung(rhyme.openings[turn], next(self.subjects))
        return [opening, rhyme.answers(self.mood)[turn]]

    def _sung(self, line: str, thing: str) -> str:
        called = thing.removeprefix("the ")
        sung = line.format(n=self._named(thing), v=called)
        return sung[:1].upper() + sung[1:]

    def _named(self, thing: str) -> str:
        """With its article; a name has none."""
        is_name = thing[:1].isupper() or thing.startswith("the ")
        return thing if is_name or self.words is CHINESE else f"the {thing}"


def _whole_song(pen: Pen) -> list[Section]:
    """As many verses as it takes to sing of everything that was named."""
    named = _count_named(pen)
    verses = min(max(2, -(-(named - 2) // 2)), MOST_VERSES)
    chorus = pen.section("chorus")
    first: list[Section] = [("[Verse]", pen.section("verse")), ("[Pre Chorus]", pen.section("pre-chorus"))]
    more: list[Section] = [("[Verse]", pen.section("verse")) for _ in range(verses - 1)]
    bridge: Section = ("[Bridge]", pen.section("bridge"))
    return [*first, ("[Chorus]", chorus), *more, bridge, ("[Chorus]", chorus), ("[Outro]", pen.section("outro"))]


def _count_named(pen: Pen) -> int:
    """How many things the prompt names; the pen goes on with the first of them."""
    ahead: list[str] = []
    for subject in pen.subjects:
        if subject in pen.words.images[pen.mood] or subject in ahead:
            pen.subjects = chain(ahead, [subject], pen.subjects)
            break
        ahead.append(subject)
    return len(ahead)


def as_text(sections: Sequence[Section]) -> str:
    return "\n\n".join("\n".join([tag, *lines]) for tag, lines in sections)


def style_tags(prompt: str, pen: Pen) -> str:
    """What the prompt says of the music, in its own words; else what it sounds like."""
    said = [word for word in HEARD.findall(prompt.lower()) if LEXICON[word.replace(" ", "-")][0] in STYLE_KINDS]
    return ", ".join(list(dict.fromkeys(said))[:MOST_STYLES]) or pen.words.styles[pen.mood]


def _titled(text: str) -> str:
    return re.sub(r"(^|\s)(\w)", lambda found: found[1] + found[2].upper(), text)


def _round(things: Sequence[object]) -> Iterator:  # type: ignore[type-arg]
    while True:
        yield from things
