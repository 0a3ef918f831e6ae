"""What an ear or a meter would say of decoded audio: peak, silence, dead channels. Loudness has its own module."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from generation.audio.samples import Samples

# One step of 16 bits: what a lossy codec leaves in a channel that was given nothing stays below it.
DIGITAL_SILENCE_PEAK = 2.0**-15


def peak_dbfs(samples: Samples) -> float:
    """The largest sample in dBFS (0 = full scale); minus infinity for digital silence."""
    values = samples.values
    peak = max(float(values.max(initial=0.0)), -float(values.min(initial=0.0)))
    return _decibels(peak**2)


def silent_share(samples: Samples, threshold_dbfs: float, window_ms: int = 100) -> float:
    """Share (0-1) of the windows whose RMS level over all channels lies below the threshold."""
    squares = window_squares(samples, window_ms).mean(axis=1)
    return float(np.mean(squares < 10 ** (threshold_dbfs / 10)))


def dead_channels(samples: Samples) -> tuple[int, ...]:
    """Indexes of the channels that are digitally silent from start to end."""
    highest = samples.values.max(axis=0, initial=0.0)
    lowest = samples.values.min(axis=0, initial=0.0)
    return tuple(int(channel) for channel in np.flatnonzero(np.maximum(highest, -lowest) < DIGITAL_SILENCE_PEAK))


def window_squares(samples: Samples, window_ms: int) -> npt.NDArray[np.float64]:
    """Mean square of each window and channel, shape (windows, channels); the last window may be shorter."""
    starts = window_starts(samples.frames, samples.sample_rate, window_ms)
    lengths = np.diff(starts, append=samples.frames)
    sums = np.empty((len(starts), samples.channels))
    for channel in range(samples.channels):
        sums[:, channel] = np.add.reduceat(np.square(samples.values[:, channel]), starts, dtype=np.float64)
    return sums / lengths[:, None]


def window_starts(frames: int, sample_rate: int, window_ms: int) -> npt.NDArray[np.int64]:
    """First frame of each window. Computed one by one, so that rates like 11,025 Hz do not drift."""
    windows = -(-frames * 1000 // (sample_rate * window_ms))
    return np.arange(windows, dtype=np.int64) * sample_rate * window_ms // 1000


def _decibels(mean_square: float) -> float:
    return 10 * float(np.log10(mean_square)) if mean_square > 0 else -np.inf
