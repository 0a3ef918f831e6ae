"""The drum kit: each hit rendered once, mono, peak about 1."""

from __future__ import annotations

from collections.abc import Callable
from math import tau

import numpy as np

from generation.providers.rehearsal.sounds import SAMPLE_RATE, Samples, band, noise, seconds_axis, shelf


def hit_sound(drum: str) -> Samples:
    return shelf.take(("drum", drum), DRUMS[drum])


def _drop(start_hz: float, end_hz: float, fall_seconds: float, decay_seconds: float, length_seconds: float) -> Samples:
    """A skin: a sine whose pitch falls from `start_hz` to `end_hz`."""
    seconds = seconds_axis(round(length_seconds * SAMPLE_RATE))
    turns = end_hz * seconds + (start_hz - end_hz) * fall_seconds * (1 - np.exp(-seconds / fall_seconds))
    skin: Samples = np.sin(tau * turns) * np.exp(-seconds / decay_seconds)
    return skin


def _burst(seed: int, low_hz: float, high_hz: float, decay_seconds: float, length_seconds: float) -> Samples:
    """Filtered noise that dies away."""
    frames = round(length_seconds * SAMPLE_RATE)
    hiss = band(noise(seed, frames), low_hz, high_hz)
    burst: Samples = hiss / np.abs(hiss).max() * np.exp(-seconds_axis(frames) / np.float32(decay_seconds))
    return burst


def _settled(sound: Samples) -> Samples:
    """A start and an end without a step, peak 1."""
    sound = sound.astype(np.float32)
    sound[:40] *= np.linspace(0, 1, 40, dtype=np.float32)
    sound[-600:] *= np.linspace(1, 0, 600, dtype=np.float32)
    settled: Samples = sound / np.abs(sound).max()
    return settled


def _kick() -> Samples:
    body = _drop(170, 52, 0.028, 0.16, 0.42)
    body[:1323] += 0.35 * _burst(1, 800, 5000, 0.006, 0.03)
    return _settled(body)


def _soft_kick() -> Samples:
    return _settled(_drop(110, 50, 0.03, 0.14, 0.36))


def _snare() -> Samples:
    return _settled(0.5 * _drop(240, 185, 0.02, 0.07, 0.28) + 0.75 * _burst(2, 900, 7000, 0.075, 0.28))


def _brush() -> Samples:
    sweep = _burst(3, 1500, 8000, 0.08, 0.3)
    sweep[:300] *= np.linspace(0.3, 1, 300, dtype=np.float32)
    return _settled(sweep)


def _rim() -> Samples:
    return _settled(_drop(900, 620, 0.004, 0.018, 0.1) + 0.4 * _burst(4, 1500, 6000, 0.012, 0.1))


def _clap() -> Samples:
    clap = _burst(5, 800, 5500, 0.07, 0.28)
    for lag in (0.009, 0.018):
        start = round(lag * SAMPLE_RATE)
        clap[start:] += 0.7 * _burst(6, 800, 5500, 0.012, 0.28)[: len(clap) - start]
    return _settled(clap)


def _tom(hertz: float) -> Callable[[], Samples]:
    return lambda: _settled(_drop(hertz * 1.7, hertz, 0.03, 0.16, 0.4) + _padded(_burst(7, 500, 4000, 0.01, 0.05), 0.4))


def _padded(sound: Samples, length_seconds: float) -> Samples:
    return np.pad(sound * np.float32(0.2), (0, round(length_seconds * SAMPLE_RATE) - len(sound)))


DRUMS: dict[str, Callable[[], Samples]] = {
    "kick": _kick,
    "soft kick": _soft_kick,
    "snare": _snare,
    "brush": _brush,
    "rim": _rim,
    "clap": _clap,
    "hat": lambda: _settled(_burst(8, 6000, 12000, 0.022, 0.12)),
    "open hat": lambda: _settled(_burst(9, 5500, 12000, 0.11, 0.4)),
    "shaker": lambda: _settled(_burst(10, 4500, 10000, 0.03, 0.14)),
    "ride": lambda: _settled(_burst(11, 4000, 9000, 0.18, 0.7) + _ping()),
    "crash": lambda: _settled(_burst(12, 2500, 11000, 0.5, 1.6)),
    "high tom": _tom(165),
    "low tom": _tom(105),
}


def _ping() -> Samples:
    seconds = seconds_axis(round(0.7 * SAMPLE_RATE))
    partials = sum(np.sin(tau * hertz * seconds) for hertz in (3150.0, 4470.0, 5230.0))
    ping: Samples = 0.25 * partials * np.exp(-seconds / np.float32(0.12))
    return ping
