"""A tune that tests know note by note, and recordings of it."""

from __future__ import annotations

import numpy as np

from generation.providers.base import Sound
from generation.providers.rehearsal.instruments import note_sound
from generation.providers.rehearsal.mixing import lay
from generation.providers.rehearsal.pitch_track import HeardNote
from generation.providers.rehearsal.voice import vowel_sound

RATE = 44_100
SILENCE_SECONDS = 0.37
_HALF = [
    (0, 1, 60), (1, 0.5, 62), (1.5, 0.5, 64), (2, 1, 64), (3, 1, 67), (4, 1.5, 65), (5.5, 0.5, 64), (6, 1, 62),
    (7, 1, 60), (8, 1, 67), (9, 0.5, 69), (9.5, 0.5, 71), (10, 2, 72), (12, 1, 67), (13, 1, 64),
]  # fmt: skip
TUNE = [*_HALF, (14, 2, 62), *((start + 16, length, pitch) for start, length, pitch in _HALF), (30, 2, 60)]
"""Start and length in beats, MIDI pitch; in C major."""


def recording(player: str = "flute", *, up: int = 0, tempo_bpm: float = 96.0, tuning: float = 0.0) -> Sound:
    """The tune played, or sung by `voice`, after a little silence, each note detached; `up` in semitones.

    `tuning` in semitones moves the whole recording, as a tape does that runs too fast.
    """
    beat = 60 / tempo_bpm
    lane = np.zeros(round((33 * beat + SILENCE_SECONDS) * RATE), np.float32)
    for start, length, pitch in TUNE:
        seconds = length * beat * 0.9
        sound = vowel_sound("a", pitch + up, seconds + 0.2) if player == "voice" else note_sound(player, pitch + up)
        lay(lane, round((SILENCE_SECONDS + start * beat) * RATE), sound, 0.4, max(1, round(seconds * RATE) - 800))
    if tuning:
        places = np.arange(0, len(lane) - 1, 2 ** (tuning / 12))
        lane = np.interp(places, np.arange(len(lane)), lane).astype(np.float32)
    return Sound(np.stack([lane, lane * np.float32(0.8)], axis=1), RATE)


def midi_notes(*, up: int = 0, tempo_bpm: float = 96.0) -> tuple[tuple[int, int, int], ...]:
    """The tune as a MIDI upload has it: milliseconds."""
    beat_ms = 60_000 / tempo_bpm
    return tuple(
        (round(start * beat_ms), round((start + length) * beat_ms), pitch + up) for start, length, pitch in TUNE
    )


def heard_notes(*, up: int = 0, tempo_bpm: float = 96.0) -> tuple[HeardNote, ...]:
    return tuple(
        HeardNote(start / 1000, end / 1000, pitch) for start, end, pitch in midi_notes(up=up, tempo_bpm=tempo_bpm)
    )
