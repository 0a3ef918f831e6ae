"""Which formats are delivered, and what each of them can carry.

| format | file       | codec       | sample rates          | bitrates (bits per second)                             |
|--------|------------|-------------|-----------------------|--------------------------------------------------------|
| mp3    | MPEG audio | libmp3lame  | nine, 8 to 48 kHz     | constant: 32,000-320,000; below 32 kHz 8,000-160,000   |
| wav    | RIFF       | 16-bit PCM  | any, 4 to 96 kHz      | rate x channels x 16                                   |
| flac   | FLAC       | 16-bit FLAC | any, 4 to 96 kHz      | whatever the music needs                               |
| opus   | Ogg        | libopus     | 48 kHz only           | average: 6,000-256,000 for each channel                |
| m4a    | MPEG-4     | AAC LC      | thirteen, 7 to 96 kHz | average: up to 6 bits for each sample of each channel  |
| pcm    | headerless | 16-bit PCM  | any, 4 to 96 kHz      | rate x channels x 16; carries no tags and no label     |

An order that lies between two legal values gets the nearest one. An Opus file always decodes at 48 kHz, whatever its
encoder was fed, so no other rate is promised for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from generation.contract import AudioFormat

MIN_SAMPLE_RATE = 4_000
MAX_SAMPLE_RATE = 96_000
PCM_BITS = 16

_MPEG_1_LOWEST_RATE = 32_000
_MPEG_1_BITRATES = tuple(1000 * k for k in (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320))
_MPEG_2_BITRATES = tuple(1000 * k for k in (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160))
_MPEG_25_HIGHEST_RATE = 12_000
_MPEG_25_BITRATES = tuple(1000 * k for k in (8, 16, 24, 32, 40, 48, 56, 64))
_OPUS_BITS = (6_000, 256_000)
_AAC_BITS = (8_000, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way to deliver audio. `sample_rates` empty: any. `bitrate` None: it follows from the audio."""

    extension: str
    media_type: str
    muxer: str
    encoder: str
    codec: str
    sample_rates: tuple[int, ...] = ()
    sample_rate: int = 44_100
    bitrate: int | None = None
    carries_tags: bool = True


FORMATS: dict[AudioFormat, Format] = {
    "mp3": Format(
        extension="mp3",
        media_type="audio/mpeg",
        muxer="mp3",
        encoder="libmp3lame",
        codec="mp3",
        sample_rates=(8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000),
        bitrate=256_000,
    ),
    "wav": Format(extension="wav", media_type="audio/wav", muxer="wav", encoder="pcm_s16le", codec="pcm_s16le"),
    "flac": Format(extension="flac", media_type="audio/flac", muxer="flac", encoder="flac", codec="flac"),
    "opus": Format(
        extension="opus",
        media_type="audio/ogg",
        muxer="ogg",
        encoder="libopus",
        codec="opus",
        sample_rates=(48_000,),
        sample_rate=48_000,
        bitrate=128_000,
    ),
    "m4a": Format(
        extension="m4a",
        media_type="audio/mp4",
        muxer="ipod",
        encoder="aac",
        codec="aac",
        sample_rates=(
            *(7_350, 8_000, 11_025, 12_000, 16_000, 22_050, 24_000),
            *(32_000, 44_100, 48_000, 64_000, 88_200, 96_000),
        ),
        bitrate=192_000,
    ),
    "pcm": Format(
        extension="pcm",
        media_type="audio/L16",
        muxer="s16le",
        encoder="pcm_s16le",
        codec="pcm_s16le",
        carries_tags=False,
    ),
}


def legal_sample_rate(audio_format: AudioFormat, sample_rate: int) -> int:
    """The rate in hertz nearest to `sample_rate` that the format can carry; of two equally near, the higher."""
    rates = FORMATS[audio_format].sample_rates
    if not rates:
        return min(max(sample_rate, MIN_SAMPLE_RATE), MAX_SAMPLE_RATE)
    return _nearest(rates, sample_rate)


def legal_bitrate(audio_format: AudioFormat, bitrate: int, *, sample_rate: int, channels: int) -> int | None:
    """The bitrate nearest to `bitrate` that the format can carry at this rate; None for FLAC, which takes no order."""
    if audio_format == "mp3":
        return _nearest(_mp3_bitrates(sample_rate), bitrate)
    if audio_format == "opus":
        low, high = _OPUS_BITS
        return min(max(bitrate, low), high * channels)
    if audio_format == "m4a":
        low, bits_per_sample = _AAC_BITS
        return min(max(bitrate, low), bits_per_sample * sample_rate * channels)
    return None if audio_format == "flac" else sample_rate * channels * PCM_BITS


def _mp3_bitrates(sample_rate: int) -> tuple[int, ...]:
    if sample_rate >= _MPEG_1_LOWEST_RATE:
        return _MPEG_1_BITRATES
    return _MPEG_25_BITRATES if sample_rate <= _MPEG_25_HIGHEST_RATE else _MPEG_2_BITRATES


def _nearest(legal: tuple[int, ...], ordered: int) -> int:
    return min(legal, key=lambda value: (abs(value - ordered), -value))
