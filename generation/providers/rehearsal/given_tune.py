"""A tune somebody gave, set into a song: its notes on the beats and in the key of the song, over and over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil
from statistics import median

import numpy as np

from generation.providers.rehearsal.form import BEATS_PER_BAR
from generation.providers.rehearsal.harmony import SCALES, Key, nearest
from generation.providers.rehearsal.listening import HeardKey, Pulse, key_of_classes, tempo_of
from generation.providers.rehearsal.pitch_track import HeardNote

GRID_BEATS = 0.25
PULSES_PER_SECOND, PULSE_WIDTH_SECONDS = 100, 0.02
COMFORTABLE_BPM = (62.0, 150.0)
TEMPO_REACH, TEMPO_TRIES = 0.02, 81
MOST_NOTES = 2_000
TONIC_BONUS, SEMITONE_COST = 0.1, 0.004


@dataclass(frozen=True, slots=True)
class TuneNote:
    """`start` and `length` in beats, `pitch` a MIDI number."""

    start: float
    length: float
    pitch: int


@dataclass(frozen=True, slots=True)
class GivenTune:
    """Notes one after another within `beats`, a whole number of bars; then it begins again."""

    notes: tuple[TuneNote, ...]
    beats: float

    def near(self, centre: float) -> GivenTune:
        """The tune moved by octaves, as a whole, to where its middle lies nearest to a pitch."""
        octaves = round((centre - median(note.pitch for note in self.notes)) / 12)
        return replace(self, notes=tuple(replace(note, pitch=note.pitch + 12 * octaves) for note in self.notes))

    def pitch_at(self, beat: float) -> int:
        """What sounds at a beat of the song, or sounded last."""
        within = beat % self.beats
        begun = [note for note in self.notes if note.start <= within + GRID_BEATS / 2]
        return (begun or self.notes)[-1].pitch

    def between(self, begin: float, end: float) -> tuple[TuneNote, ...]:
        """The notes that begin between two beats of the song, their starts counted from the first, cut at the end."""
        found = []
        for again in range(int(begin // self.beats), ceil(end / self.beats)):
            for note in self.notes:
                start = again * self.beats + note.start
                if begin <= start < end:
                    found.append(TuneNote(start - begin, min(note.length, end - start), note.pitch))
        return tuple(found)

    def shares(self, begin: float, end: float) -> list[float]:
        """How many beats each pitch class (C first) sounds between two beats of the song."""
        shares = [0.0] * 12
        for note in self.between(begin, end):
            shares[note.pitch % 12] += note.length
        return shares


def tune_tempo(notes: Sequence[HeardNote]) -> float:
    """Beats a minute of a tune, 62-150, by when its notes begin; 100 for a single note."""
    heard = tempo_of(_pulse(notes)) if len(notes) > 1 else None
    if heard is None:
        steps = [after.start - note.start for note, after in pairwise(notes)]
        heard = 60.0 / max(median(steps), 0.05) if steps else 100.0
    heard = _refined(notes, heard)
    while heard < COMFORTABLE_BPM[0]:
        heard *= 2
    while heard > COMFORTABLE_BPM[1]:
        heard /= 2
    return heard


def tune_key(notes: Sequence[HeardNote]) -> HeardKey | None:
    return key_of_classes(_classes(notes))


def set_tune(notes: Sequence[HeardNote], key: Key, tempo_bpm: float) -> GivenTune | None:
    """The tune in a key, at about the speed it had: in beats of its own tempo, doubled or halved towards the song's.

    It is moved to the song's tonic, or to where more of it is in the scale; what is outside then takes the nearest
    note of the scale. None for a tune without notes.
    """
    notes = notes[:MOST_NOTES]
    if not notes:
        return None
    own_bpm = tune_tempo(notes)
    own_bpm *= 2.0 ** round(np.log2(tempo_bpm / own_bpm))
    classes = _scale(key)
    move = _move(notes, key, classes)
    placed = [replace(note, pitch=nearest(note.pitch + move, classes)) for note in _on_grid(notes, own_bpm)]
    beats = ceil((placed[-1].start + placed[-1].length) / BEATS_PER_BAR - 1e-9) * BEATS_PER_BAR
    return GivenTune(tuple(placed), float(beats))


def _pulse(notes: Sequence[HeardNote]) -> Pulse:
    length = round((notes[-1].start + 1.0) * PULSES_PER_SECOND)
    moments = np.arange(length) / PULSES_PER_SECOND
    strength = np.zeros(length, np.float32)
    for note in notes:
        near = slice(max(0, round((note.start - 0.1) * PULSES_PER_SECOND)), round((note.start + 0.1) * 100) + 1)
        strength[near] += np.exp(-0.5 * ((moments[near] - note.start) / PULSE_WIDTH_SECONDS) ** 2)
    return Pulse(strength, PULSES_PER_SECOND)


def _refined(notes: Sequence[HeardNote], tempo_bpm: float) -> float:
    """The tempo close by on whose half beats the notes begin most exactly."""
    starts = np.array([note.start for note in notes])
    tempos = tempo_bpm * np.linspace(1 - TEMPO_REACH, 1 + TEMPO_REACH, TEMPO_TRIES)
    turns = np.exp(2j * np.pi * starts * tempos[:, None] / 30.0)
    together = np.abs(turns.sum(axis=1)) - 0.02 * len(starts) * np.abs(tempos / tempo_bpm - 1) / TEMPO_REACH
    return float(tempos[int(np.argmax(together))])


def _on_grid(notes: Sequence[HeardNote], tempo_bpm: float) -> list[TuneNote]:
    """Notes in quarters of a beat, the first on beat 0; of two that fall on one place the longer stays."""
    first, per_second = notes[0].start, tempo_bpm / 60.0
    beats = [((note.start - first) * per_second, (note.end - note.start) * per_second) for note in notes]
    turn = np.exp(2j * np.pi * np.array([start for start, _ in beats]) / (2 * GRID_BEATS)).sum()
    late = float(np.angle(turn) / (2 * np.pi)) * 2 * GRID_BEATS
    by_place: dict[int, tuple[float, int]] = {}
    for (start, length), note in zip(beats, notes, strict=True):
        place = max(0, round((start - late) / GRID_BEATS))
        by_place[place] = max(by_place.get(place, (0.0, 0)), (length, note.pitch))
    places = sorted(by_place)
    ends = [*places[1:], places[-1] + 10**6]
    return [
        TuneNote(
            (place - places[0]) * GRID_BEATS,
            max(1, min(round(by_place[place][0] / GRID_BEATS), end - place)) * GRID_BEATS,
            by_place[place][1],
        )
        for place, end in zip(places, ends, strict=True)
    ]


def _scale(key: Key) -> tuple[int, ...]:
    """The key's notes; in minor also the leading note, which its dominant brings."""
    steps = SCALES[key.mode] if key.mode == "major" else (*SCALES["minor"], 11)
    return tuple((key.tonic + step) % 12 for step in steps)


def _classes(notes: Sequence[HeardNote]) -> np.ndarray:
    return np.bincount([note.pitch % 12 for note in notes], [note.end - note.start for note in notes], minlength=12)


def _move(notes: Sequence[HeardNote], key: Key, scale: Sequence[int]) -> int:
    """Semitones, -6 to 5: to the tonic of the song, unless more of the tune is in the scale elsewhere."""
    shares = _classes(notes) / max(_classes(notes).sum(), 1e-9)
    own = tune_key(notes)

    def worth(move: int) -> float:
        inside = sum(float(share) for pitch, share in enumerate(shares) if (pitch + move) % 12 in scale)
        is_home = own is not None and (own.tonic + move) % 12 == key.tonic and own.mode == key.mode
        return inside + TONIC_BONUS * is_home - SEMITONE_COST * abs(move)

    return max(range(-6, 6), key=worth)
