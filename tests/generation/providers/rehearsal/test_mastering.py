from __future__ import annotations

import numpy as np
import pytest

from generation.audio.loudness import integrated_loudness_lufs
from generation.audio.samples import Samples
from generation.providers.rehearsal.mastering import CEILING, loudness_lufs, master


def bursts(level: float) -> np.ndarray:
    """Four seconds of noise on a tone, with a loud click every half second; shape (2, frames)."""
    seconds = np.arange(4 * 44_100) / 44_100
    tone = level * np.sin(2 * np.pi * 440 * seconds)
    noise = 0.2 * level * np.random.default_rng(1).standard_normal((2, len(seconds)))
    clicks = 6 * level * (seconds % 0.5 < 0.002)
    return (tone + noise + clicks).astype(np.float32)


@pytest.mark.parametrize("level", [0.001, 0.1, 3.0])
def test_every_mix_comes_out_equally_loud_and_below_the_ceiling(level: float) -> None:
    mastered = master(bursts(level))

    loudness = integrated_loudness_lufs(Samples(np.ascontiguousarray(mastered.T), 44_100))
    assert loudness == pytest.approx(-16.0, abs=1.0)
    assert np.abs(mastered).max() <= CEILING * 1.0001


def test_the_quick_loudness_agrees_with_the_filtered_one() -> None:
    mix = bursts(0.05)

    filtered = integrated_loudness_lufs(Samples(np.ascontiguousarray(mix.T), 44_100))

    assert loudness_lufs(mix) == pytest.approx(filtered, abs=0.2)


def test_a_tone_of_997_hertz_at_full_scale_measures_minus_3_lufs() -> None:
    tone = np.sin(2 * np.pi * 997 * np.arange(88_200) / 44_100).astype(np.float32)

    assert loudness_lufs(np.stack([tone, np.zeros_like(tone)])) == pytest.approx(-3.01, abs=0.1)


def test_silence_stays_silent() -> None:
    assert not master(np.zeros((2, 44_100), np.float32)).any()
