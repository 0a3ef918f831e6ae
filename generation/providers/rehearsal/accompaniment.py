"""What the band plays under the tune: drums, bass, chords, broken chords and held pads."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from generation.providers.rehearsal.form import BEATS_PER_BAR, Passage
from generation.providers.rehearsal.harmony import Chord, voice_chord
from generation.providers.rehearsal.melody import Note
from generation.providers.rehearsal.vocabulary import Band

STEPS_PER_BEAT = 4
ACCENTS = {"X": 1.0, "x": 0.72, "o": 0.16}
CHORD_CENTRE, BASS_LOWEST = 60, 31

# Sixteen steps a bar: X loud, x plain, o soft.
# The half beats are few and soft: the beat must be plain to a listener and to a beat tracker.
KITS: dict[str, dict[str, dict[str, str]]] = {
    "pop": {
        "drums": {"kick": "X.......X.......", "rim": "....x.......x...", "hat": "x...x...x...x..."},
        "full drums": {"kick": "X...x...X...x...", "snare": "....X.......X...", "hat": "x.o.x...x.o.x..."},
    },
    "driving": {
        "drums": {"kick": "X...X...X...X...", "hat": "x...x...x...x..."},
        "full drums": {"kick": "X...X...X...X...", "clap": "x...X...x...X...", "hat": "X.o.X...X.o.X..."},
    },
    "rock": {
        "drums": {"kick": "X...x...X...x...", "snare": "....X.......X...", "hat": "x...x...x...x..."},
        "full drums": {
            "kick": "X...x...X...x...",
            "snare": "....X.......X...",
            "open hat": "x...x...x...x...",
            "hat": "......o.......o.",
        },
    },
    "club": {
        "drums": {"kick": "X...X...X...X...", "hat": "......o.......o."},
        "full drums": {"kick": "X...X...X...X...", "clap": "....x.......x...", "hat": "x.o.x...x.o.x..."},
    },
    "folk": {
        "drums": {"soft kick": "X.......x.......", "shaker": "x...x...x...x..."},
        "full drums": {"soft kick": "X...x...X...x...", "brush": "....x.......x...", "shaker": "x.o.x...x.o.x..."},
    },
    "jazz": {
        "drums": {"ride": "x...x...x...x..o", "soft kick": "o...o...o...o...", "hat": "....o.......o..."},
        "full drums": {"ride": "X...X...X...X..o", "soft kick": "x...x...x...x...", "brush": "....o.......o..."},
    },
    "lofi": {
        "drums": {"soft kick": "X.......X.......", "rim": "....x.......x...", "hat": "x...x...x...x..."},
        "full drums": {"kick": "X.......X..o....", "snare": "....x.......x...", "hat": "x...x.o.x...x.o."},
    },
    "latin": {
        "drums": {"soft kick": "X...x...X...x...", "shaker": "x...x...x...x...", "rim": "x...........x..."},
        "full drums": {"kick": "X...x...X...x...", "rim": "x..o....x...x...", "shaker": "x.o.x...x.o.x..."},
    },
    "ballad": {
        "drums": {"soft kick": "X.......x.......", "rim": "....o.......x..."},
        "full drums": {"kick": "X.......X.......", "snare": "....x.......x...", "ride": "o...o...o...o..."},
    },
}
HALF_TIME = {"kick": "X...............", "snare": "........X.......", "ride": "x...x...x...x..."}
BUILD = ("x...x...x...x...", "x...x...x...x.o.")
Feel = Literal["calm", "plain", "driving"]
SOFT_KITS, STRAIGHT_KITS = ("pop", "rock", "folk"), ("pop", "rock", "folk", "latin")
FILLS = (
    {"snare": "............x.x.", "low tom": "............o.x."},
    {"high tom": "........x...x...", "low tom": "............x.x."},
    {"snare": "........o...X.x."},
)


class Hit(NamedTuple):
    """`start` in beats from the start of the passage."""

    start: float
    drum: str
    velocity: float


class HeldChord(NamedTuple):
    start: float
    length: float
    pitches: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything under the tune in one passage."""

    hits: tuple[Hit, ...]
    bass: tuple[Note, ...]
    chords: tuple[Note, ...]
    arp: tuple[Note, ...]
    pad: tuple[HeldChord, ...]


def accompany(passage: Passage, band: Band, *, feel: Feel, choose: random.Random) -> Parts:
    voicings = _voicings(passage.chords)
    layers = passage.layers
    return Parts(
        hits=tuple(_drum(passage, band, feel, choose)),
        bass=tuple(_walk_bass(passage, band, feel, choose)) if "bass" in layers else (),
        chords=tuple(_comp(passage, band, voicings, feel)) if "chords" in layers else (),
        arp=tuple(_break_chords(passage, voicings, choose)) if "arp" in layers else (),
        pad=tuple(_hold(voicings)) if "pad" in layers else (),
    )


def _voicings(chords: Sequence[Chord]) -> list[tuple[int, ...]]:
    voicings: list[tuple[int, ...]] = []
    for chord in chords:
        voicings.append(voice_chord(chord, voicings[-1] if voicings else (), CHORD_CENTRE))
    return voicings


