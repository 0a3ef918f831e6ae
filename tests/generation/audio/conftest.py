"""Synthesised audio for the tests of the audio step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from generation.audio.samples import Samples


@pytest.fixture(scope="session")
def tone() -> Callable[..., Samples]:
    """A sine of a given level, the same in every channel."""

    def build(
        seconds: float, hertz: float = 440.0, *, rate: int = 44_100, channels: int = 2, dbfs: float = -6.0
    ) -> Samples:
        at = np.arange(round(seconds * rate)) / rate
        wave = 10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * at)
        return Samples(np.repeat(wave[:, None], channels, axis=1).astype(np.float32), rate)

    return build


@pytest.fixture(scope="session")
def song() -> Callable[..., Samples]:
    """Dense material that makes a codec use the bitrate it was given: chords under seeded noise."""

    def build(seconds: float, *, rate: int = 44_100, channels: int = 2) -> Samples:
        at = np.arange(round(seconds * rate)) / rate
        chord = sum(0.1 * np.sin(2 * np.pi * hertz * at) for hertz in (220.0, 277.2, 329.6))
        noise = 0.1 * np.random.default_rng(7).standard_normal((at.size, channels))
        return Samples((chord[:, None] + noise).astype(np.float32), rate)

    return build
