"""The audible mark."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from generation.audio.measure import peak_dbfs
from generation.audio.samples import Samples
from generation.audio.watermark import MARK_SECONDS, NOTES_HZ, mark, watermarked


@pytest.mark.parametrize("channels", [1, 2])
def test_mark_lies_in_the_last_moments_alone(song: Callable[..., Samples], channels: int) -> None:
    samples = song(3, channels=channels)

    marked = watermarked(samples)

    start = samples.frames - int(MARK_SECONDS * samples.sample_rate)
    assert marked.values.shape == samples.values.shape
    assert np.array_equal(marked.values[:start], samples.values[:start])
    assert not np.allclose(marked.values[start:], samples.values[start:], atol=0.05)


def test_mark_leaves_the_given_samples_alone(song: Callable[..., Samples]) -> None:
    samples = song(2)
    before = samples.values.copy()

    watermarked(samples)

    assert np.array_equal(samples.values, before)


def test_mark_is_two_notes_one_after_the_other() -> None:
    rate = 44_100
    for note, hertz in zip(np.array_split(mark(rate), 2), NOTES_HZ, strict=True):
        spectrum = np.abs(np.fft.rfft(note, 1 << 17))
        assert np.argmax(spectrum) * rate / (1 << 17) == pytest.approx(hertz, abs=1)


def test_mark_does_not_clip_full_scale_music(tone: Callable[..., Samples]) -> None:
    assert peak_dbfs(watermarked(tone(2, dbfs=0))) <= 0


def test_mark_has_no_clicks(tone: Callable[..., Samples]) -> None:
    marked = watermarked(tone(2, 50, dbfs=-100))

    assert np.abs(np.diff(marked.values[:, 0])).max() < 0.25 * 2 * np.pi * NOTES_HZ[1] / 44_100


def test_mark_on_audio_shorter_than_itself_keeps_the_length(tone: Callable[..., Samples]) -> None:
    assert watermarked(tone(0.3)).frames == tone(0.3).frames
