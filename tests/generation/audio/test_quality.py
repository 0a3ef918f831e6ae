"""The gate: what nobody should pay for is refused in a customer's words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from generation.audio.bad_audio import BadAudio
from generation.audio.decode import decode
from generation.audio.encode import encode
from generation.audio.quality import judge
from generation.audio.samples import Samples
from generation.contract import AudioFormat


def quiet_for(samples: Samples, share: float) -> Samples:
    values = samples.values.copy()
    values[: round(share * samples.frames)] *= 1e-4
    return Samples(values, samples.sample_rate)


@pytest.mark.parametrize("channels", [1, 2])
def test_sound_take_passes(song: Callable[..., Samples], channels: int) -> None:
    judge(song(2, channels=channels), 2)


def test_empty_take_is_refused() -> None:
    with pytest.raises(BadAudio, match=r"^The audio is empty\.$"):
        judge(Samples(np.zeros((0, 2), np.float32), 44_100))


def test_take_of_mostly_silence_is_refused(song: Callable[..., Samples]) -> None:
    with pytest.raises(BadAudio, match=r"^The audio is silent\.$"):
        judge(quiet_for(song(10), 0.9))


def test_take_with_a_little_more_music_passes(song: Callable[..., Samples]) -> None:
    judge(quiet_for(song(10), 0.89))


@pytest.mark.parametrize("audio_format", ["wav", "mp3", "opus", "m4a"])
@pytest.mark.parametrize("channel", [0, 1])
def test_dead_channel_is_refused_whatever_the_codec(
    song: Callable[..., Samples], audio_format: AudioFormat, channel: int
) -> None:
    samples = song(1)
    samples.values[:, channel] = 0

    with pytest.raises(BadAudio, match=r"^One channel of the audio is silent\.$"):
        judge(decode(encode(samples, audio_format)))


@pytest.mark.parametrize(("seconds", "promised"), [(3, 4), (5, 4), (58.3, 60), (61.7, 60)])
def test_length_within_tolerance_passes(tone: Callable[..., Samples], seconds: float, promised: float) -> None:
    judge(tone(seconds, rate=8_000), promised)


@pytest.mark.parametrize(("seconds", "promised"), [(2.9, 4), (5.1, 4), (58.1, 60), (61.9, 60)])
def test_length_outside_tolerance_is_refused(tone: Callable[..., Samples], seconds: float, promised: float) -> None:
    with pytest.raises(BadAudio, match=f"^The audio is {seconds:.1f} seconds long instead of {promised:g}\\.$"):
        judge(tone(seconds, rate=8_000), promised)


def test_length_that_nobody_promised_is_free(tone: Callable[..., Samples]) -> None:
    judge(tone(5, rate=8_000), None)
