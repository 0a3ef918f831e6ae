"""Keys, chords and how one chord leads to the next."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Mode = Literal["major", "minor"]

PITCH_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
SCALES: dict[Mode, tuple[int, ...]] = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
PENTATONIC: dict[Mode, tuple[int, ...]] = {"major": (0, 2, 4, 7, 9), "minor": (0, 3, 5, 7, 10)}
INTERVALS = {
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "maj7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "7": (0, 4, 7, 10),
}
# Semitones above the tonic and the two colours of each degree: triad and seventh chord.
DEGREES: dict[Mode, dict[str, tuple[int, str, str]]] = {
    "major": {
        "I": (0, "", "maj7"),
        "ii": (2, "m", "m7"),
        "iii": (4, "m", "m7"),
        "IV": (5, "", "maj7"),
        "V": (7, "", "7"),
        "vi": (9, "m", "m7"),
    },
    "minor": {
        "i": (0, "m", "m"),
        "III": (3, "", "maj7"),
        "iv": (5, "m", "m"),
        "v": (7, "m", "m7"),
        "V": (7, "", "7"),
        "VI": (8, "", "maj7"),
        "VII": (10, "", "7"),
    },
}
# Four different chords each, tonic early and dominant late, so that the mode is heard within one round.
PROGRESSIONS: dict[Mode, dict[str, tuple[str, ...]]] = {
    "major": {
        "verse": ("I V vi IV", "I vi IV V", "I IV vi V"),
        "chorus": ("IV V I vi", "IV I V vi", "I V IV vi"),
        "bridge": ("ii V I vi", "vi ii V I", "ii IV I V"),
    },
    "minor": {
        "verse": ("i VI iv V", "i iv VI V", "i iv V VI"),
        "chorus": ("VI iv i V", "iv V i VI", "iv i VI V"),
        "bridge": ("iv i VI V", "VI V i iv", "iv VII i V"),
    },
}
FEWEST_CHORDS = 4
PROPOSED_BONUS = 0.75


@dataclass(frozen=True, slots=True)
class Chord:
    """`root` is a pitch class 0-11 (C is 0); `quality` a key of INTERVALS."""

    root: int
    quality: str

    @property
    def name(self) -> str:
        return PITCH_NAMES[self.root] + self.quality

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        return tuple((self.root + interval) % 12 for interval in INTERVALS[self.quality])


@dataclass(frozen=True, slots=True)
class Key:
    tonic: int
    mode: Mode
    sevenths: bool = False
    pentatonic: bool = False

    @property
    def name(self) -> str:
        return PITCH_NAMES[self.tonic]

    @property
    def melody_classes(self) -> tuple[int, ...]:
        steps = (PENTATONIC if self.pentatonic else SCALES)[self.mode]
        return tuple((self.tonic + step) % 12 for step in steps)

    @property
    def tonic_chord(self) -> Chord:
        return self.chord("I" if self.mode == "major" else "i")

    def chord(self, degree: str) -> Chord:
        above, triad, seventh = DEGREES[self.mode][degree]
        return Chord((self.tonic + above) % 12, seventh if self.sevenths else triad)


def progression(key: Key, section_type: str, *, again: bool, choose: random.Random) -> tuple[Chord, ...]:
    """Four chords for a kind of section; `again` asks for another round than the last section's."""
    shelf_name = {"chorus": "chorus", "bridge": "bridge", "break": "bridge"}.get(section_type, "verse")
    rounds = PROGRESSIONS[key.mode][shelf_name]
    place = choose.randrange(len(rounds)) + again
    return tuple(key.chord(degree) for degree in rounds[place % len(rounds)].split())


def chord_under(key: Key, proposed: Chord, shares: Sequence[float]) -> Chord:
    """The chord that holds most of a bar of a tune; the proposed one wins with a little less.

    `shares` are the beats that each pitch class (C first) sounds.
    """
    chords = [key.chord(degree) for degree in DEGREES[key.mode]]

    def worth(chord: Chord) -> float:
        return sum(shares[pitch_class] for pitch_class in chord.pitch_classes) + PROPOSED_BONUS * (chord == proposed)

    return max((proposed, *chords), key=worth)


def join_sections(key: Key, sections: Sequence[Sequence[Chord]]) -> tuple[tuple[Chord, ...], ...]:
    """See that the chord changes at every border, that the song has four chords, and that it ends on the tonic."""
    joined = [list(chords) for chords in sections]
    bars = sum(map(len, joined))
    if bars >= FEWEST_CHORDS and len({chord for chords in joined for chord in chords}) < FEWEST_CHORDS:
        around = progression(key, "verse", again=False, choose=random.Random(key.tonic))
        running = iter(around * (bars // len(around) + 1))
        joined = [[next(running) for _ in chords] for chords in joined]
    if bars > FEWEST_CHORDS:
        joined[-1][-1] = key.tonic_chord
    for chords, following in pairwise(joined):
        if chords[-1] == following[0]:
            chords[-1] = _turnaround(key, chords[-1])
    if bars > FEWEST_CHORDS and len(joined[-1]) > 1 and joined[-1][-2] == key.tonic_chord:
        joined[-1][-2] = _turnaround(key, key.tonic_chord)
    return tuple(tuple(chords) for chords in joined)


def _turnaround(key: Key, avoided: Chord) -> Chord:
    dominant = key.chord("V")
    return dominant if avoided != dominant else key.chord("IV" if key.mode == "major" else "iv")


def voice_chord(chord: Chord, previous: Sequence[int], centre: int) -> tuple[int, ...]:
    """Close-position pitches near `centre`, the inversion that moves least from `previous`."""
    lowest_pitches = range(centre - 9, centre + 4)
    candidates = [_stack(chord, lowest) for lowest in lowest_pitches if lowest % 12 in chord.pitch_classes]
    if not previous:
        return min(candidates, key=lambda pitches: abs(sum(pitches) / len(pitches) - centre))
    return min(candidates, key=lambda pitches: _movement(pitches, previous, centre))


def _stack(chord: Chord, lowest: int) -> tuple[int, ...]:
    return tuple(sorted(lowest + (pitch_class - lowest) % 12 for pitch_class in chord.pitch_classes))


def _movement(pitches: Sequence[int], previous: Sequence[int], centre: int) -> float:
    moved = sum(min(abs(pitch - before) for before in previous) for pitch in pitches)
    return moved + 0.15 * abs(sum(pitches) / len(pitches) - centre)


def nearest(target: float, classes: Sequence[int]) -> int:
    """The pitch nearest to `target` whose pitch class is allowed; the lower of two equals."""
    around = range(int(target) - 6, int(target) + 8)
    return min((pitch for pitch in around if pitch % 12 in classes), key=lambda pitch: abs(pitch - target))
