"""The last touch: one loudness for every song, no peak over the ceiling, quiet edges."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from generation.providers.rehearsal.sounds import SAMPLE_RATE, Samples

TARGET_LUFS = -16.0
TOLERANCE_LU = 0.5
SILENCE_LUFS, RELATIVE_GATE_LU = -70.0, -10.0
# Lossy coding overshoots by more than one decibel at low bitrates; the ceiling leaves room for it.
CEILING = 10 ** (-2.8 / 20)
MAXIMUM_GAIN = 10 ** (24 / 20)
WINDOWS_PER_SECOND = 10
BATCH_WINDOWS = 64
SLICE_FRAMES = 32
CHUNK_FRAMES = SLICE_FRAMES * 4096
FADE_IN_FRAMES, FADE_OUT_FRAMES = 48, 6600


def master(mix: Samples, target_lufs: float = TARGET_LUFS) -> Samples:
    """Level, limit and fade a stereo mix of shape (2, frames) in place; returns it."""
    gain = min(MAXIMUM_GAIN, 10 ** ((target_lufs - loudness_lufs(mix)) / 20))
    _limit(mix, gain)
    # The limiter costs a little loudness; what is lost is given back where the ceiling allows.
    lost = target_lufs - loudness_lufs(mix)
    if lost > TOLERANCE_LU:
        _limit(mix, 10 ** (lost / 20))
    _fade(mix)
    return mix


def loudness_lufs(mix: Samples, sample_rate: int = SAMPLE_RATE) -> float:
    """Gated loudness after ITU-R BS.1770-4, its filters applied to the power of 100 ms windows; -70 for silence.

    Of shape (channels, frames). Within about 0.2 LU of the filtered signal for music, at a fraction of the time.
    """
    window = sample_rate // WINDOWS_PER_SECOND
    windows = max(1, mix.shape[1] // window)
    padded = mix if mix.shape[1] >= window else np.pad(mix, ((0, 0), (0, window - mix.shape[1])))
    framed = padded[:, : windows * window].reshape(len(mix), windows, window)
    powers = np.zeros(windows)
    for first in range(0, windows, BATCH_WINDOWS):
        spectra = np.fft.rfft(framed[:, first : first + BATCH_WINDOWS], axis=2)
        energy = spectra.real**2 + spectra.imag**2
        powers[first : first + BATCH_WINDOWS] = (energy @ _weights(sample_rate)).sum(axis=0)
    span = min(4, windows)
    blocks = np.convolve(powers, np.ones(span) / span, "valid")
    return _gated(blocks)


def _gated(blocks: np.ndarray) -> float:
    loudness = -0.691 + 10 * np.log10(np.maximum(blocks, 1e-12))
    heard = blocks[loudness > SILENCE_LUFS]
    if not len(heard):
        return SILENCE_LUFS
    floor = -0.691 + 10 * np.log10(heard.mean()) + RELATIVE_GATE_LU
    return float(-0.691 + 10 * np.log10(blocks[loudness > max(SILENCE_LUFS, floor)].mean()))


@lru_cache(maxsize=8)
def _weights(sample_rate: int) -> Samples:
    """Power response of the K filters per bin of a window, scaled so that a dot product gives mean square."""
    window = sample_rate // WINDOWS_PER_SECOND
    turn = np.exp(-2j * np.pi * np.fft.rfftfreq(window))
    shelf = _biquad_response(turn, *_high_shelf(sample_rate))
    pass_high = _biquad_response(turn, *_high_pass(sample_rate))
    doubled = np.full(len(turn), 2.0)
    doubled[0] = doubled[-1] = 1.0
    weights: Samples = (np.abs(shelf * pass_high) ** 2 * doubled / window**2).astype(np.float32)
    return weights


def _biquad_response(turn: np.ndarray, ahead: tuple[float, ...], back: tuple[float, ...]) -> np.ndarray:
    return np.polyval(ahead[::-1], turn) / np.polyval(back[::-1], turn)


def _high_shelf(sample_rate: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The head's shelf of BS.1770, its analogue prototype (1681.97 Hz, +4 dB, Q 0.7072) at a sample rate."""
    bend, q, high = np.tan(np.pi * 1681.974450955533 / sample_rate), 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    scale = 1 + bend / q + bend**2
    ahead = (high + band * bend / q + bend**2, 2 * (bend**2 - high), high - band * bend / q + bend**2)
    return tuple(term / scale for term in ahead), (1.0, 2 * (bend**2 - 1) / scale, (1 - bend / q + bend**2) / scale)


def _high_pass(sample_rate: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    bend, q = np.tan(np.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    scale = 1 + bend / q + bend**2
    return (1.0, -2.0, 1.0), (1.0, 2 * (bend**2 - 1) / scale, (1 - bend / q + bend**2) / scale)


def _limit(mix: Samples, gain: float) -> None:
    """Apply a gain that dips ahead of every peak over the ceiling and comes back slowly, the same on both sides."""
    curve = _gain_curve(mix, gain)
    frames = mix.shape[1]
    ramp = np.arange(SLICE_FRAMES, dtype=np.float32) / np.float32(SLICE_FRAMES)
    for first in range(0, frames, CHUNK_FRAMES):
        span = min(CHUNK_FRAMES, frames - first)
        nodes = curve[first // SLICE_FRAMES : (first + span - 1) // SLICE_FRAMES + 2]
        steps = (nodes[:-1, None] + (nodes[1:] - nodes[:-1])[:, None] * ramp).reshape(-1)[:span]
        mix[:, first : first + span] *= steps


def _gain_curve(mix: Samples, gain: float) -> Samples:
    """Gain at the edge of every slice: no edge lies above what the slices on both its sides can bear."""
    slices = -(-mix.shape[1] // SLICE_FRAMES)
    peaks = np.zeros(slices * SLICE_FRAMES, np.float32)
    np.maximum(np.abs(mix[0]), np.abs(mix[1]), out=peaks[: mix.shape[1]])
    bearable = np.minimum(np.float32(gain), CEILING / np.maximum(peaks.reshape(-1, SLICE_FRAMES).max(axis=1), 1e-9))
    edges = np.minimum(np.append(bearable, gain), np.insert(bearable, 0, gain)).astype(np.float32)
    for reach in (1, 2, 4):  # 8 slices, about 6 ms of looking ahead
        edges[:-reach] = np.minimum(edges[:-reach], edges[reach:])
    return _recovered(edges, gain)


def _recovered(edges: Samples, gain: float) -> Samples:
    """Let the gain rise by at most a set step per slice (about 12 dB in 60 ms), so that limiting is not heard."""
    step = np.float32(gain * 0.009)
    slope = np.arange(len(edges), dtype=np.float32) * step
    recovered: Samples = np.minimum.accumulate(edges - slope) + slope
    return recovered


def _fade(mix: Samples) -> None:
    frames = mix.shape[1]
    rise, fall = min(FADE_IN_FRAMES, frames // 4), min(FADE_OUT_FRAMES, frames // 8)
    mix[:, :rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    mix[:, frames - fall :] *= np.linspace(1, 0, fall, dtype=np.float32)
