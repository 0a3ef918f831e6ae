"""Sound cut into overlapping windows, and what each window holds."""

from __future__ import annotations

import numpy as np

from generation.providers.rehearsal.sounds import Samples

BATCH_WINDOWS = 512


def mono_at(samples: Samples, sample_rate: int, most_hertz: int) -> tuple[Samples, int]:
    """One channel at the highest whole fraction of the rate that is at most `most_hertz`; (frames,) and its rate.

    Neighbours are averaged, which dampens what would fold back by some 13 dB and more: enough to listen, not to sell.
    """
    mono = samples.mean(axis=1, dtype=np.float32)
    step = -(-sample_rate // most_hertz)
    if step > 1:
        mono = mono[: len(mono) // step * step].reshape(-1, step).mean(axis=1)
    return np.ascontiguousarray(mono, dtype=np.float32), sample_rate // step


def windows_of(mono: Samples, size: int, hop: int) -> np.ndarray:
    """Views of shape (windows, size), one every `hop` frames, the first beginning at frame 0; at least one."""
    padded = np.pad(mono, (0, max(0, size - len(mono))))
    return np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]


def magnitudes(mono: Samples, size: int, hop: int) -> Samples:
    """Magnitude spectra of windows under a Hann bell, shape (windows, size // 2 + 1)."""
    framed = windows_of(mono, size, hop)
    bell = np.hanning(size).astype(np.float32)
    pieces = [
        np.abs(np.fft.rfft(framed[first : first + BATCH_WINDOWS] * bell, axis=1))
        for first in range(0, len(framed), BATCH_WINDOWS)
    ]
    return np.concatenate(pieces).astype(np.float32)
