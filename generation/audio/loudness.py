"""Integrated loudness as ITU-R BS.1770-4 defines it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from generation.audio.measure import window_squares
from generation.audio.samples import Samples

_STEP_MS = 100
_STEPS_PER_BLOCK = 4  # blocks of 400 ms that overlap by 75 %
_OFFSET = -0.691
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
# Both filters' impulse responses are below float32's last bit after this time.
_DECAY_SECONDS = 0.25
_FFT_FRAMES = 1 << 16

Biquad = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def integrated_loudness_lufs(samples: Samples) -> float:
    """Loudness in LUFS of mono or stereo audio; minus infinity where nothing passes the gate of -70 LUFS."""
    power = _block_powers(k_weighted(samples))
    power = power[_lufs(power) > _ABSOLUTE_GATE_LUFS]
    if not power.size:
        return -np.inf
    gate = _lufs(power.mean()) + _RELATIVE_GATE_LU
    return float(_lufs(power[_lufs(power) > gate].mean()))


def k_weighted(samples: Samples) -> Samples:
    """The samples through the K filter (head shelf, then high pass), by overlap-save in the frequency domain.

    A recursion sample by sample is out of reach for NumPy; the filter's response dies within `_DECAY_SECONDS`, so
    blocks that overlap by that much are exact to float32.
    """
    overlap = int(_DECAY_SECONDS * samples.sample_rate)
    size = max(_FFT_FRAMES, 1 << (4 * overlap).bit_length())
    response = k_response(samples.sample_rate, size)
    weighted = np.empty_like(samples.values)
    step = size - overlap
    for channel in range(samples.channels):
        padded = np.concatenate((np.zeros(overlap, np.float32), samples.values[:, channel]))
        for start in range(0, samples.frames, step):
            spectrum = np.fft.rfft(padded[start : start + size], size) * response
            end = min(start + step, samples.frames)
            weighted[start:end, channel] = np.fft.irfft(spectrum, size)[overlap : overlap + end - start]
    return Samples(weighted, samples.sample_rate)


def k_response(sample_rate: int, size: int) -> npt.NDArray[np.complex64]:
    """The K filter's complex gain at the `size // 2 + 1` frequencies of a real FFT."""
    delay = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    powers = np.stack((np.ones_like(delay), delay, delay**2))
    gains = [(b @ powers) / (a @ powers) for b, a in (head_shelf(sample_rate), high_pass(sample_rate))]
    return np.asarray(gains[0] * gains[1], dtype=np.complex64)


def head_shelf(sample_rate: int) -> Biquad:
    """Stage 1: +4 dB above 1.7 kHz. The standard lists it for 48 kHz; this is its analogue shape at any rate."""
    tangent, quality = np.tan(np.pi * 1681.974450955533 / sample_rate), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    scale = 1 + tangent / quality + tangent**2
    b = [high + band * tangent / quality + tangent**2, 2 * (tangent**2 - high)]
    b.append(high - band * tangent / quality + tangent**2)
    return np.array(b) / scale, _poles(tangent, quality)


def high_pass(sample_rate: int) -> Biquad:
    """Stage 2: the RLB curve, a high pass at 38 Hz."""
    tangent, quality = np.tan(np.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    return np.array([1.0, -2.0, 1.0]), _poles(tangent, quality)


def _poles(tangent: float, quality: float) -> npt.NDArray[np.float64]:
    scale = 1 + tangent / quality + tangent**2
    return np.array([1.0, 2 * (tangent**2 - 1) / scale, (1 - tangent / quality + tangent**2) / scale])


def _block_powers(weighted: Samples) -> npt.NDArray[np.float64]:
    """Mean square of each 400 ms block, summed over the channels; only whole blocks count."""
    whole_steps = weighted.frames * 1000 // (weighted.sample_rate * _STEP_MS)
    steps = window_squares(weighted, _STEP_MS)[:whole_steps].sum(axis=1)
    if len(steps) < _STEPS_PER_BLOCK:
        return np.empty(0)
    return np.convolve(steps, np.full(_STEPS_PER_BLOCK, 1 / _STEPS_PER_BLOCK), mode="valid")


def _lufs(power: npt.NDArray[np.float64] | np.float64) -> npt.NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return _OFFSET + 10 * np.log10(power)