def _drum(passage: Passage, band: Band, feel: Feel, choose: random.Random) -> Iterator[Hit]:
    layers = passage.layers
    if band.drums == "none":
        return
    if "crash" in layers:
        yield Hit(0.0, "crash", 0.55 if feel == "calm" else 0.8)
    fill = choose.choice(FILLS)
    for bar in range(passage.bars):
        is_end = bar == passage.bars - 1
        if is_end and passage.is_last and passage.bars > 1:
            yield Hit(bar * 4.0, "soft kick", 0.8)
            return
        yield from _pattern(_pattern_of(band, layers, feel), bar, choose, cut=12 if is_end else 16)
        if "build" in layers:
            yield from _pattern({"snare" if bar % 2 else "low tom": BUILD[bar % 2]}, bar, choose, cut=16)
        if is_end and passage.bars > 1 and not passage.is_last and layers & {"drums", "full drums"}:
            yield from _pattern(fill, bar, choose, cut=16)


def _pattern_of(band: Band, layers: frozenset[str], feel: Feel) -> dict[str, str]:
    kit = KITS[band.drums]
    if feel == "calm" and band.drums in SOFT_KITS:
        kit = KITS["ballad"]
    elif feel == "driving" and band.drums in STRAIGHT_KITS:
        kit = KITS["driving"]
    if "half drums" in layers:
        return HALF_TIME
    for layer in ("drums", "full drums"):
        if layer in layers:
            return kit[layer]
    return {}


def _pattern(drums: dict[str, str], bar: int, choose: random.Random, cut: int) -> Iterator[Hit]:
    for drum, steps in drums.items():
        for step, mark in enumerate(steps[:cut] if drum in ("hat", "shaker", "rim") else steps):
            if mark != ".":
                loud = ACCENTS[mark] * choose.uniform(0.9, 1.0)
                yield Hit(bar * BEATS_PER_BAR + step / STEPS_PER_BEAT, drum, loud)


def _walk_bass(passage: Passage, band: Band, feel: Feel, choose: random.Random) -> Iterator[Note]:
    for bar, chord in enumerate(passage.chords):
        root = BASS_LOWEST + (chord.root - BASS_LOWEST) % 12
        start = bar * float(BEATS_PER_BAR)
        if passage.is_last and bar == passage.bars - 1:
            yield Note(start, 4.0, root, 0.9)
        elif band.drums == "jazz":
            following = passage.chords[(bar + 1) % passage.bars].root
            approach = BASS_LOWEST + (following - BASS_LOWEST) % 12 + choose.choice((-1, 1))
            third, fifth = (root + (classes - chord.root) % 12 for classes in chord.pitch_classes[1:3])
            for beat, pitch in enumerate((root, third, fifth, approach)):
                yield Note(start + beat, 0.9, pitch, 0.9 if beat % 2 == 0 else 0.86)
        elif feel == "driving" or passage.layers & {"full drums", "build"}:
            for beat in range(BEATS_PER_BAR):
                yield Note(start + beat, 0.85, root, 0.95 if beat == 0 else 0.88)
        else:
            yield Note(start, 1.9, root, 0.95)
            yield Note(start + 2, 1.8, root if bar % 2 else root + 7, 0.8)


def _comp(passage: Passage, band: Band, voicings: Sequence[tuple[int, ...]], feel: Feel) -> Iterator[Note]:
    """Struck chords: on every beat when the song drives or the drums are full, else twice a bar or broken."""
    busy = feel == "driving" or ("full drums" in passage.layers and feel != "calm")
    for bar, pitches in enumerate(voicings):
        start = bar * float(BEATS_PER_BAR)
        if passage.is_last and bar == passage.bars - 1:
            yield from _strum(start, 4.0, (pitches[0] - 12, *pitches), 0.95)
        elif busy:
            for beat in range(BEATS_PER_BAR):
                yield from _strum(start + beat, 0.9, pitches, 0.9 if beat == 0 else 0.84)
        elif "lead" in passage.layers or band.chords in ("guitar", "zither"):
            yield from _strum(start, 2.0, (pitches[0] - 12, *pitches), 0.9)
            for beat, pitch in enumerate((pitches[1], pitches[-1], pitches[1]), start=1):
                yield Note(start + beat, 1.0, pitch, 0.62)
        else:
            yield from _strum(start, 2.0, pitches, 0.9)
            yield from _strum(start + 2, 1.9, pitches, 0.72)


def _hold(voicings: Sequence[tuple[int, ...]]) -> Iterator[HeldChord]:
    for bar, pitches in enumerate(voicings):
        yield HeldChord(bar * float(BEATS_PER_BAR), float(BEATS_PER_BAR), pitches)


def _strum(start: float, length: float, pitches: Sequence[int], velocity: float) -> Iterator[Note]:
    for place, pitch in enumerate(pitches):
        yield Note(start + place * 0.008, length, pitch, velocity)


def _break_chords(passage: Passage, voicings: Sequence[tuple[int, ...]], choose: random.Random) -> Iterator[Note]:
    """The chord note by note an octave up: every beat, and softly the half beats after the first and third."""
    order = choose.choice(((0, 2, 1, 2), (0, 1, 2, 1), (2, 1, 0, 1)))
    for bar, pitches in enumerate(voicings):
        for step in (0, 1, 2, 4, 5, 6):
            if passage.is_last and bar == passage.bars - 1 and step:
                break
            pitch = pitches[order[step % 4] % len(pitches)] + 12
            yield Note(bar * BEATS_PER_BAR + step / 2, 0.6, pitch, 0.8 if step % 2 == 0 else 0.3)
