"""What each format can carry."""

from __future__ import annotations

from typing import get_args

import pytest

from generation.audio.formats import FORMATS, legal_bitrate, legal_sample_rate
from generation.contract import AudioFormat


def test_formats_are_those_of_the_contract() -> None:
    assert tuple(FORMATS) == get_args(AudioFormat)


@pytest.mark.parametrize(
    ("audio_format", "ordered", "legal"),
    [
        ("mp3", 44_100, 44_100),
        ("mp3", 96_000, 48_000),
        ("mp3", 30_000, 32_000),
        ("opus", 16_000, 48_000),
        ("opus", 44_100, 48_000),
        ("m4a", 44_000, 44_100),
        ("wav", 44_123, 44_123),
        ("flac", 192_000, 96_000),
        ("pcm", 1, 4_000),
    ],
)
def test_sample_rate_is_the_nearest_legal_one(audio_format: AudioFormat, ordered: int, legal: int) -> None:
    assert legal_sample_rate(audio_format, ordered) == legal


@pytest.mark.parametrize(
    ("audio_format", "ordered", "rate", "channels", "legal"),
    [
        ("mp3", 256_000, 44_100, 2, 256_000),
        ("mp3", 256_000, 24_000, 2, 160_000),
        ("mp3", 256_000, 8_000, 1, 64_000),
        ("mp3", 100_000, 44_100, 2, 96_000),
        ("mp3", 144_000, 44_100, 2, 160_000),
        ("opus", 600_000, 48_000, 2, 512_000),
        ("opus", 1, 48_000, 1, 6_000),
        ("m4a", 256_000, 16_000, 1, 96_000),
        ("m4a", 1, 44_100, 1, 8_000),
        ("wav", 256_000, 44_100, 2, 1_411_200),
        ("pcm", 256_000, 16_000, 1, 256_000),
        ("flac", 256_000, 44_100, 2, None),
    ],
)
def test_bitrate_is_the_nearest_legal_one(
    audio_format: AudioFormat, ordered: int, rate: int, channels: int, legal: int | None
) -> None:
    assert legal_bitrate(audio_format, ordered, sample_rate=rate, channels=channels) == legal
