"""Tunes made of motifs: each kind of section has its own, so a second verse is recognised."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from generation.providers.rehearsal.form import BEATS_PER_BAR, Passage
from generation.providers.rehearsal.harmony import Chord, Key, nearest
from generation.providers.rehearsal.lyrics import Syllable, SungLine

SUNG_BEATS = 8.0
TONGUE_SECONDS = 0.18
LEAD_RHYTHMS = (
    (0, 1, 2, 3, 4, 6), (0, 2, 3, 4, 5, 6), (0, 1, 2, 4, 5, 6, 7), (0, 1.5, 2, 3, 4, 6), (0, 1, 2, 2.5, 3, 4, 5, 6),
)
SECTION_HEIGHT = {"intro": 0, "verse": -2, "pre-chorus": 1, "chorus": 4, "bridge": 2, "break": 3, "outro": 0}


class Note(NamedTuple):
    """`start` and `length` in beats from the start of the passage, `pitch` a MIDI number, `velocity` 0-1."""

    start: float
    length: float
    pitch: int
    velocity: float


class SungNote(NamedTuple):
    start: float
    length: float
    pitch: int
    velocity: float
    syllable: Syllable


class WordTime(NamedTuple):
    """A word as sung, in beats from the start of the passage."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Tune:
    """The melody of a passage: what is sung, when its words fall, and what an instrument answers."""

    sung: tuple[SungNote, ...]
    words: tuple[tuple[WordTime, ...], ...]
    answers: tuple[Note, ...]


class Contour:
    """Two motifs of scale steps, walked by chance; `adventure` (0-2) widens the steps."""

    def __init__(self, seed: str, adventure: float) -> None:
        choose = random.Random(seed)  # noqa: S311 - a tune, not a secret
        self._motifs = [self._walk(choose, adventure) for _ in range(2)]
        self._form = choose.choice(("AABA", "ABAB", "AABB", "ABAA"))
        self.rhythms = choose.sample(LEAD_RHYTHMS, 2)

    @staticmethod
    def _walk(choose: random.Random, adventure: float) -> list[float]:
        reach, height, steps = 1.0 + 2.0 * adventure, choose.choice((-1.0, 0.0, 1.0)), []
        for _ in range(16):
            steps.append(height)
            height += choose.uniform(-reach, reach)
            height *= 0.82
        return steps

    def motif(self, phrase: int) -> int:
        return "AB".index(self._form[phrase % 4])

    def height(self, phrase: int, place: float) -> float:
        """Semitones above the anchor for a place in 0..1 of the phrase."""
        motif = self._motifs[self.motif(phrase)]
        return 1.6 * motif[min(15, int(place * 16))]


