"""The tune of one voice or instrument: its pitch over time, and the notes that makes.

Source of the method: A. de Cheveigné and H. Kawahara, "YIN, a fundamental frequency estimator for speech and music"
(2002), its differences by the Fourier transform.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from generation.providers.rehearsal.sounds import Samples
from generation.providers.rehearsal.spectra import BATCH_WINDOWS, mono_at, windows_of

LISTENING_HERTZ = 16_000
WINDOW_SECONDS, HOP_SECONDS = 0.046, 0.01
LOWEST_HERTZ, HIGHEST_HERTZ = 65.0, 1500.0
SURE, DOUBTFUL = 0.15, 0.3
QUIETEST_DB = -45.0
MEDIAN_WINDOWS = 7
SHORTEST_SECONDS = 0.07
STRUCK_AGAIN_DB, STRUCK_WITHIN_WINDOWS = 3.5, 4
FARTHEST_FROM_NOTE = 0.75


class HeardNote(NamedTuple):
    """`start` and `end` in seconds, `pitch` a MIDI number."""

    start: float
    end: float
    pitch: int


@dataclass(frozen=True, slots=True, eq=False)
class PitchTrack:
    """Pitch as a fractional MIDI number (nan where none is heard) and level in dB, `per_second` times a second."""

    pitches: np.ndarray
    levels: np.ndarray
    per_second: float

    @property
    def middle(self) -> float | None:
        """The median of what is heard; None where that is less than half a second."""
        heard = self.pitches[~np.isnan(self.pitches)]
        return float(np.median(heard)) if len(heard) >= self.per_second / 2 else None


def track_pitch(samples: Samples, sample_rate: int) -> PitchTrack:
    mono, rate = mono_at(samples, sample_rate, LISTENING_HERTZ)
    size, hop = round(rate * WINDOW_SECONDS), round(rate * HOP_SECONDS)
    longest = int(rate / LOWEST_HERTZ) + 2
    padded = np.pad(mono, ((size + longest) // 2, 0))
    framed = windows_of(padded, size + longest, hop)
    tracked = [
        _periods(framed[first : first + BATCH_WINDOWS], size, int(rate / HIGHEST_HERTZ))
        for first in range(0, len(framed), BATCH_WINDOWS)
    ]
    periods, powers = (np.concatenate(column) for column in zip(*tracked, strict=True))
    levels = 10 * np.log10(np.maximum(powers, 1e-12))
    pitches = 69 + 12 * np.log2(rate / periods / 440.0)
    pitches[levels < levels.max() + QUIETEST_DB] = np.nan
    return PitchTrack(pitches, levels, rate / hop)


def _periods(framed: np.ndarray, size: int, shortest: int) -> tuple[np.ndarray, np.ndarray]:
    """The period of each window in frames, nan where it has none, and its mean power."""
    differences, powers = _normal_differences(framed, size)
    inner = differences[:, 1:-1]
    is_valley = (inner <= differences[:, :-2]) & (inner < differences[:, 2:])
    is_valley[:, : shortest - 1] = False
    is_sure = is_valley & (inner < SURE)
    deepest = np.argmin(np.where(is_valley, inner, np.inf), axis=1)
    lags = np.where(is_sure.any(axis=1), np.argmax(is_sure, axis=1), deepest) + 1
    rows = np.arange(len(lags))
    before, at, after = (differences[rows, lags + step] for step in (-1, 0, 1))
    bend = np.maximum(before - 2 * at + after, 1e-9)
    periods = lags + np.clip(0.5 * (before - after) / bend, -1, 1)
    return np.where(at < DOUBTFUL, periods, np.nan), powers


def _normal_differences(framed: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """How unlike itself each window is, moved by 0, 1, … frames, over the mean of the shorter moves; its power."""
    moves = framed.shape[1] - size
    length = 1 << (framed.shape[1] - 1).bit_length()
    whole, head = np.fft.rfft(framed, length), np.fft.rfft(framed[:, :size], length)
    likeness = np.fft.irfft(whole * head.conj(), length)[:, :moves]
    energy = np.cumsum(np.pad(framed.astype(np.float64) ** 2, ((0, 0), (1, 0))), axis=1)
    moved = energy[:, size : size + moves] - energy[:, :moves]
    unlike = np.maximum(moved[:, :1] + moved - 2 * likeness, 0.0)
    unlike[:, 0] = 0.0
    running = np.cumsum(unlike, axis=1)
    normal = unlike * np.arange(moves) / np.maximum(running, 1e-9 * max(1.0, float(moved.max(initial=0.0))))
    normal[:, 0] = 1.0
    normal[running[:, -1] <= 0] = 1.0
    return normal, moved[:, 0] / size


def notes_of(track: PitchTrack) -> tuple[HeardNote, ...]:
    """The track as notes: a new one where the pitch moves on or the sound is struck again."""
    pitches = _steadied(track.pitches) - _mistuning(track.pitches)
    notes = []
    for first, end in _runs(pitches, track):
        if (end - first) / track.per_second >= SHORTEST_SECONDS:
            pitch = round(float(np.median(pitches[first:end])))
            notes.append(HeardNote(first / track.per_second, end / track.per_second, pitch))
    return tuple(notes)


def _steadied(pitches: np.ndarray) -> np.ndarray:
    """A running median, which takes octave slips of a window or two out."""
    padded = np.pad(pitches, MEDIAN_WINDOWS // 2, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, MEDIAN_WINDOWS)
    is_heard = ~np.isnan(around)
    ordered = np.sort(around, axis=1)  # nan comes last
    middle = np.maximum(is_heard.sum(axis=1) - 1, 0) // 2
    steadied: np.ndarray = np.where(np.isnan(pitches), np.nan, ordered[np.arange(len(pitches)), middle])
    return steadied


def _mistuning(pitches: np.ndarray) -> float:
    """How far the whole track lies off equal temperament at 440 Hz, -0.5 to 0.5 semitones."""
    heard = pitches[~np.isnan(pitches)]
    return float(np.angle(np.exp(2j * np.pi * heard).sum()) / (2 * np.pi)) if len(heard) else 0.0


def _runs(pitches: np.ndarray, track: PitchTrack) -> Iterator[tuple[int, int]]:
    """First and last + 1 windows of what sounds as one note."""
    struck = _struck_again(track)
    first: int | None = None
    for window, pitch in enumerate([*pitches, np.nan]):
        if first is not None:
            around = float(np.median(pitches[max(first, window - 12) : window]))
            is_over = np.isnan(pitch) or abs(pitch - around) > FARTHEST_FROM_NOTE
            if is_over or (window < len(struck) and struck[window]):
                yield first, window
                first = None
        if first is None and not np.isnan(pitch):
            first = window


def _struck_again(track: PitchTrack) -> np.ndarray:
    """Where the level has risen out of a dip: the first window of each rise."""
    levels = track.levels
    floor = np.minimum.reduce([np.roll(levels, step) for step in range(1, STRUCK_WITHIN_WINDOWS + 1)])
    rises = levels - floor > STRUCK_AGAIN_DB
    rises[:STRUCK_WITHIN_WINDOWS] = False
    struck: np.ndarray = rises & ~np.roll(rises, 1)
    return struck
