"""Tunes made of motifs: each kind of section has its own, so a second verse is recognised."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from generation.providers.rehearsal.form import BEATS_PER_BAR, Passage
from generation.providers.rehearsal.given_tune import GivenTune
from generation.providers.rehearsal.harmony import Chord, Key, nearest
from generation.providers.rehearsal.lyrics import SungLine, Syllable

SUNG_BEATS = 8.0
TONGUE_SECONDS = 0.18
LONGEST_HELD_BEATS = 2.0
MOTIF_NOTES = 16
GIVEN_CENTRE = 74
SEMITONES_PER_STEP = 12 / 7
LEAD_RHYTHMS = (
    (0, 1, 2, 3, 4, 6),
    (0, 2, 3, 4, 5, 6),
    (0, 1, 2, 4, 5, 6, 7),
    (0, 1.5, 2, 3, 4, 6),
    (0, 1, 2, 2.5, 3, 4, 5, 6),
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
    """The melody of a passage: what is sung, when its words fall, and what an instrument answers.

    With `is_given` the instrument plays a tune that was brought, also under the voice.
    """

    sung: tuple[SungNote, ...]
    words: tuple[tuple[WordTime, ...], ...]
    answers: tuple[Note, ...]
    is_given: bool = False


class Contour:
    """Two motifs as heights in scale steps, walked by chance; `adventure` (0-2) makes leaps likelier."""

    def __init__(self, seed: str, adventure: float) -> None:
        choose = random.Random(seed)
        self._motifs = [self._walk(choose, adventure) for _ in range(2)]
        self._form = choose.choice(("AABA", "ABAB", "AABB", "ABAA"))
        self.rhythms = choose.sample(LEAD_RHYTHMS, 2)

    @staticmethod
    def _walk(choose: random.Random, adventure: float) -> list[int]:
        """Mostly neighbouring steps, a leap now and then, turned back before they leave the voice's reach."""
        height, heights = choose.choice((0, 0, 2)), []
        for _ in range(MOTIF_NOTES):
            heights.append(height)
            step = choose.choices((0, 1, 2, 4), (1.2, 6.0, 2.5, 1.6 * adventure))[0]
            rises = choose.random() < 0.5 - height * 0.12
            height += step if rises else -step
        return heights

    def motif(self, phrase: int) -> int:
        return "AB".index(self._form[phrase % 4])

    def height(self, phrase: int, place: int) -> float:
        """Semitones above the anchor of the note at a place of the phrase."""
        return SEMITONES_PER_STEP * self._motifs[self.motif(phrase)][place % MOTIF_NOTES]