class Score(NamedTuple):
    """What a melody must agree with: its passage, the key, the pitch it moves around, the shortest sung note."""

    passage: Passage
    key: Key
    anchor: float
    contour: Contour
    finest_beats: float

    def pitch(self, phrase: int, place: float, beat: float, *, chordal: bool) -> int:
        """The note for a place in 0..1 of a phrase that falls on `beat` of the passage."""
        chord = self.passage.chords[min(int(beat // BEATS_PER_BAR), self.passage.bars - 1)]
        target = self.anchor + self.contour.height(phrase, place)
        return nearest(target, chord.pitch_classes if chordal or beat % 2 == 0 else _agreeing(self.key, chord))


def make_tune(
    passage: Passage, key: Key, centre: int, contour: Contour, *, beat_seconds: float, sings: bool
) -> Tune:
    finest_beats = 0.25 if beat_seconds / 4 >= TONGUE_SECONDS else 0.5
    score = Score(passage, key, centre + SECTION_HEIGHT[passage.section_type], contour, finest_beats)
    if not (sings and passage.lines):
        return Tune((), (), _play(score, 0.0, passage.beats))
    sung: list[SungNote] = []
    words: list[tuple[WordTime, ...]] = []
    answers: list[Note] = []
    window = passage.beats / len(passage.lines)
    for phrase, line in enumerate(passage.lines):
        start = phrase * window
        notes, times = _sing_line(score, line, phrase, start, min(window, SUNG_BEATS))
        sung += notes
        words.append(times)
        if window >= SUNG_BEATS + BEATS_PER_BAR:
            answers += _play(score, start + SUNG_BEATS, start + window)
    return Tune(tuple(sung), tuple(words), tuple(answers))


def _sing_line(
    score: Score, line: SungLine, phrase: int, start: float, beats: float
) -> tuple[list[SungNote], tuple[WordTime, ...]]:
    """Set one line: syllables on the strong places of the window first, the last one held."""
    starts = syllable_places(line.syllable_count, beats)
    ends = [*starts[1:], min(starts[-1] + 2, (starts[-1] + beats) / 2 if beats < 2 else beats - 0.25)]
    syllables = [syllable for word in line.words for syllable in word.syllables]
    notes = []
    for place, (syllable, begin, end) in enumerate(zip(syllables, starts, ends, strict=True)):
        is_final = place == len(starts) - 1
        pitch = score.pitch(phrase, begin / beats, start + begin, chordal=is_final)
        notes.append(SungNote(start + begin, min(end - begin, 2.5), pitch, _stress(begin), syllable))
    times, place = [], 0
    for word in line.words:
        first, place = place, place + len(word.syllables)
        times.append(WordTime(start + starts[first], start + ends[place - 1], word.text))
    return _voiced(notes, score.finest_beats), tuple(times)


def _stress(beat: float) -> float:
    return 0.95 if beat % 2 == 0 else 0.85 if beat % 1 == 0 else 0.7


def _voiced(notes: list[SungNote], finest_beats: float) -> list[SungNote]:
    """Where words fall faster than a tongue can move, only those nearest to the grid are voiced, on the grid."""
    if len(notes) < 2 or min(after.start - note.start for note, after in pairwise(notes)) >= finest_beats - 1e-9:
        return notes
    by_place: dict[int, SungNote] = {}
    for note in notes:
        by_place.setdefault(round(note.start / finest_beats), note)
    places = sorted(by_place)
    until = [*places[1:], places[-1] + 1]
    return [
        by_place[place]._replace(start=place * finest_beats, length=min((end - place) * finest_beats, 2.5))
        for place, end in zip(places, until, strict=True)
    ]


def syllable_places(count: int, beats: float) -> list[float]:
    """Rising starts in beats for `count` syllables: on beats while they suffice, then halves, then quarters.

    The finest grid that is needed is filled strongest places first, so a short line sits on the beat.
    """
    usable = max(beats - 1.0, beats * 0.75)
    for grid in (1.0, 0.5, 0.25):
        places = [step * grid for step in range(int(usable / grid + 1e-9))] or [0.0]
        if len(places) >= count:
            return sorted(sorted(places, key=_weakness)[:count]) if grid < 1 else places[:count]
    return [usable * place / count for place in range(count)]


def _weakness(beat: float) -> tuple[int, float]:
    return (0 if beat % 1 == 0 else 1 if beat % 0.5 == 0 else 2), beat


def _agreeing(key: Key, chord: Chord) -> tuple[int, ...]:
    """The key's notes, but the leading note in place of its flat twin while the chord holds it."""
    leading = (key.tonic - 1) % 12
    if leading not in chord.pitch_classes:
        return key.melody_classes
    return tuple(leading if step == (key.tonic - 2) % 12 else step for step in key.melody_classes)


def _play(score: Score, begin: float, end: float) -> tuple[Note, ...]:
    """The lead between two beats of the passage, in phrases of two bars; it leaves the last bar of a song alone."""
    passage = score.passage
    if passage.is_last and passage.bars > 1:
        end = min(end, passage.beats - BEATS_PER_BAR + 1)
    notes = []
    for phrase in range(int(-(-(end - begin) // SUNG_BEATS))):
        rhythm = score.contour.rhythms[score.contour.motif(phrase)]
        for place, until in zip(rhythm, (*rhythm[1:], SUNG_BEATS - 0.5), strict=True):
            start = begin + phrase * SUNG_BEATS + place
            if start < end:
                pitch = score.pitch(phrase, place / SUNG_BEATS, start, chordal=False)
                notes.append(Note(start, min(until - place, end - start), pitch, 0.9 if place % 2 == 0 else 0.75))
    return tuple(notes)
