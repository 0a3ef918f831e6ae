"""Rendered sounds, kept for the next song: a note is computed once and then only mixed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

SAMPLE_RATE = 44_100
SHELF_BYTES = 48 * 2**20


class Shelf:
    """Least-recently-used sounds up to a number of bytes; shared between threads.

    A sound is a pure function of its key, so two threads that render the same one agree, and a song sounds the
    same whether the shelf was empty or full. Sounds are read-only arrays.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._held_bytes = 0
        self._sounds: OrderedDict[Hashable, Samples] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def held_bytes(self) -> int:
        return self._held_bytes

    def take(self, key: Hashable, render: Callable[[], Samples]) -> Samples:
        with self._lock:
            known = self._sounds.get(key)
            if known is not None:
                self._sounds.move_to_end(key)
                return known
        fresh = np.ascontiguousarray(render(), dtype=np.float32)
        fresh.flags.writeable = False
        self._put(key, fresh)
        return fresh

    def clear(self) -> None:
        with self._lock:
            self._sounds.clear()
            self._held_bytes = 0

    def _put(self, key: Hashable, sound: Samples) -> None:
        with self._lock:
            if key in self._sounds:
                return
            self._sounds[key] = sound
            self._held_bytes += sound.nbytes
            while self._held_bytes > self._limit_bytes and len(self._sounds) > 1:
                _, oldest = self._sounds.popitem(last=False)
                self._held_bytes -= oldest.nbytes


shelf = Shelf(SHELF_BYTES)


def frequency(pitch: float) -> float:
    """Hertz of a MIDI note number, equal temperament, A4 (69) = 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69.0) / 12.0))


def noise(seed: int, frames: int) -> Samples:
    """White noise in -1..1 that depends on its seed alone."""
    return np.random.default_rng(seed).uniform(-1.0, 1.0, frames).astype(np.float32)


def seconds_axis(frames: int) -> Samples:
    return np.arange(frames, dtype=np.float32) / np.float32(SAMPLE_RATE)


def band(signal: Samples, low_hz: float, high_hz: float) -> Samples:
    """Keep a frequency band, with slopes of a third octave so that nothing rings."""
    spectrum = np.fft.rfft(signal)
    hertz = np.fft.rfftfreq(len(signal), 1 / SAMPLE_RATE)
    octaves = np.log2(np.maximum(hertz, 1.0))
    rising = np.clip((octaves - np.log2(low_hz)) * 3 + 1, 0, 1)
    falling = np.clip((np.log2(high_hz) - octaves) * 3 + 1, 0, 1)
    shaped = np.fft.irfft(spectrum * (rising * falling), len(signal))
    return shaped.astype(np.float32)