class Score(NamedTuple):
    """What a melody must agree with: its passage, the key, the pitch it moves around, the shortest sung note.

    A given tune takes the place of the contour.
    """

    passage: Passage
    key: Key
    anchor: float
    contour: Contour
    finest_beats: float
    given: GivenTune | None = None

    def pitches(self, phrase: int, beats: Sequence[float]) -> list[int]:
        """Notes for a phrase whose notes begin on these beats of the passage; strong and last ones fit the chord."""
        if self.given is not None:
            return [self.given.pitch_at(self.passage.first_bar * BEATS_PER_BAR + beat) for beat in beats]
        sounding: list[int] = []
        for place, beat in enumerate(beats):
            is_chordal = beat % 2 == 0 or place == len(beats) - 1
            chord = self.passage.chords[min(int(beat // BEATS_PER_BAR), self.passage.bars - 1)]
            classes = chord.pitch_classes if is_chordal else _agreeing(self.key, chord)
            height = self.contour.height(phrase, place)
            pitch = nearest(self.anchor + height, classes)
            heading = height - self.contour.height(phrase, place - 1) if place else 0.0
            if heading and sounding[-1] == pitch:  # the motif moves, so the tune does
                pitch = nearest(pitch + (2.6 if heading > 0 else -2.6), classes)
            sounding.append(pitch)
        return sounding


def make_tune(
    passage: Passage,
    key: Key,
    centre: int,
    contour: Contour,
    *,
    beat_seconds: float,
    sings: bool,
    given: GivenTune | None = None,
) -> Tune:
    finest_beats = 0.25 if beat_seconds / 4 >= TONGUE_SECONDS else 0.5
    anchor = centre + SECTION_HEIGHT[passage.section_type]
    score = Score(passage, key, anchor, contour, finest_beats, given.near(centre) if given else None)
    tune = _sing(score) if sings and passage.lines else Tune((), (), _play(score, 0.0, passage.beats))
    return Tune(tune.sung, tune.words, _play_given(given.near(GIVEN_CENTRE), passage), is_given=True) if given else tune


def _sing(score: Score) -> Tune:
    passage = score.passage
    sung: list[SungNote] = []
    words: list[tuple[WordTime, ...]] = []
    answers: list[Note] = []
    window = passage.beats / len(passage.lines)
    for phrase, line in enumerate(passage.lines):
        start = phrase * window
        notes, times = _sing_line(score, line, phrase, start, min(window, SUNG_BEATS))
        sung += notes
        words.append(times)
        if window >= SUNG_BEATS + BEATS_PER_BAR and score.given is None:
            answers += _play(score, start + SUNG_BEATS, start + window)
    return Tune(tuple(sung), tuple(words), tuple(answers))


def _sing_line(
    score: Score, line: SungLine, phrase: int, start: float, beats: float
) -> tuple[list[SungNote], tuple[WordTime, ...]]:
    """Set one line: syllables on the strong places of the window first, the last one held."""
    starts = syllable_places(line.syllable_count, beats)
    ends = [*starts[1:], min(starts[-1] + LONGEST_HELD_BEATS, beats - min(beats, 2.0) / 8)]
    syllables = [syllable for word in line.words for syllable in word.syllables]
    pitches = score.pitches(phrase, [start + begin for begin in starts])
    notes = [
        SungNote(start + begin, min(end - begin, LONGEST_HELD_BEATS), pitch, _stress(begin), syllable)
        for syllable, pitch, begin, end in zip(syllables, pitches, starts, ends, strict=True)
    ]
    times, place = [], 0
    for word in line.words:
        first, place = place, place + len(word.syllables)
        times.append(WordTime(start + starts[first], start + ends[place - 1], word.text))
    return _voiced(notes, score.finest_beats), tuple(times)


def _stress(beat: float) -> float:
    return 0.95 if beat % 2 == 0 else 0.85 if beat % 1 == 0 else 0.7


def _voiced(notes: list[SungNote], finest_beats: float) -> list[SungNote]:
    """Where words fall faster than a tongue can move, only those nearest to the grid are voiced, on the grid."""
    if all(after.start - note.start >= finest_beats - 1e-9 for note, after in pairwise(notes)):
        return notes
    by_place: dict[int, SungNote] = {}
    for note in notes:
        by_place.setdefault(round(note.start / finest_beats), note)
    places = sorted(by_place)
    until = [*places[1:], places[-1] + 1]
    return [
        by_place[place]._replace(
            start=place * finest_beats, length=min((end - place) * finest_beats, LONGEST_HELD_BEATS)
        )
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


def _play_given(given: GivenTune, passage: Passage) -> tuple[Note, ...]:
    """What of a given tune falls into the passage; the tune begins with the song."""
    begin = passage.first_bar * float(BEATS_PER_BAR)
    notes = given.between(begin, begin + _playable_beats(passage))
    return tuple(Note(note.start, note.length, note.pitch, _stress(note.start)) for note in notes)


def _playable_beats(passage: Passage) -> float:
    """The lead leaves the last bar of a song alone."""
    leaves = passage.is_last and passage.bars > 1
    return passage.beats - BEATS_PER_BAR + 1 if leaves else passage.beats


def _play(score: Score, begin: float, end: float) -> tuple[Note, ...]:
    """The lead between two beats of the passage, in phrases of two bars."""
    end = min(end, _playable_beats(score.passage))
    notes = []
    for phrase in range(ceil((end - begin) / SUNG_BEATS)):
        rhythm = score.contour.rhythms[score.contour.motif(phrase)]
        first = begin + phrase * SUNG_BEATS
        pitches = score.pitches(phrase, [first + place for place in rhythm])
        for pitch, place, until in zip(pitches, rhythm, (*rhythm[1:], SUNG_BEATS - 0.5), strict=True):
            if first + place < end:
                length = min(until - place, end - first - place)
                notes.append(Note(first + place, length, pitch, 0.9 if place % 2 == 0 else 0.75))
    return tuple(notes)
