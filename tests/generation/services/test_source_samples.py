"""Sources as sound: decoded exactly, or told to be damaged."""

from __future__ import annotations

import numpy as np
import pytest

from generation.audio.encode import encode
from generation.audio.samples import Samples
from generation.contract import AudioFormat, SourceFile, SourceTrack
from generation.providers.base import ProviderError
from generation.services.source_samples import sound_of


def tone(channels: int = 2) -> Samples:
    seconds = np.arange(22_050) / 22_050
    wave = np.rint(np.sin(2 * np.pi * 330 * seconds) * 12_000) / 32_768
    return Samples(np.repeat(wave[:, None], channels, axis=1).astype(np.float32), 22_050)


@pytest.mark.parametrize("audio_format", ["wav", "flac", "pcm"])
@pytest.mark.parametrize("channels", [1, 2])
def test_lossless_track_is_decoded_exactly(audio_format: AudioFormat, channels: int) -> None:
    samples = tone(channels)
    track = SourceTrack(
        audio=encode(samples, audio_format),
        format=audio_format,
        duration_ms=1000,
        sample_rate=22_050,
        channels=channels,
    )

    sound = sound_of(track)

    assert np.array_equal(sound.samples, samples.values)
    assert (sound.sample_rate, sound.samples.dtype.name) == (22_050, "float32")


def test_upload_is_decoded() -> None:
    file = SourceFile(audio=encode(tone(), "m4a"), format="m4a", file_name="a.m4a", purpose="vocal", duration_ms=1000)

    assert sound_of(file).samples == pytest.approx(tone().values, abs=0.05)


@pytest.mark.parametrize(
    "track",
    [
        SourceTrack(audio=b"RIFF and no more", format="wav", duration_ms=1000),
        SourceTrack(audio=bytes(4000), format="pcm", duration_ms=1000),
        SourceTrack(audio=b"", format="mp3", duration_ms=1000),
    ],
    ids=["damaged", "of unknown rate", "empty"],
)
def test_what_cannot_be_decoded_is_not_made(track: SourceTrack) -> None:
    with pytest.raises(ProviderError, match="cannot be read") as told:
        sound_of(track)

    assert (told.value.code, told.value.seen, told.value.blame) == ("bad_audio", "not_made", "order")
