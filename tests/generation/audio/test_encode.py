"""Every format, rate, bitrate and channel count comes out as ordered."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest

from generation.audio.bad_audio import BadAudio
from generation.audio.decode import Probe, decode, probe
from generation.audio.encode import encode
from generation.audio.formats import FORMATS
from generation.audio.samples import Samples
from generation.contract import AudioFormat

TAGGED = ("mp3", "wav", "flac", "opus", "m4a")
RATES = (16_000, 24_000, 32_000, 44_100, 48_000)
BITRATES = (32_000, 64_000, 128_000, 256_000)
SECONDS = 1.3


def dominant_hertz(samples: Samples) -> float:
    wave = samples.values[:, 0]
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    return float(np.argmax(spectrum) * samples.sample_rate / len(wave))


def signal_to_noise_db(samples: Samples, hertz: float) -> float:
    """Power of the sine that fits best, over the power of all the rest; edges left out."""
    edge = samples.sample_rate // 10
    wave = samples.values[edge:-edge, 0].astype(np.float64)
    turns = 2 * np.pi * hertz * np.arange(len(wave)) / samples.sample_rate
    basis = np.stack((np.sin(turns), np.cos(turns)), axis=1)
    fitted = basis @ np.linalg.lstsq(basis, wave, rcond=None)[0]
    return float(10 * np.log10(np.mean(fitted**2) / np.mean((wave - fitted) ** 2)))


def from_pcm(audio: bytes, rate: int, channels: int) -> Samples:
    return Samples((np.frombuffer(audio, "<i2").reshape(-1, channels) / 32_768).astype(np.float32), rate)


@pytest.mark.parametrize(("audio_format", "rate", "channels"), [*product(TAGGED, RATES, (1, 2))])
def test_rate_channels_and_length_are_as_ordered(
    tone: Callable[..., Samples], audio_format: AudioFormat, rate: int, channels: int
) -> None:
    audio = encode(tone(SECONDS), audio_format, sample_rate=rate, channels=channels)

    found, heard = probe(audio), decode(audio)

    delivered_rate = 48_000 if audio_format == "opus" else rate
    assert (found.format, found.sample_rate, found.channels) == (audio_format, delivered_rate, channels)
    assert (heard.sample_rate, heard.channels) == (delivered_rate, channels)
    assert heard.duration_seconds == pytest.approx(SECONDS, abs=0.001)
    assert found.duration_ms == round(1000 * heard.duration_seconds)
    assert dominant_hertz(heard) == pytest.approx(440, abs=1)
    assert signal_to_noise_db(heard, 440) > 40


@pytest.mark.parametrize(("rate", "channels"), [*product(RATES, (1, 2))])
def test_pcm_is_headerless_16_bit(tone: Callable[..., Samples], rate: int, channels: int) -> None:
    audio = encode(tone(SECONDS), "pcm", sample_rate=rate, channels=channels, tags={"title": "nowhere"})

    heard = from_pcm(audio, rate, channels)

    assert len(audio) == pytest.approx(SECONDS * rate * channels * 2, abs=2 * channels)
    assert signal_to_noise_db(heard, 440) > 60


@pytest.mark.parametrize(("bitrate", "channels"), [*product(BITRATES, (1, 2))])
def test_mp3_bitrate_is_exactly_the_order(song: Callable[..., Samples], bitrate: int, channels: int) -> None:
    assert probe(encode(song(2), "mp3", bitrate=bitrate, channels=channels)).bitrate == bitrate


@pytest.mark.parametrize(("audio_format", "bitrate"), [*product(("opus", "m4a"), BITRATES)])
def test_average_bitrate_is_near_the_order(
    song: Callable[..., Samples], audio_format: AudioFormat, bitrate: int
) -> None:
    assert probe(encode(song(4), audio_format, bitrate=bitrate)).bitrate == pytest.approx(bitrate, rel=0.2)


def test_bitrate_too_high_for_the_rate_is_lowered(song: Callable[..., Samples]) -> None:
    found = probe(encode(song(2), "mp3", sample_rate=16_000, bitrate=256_000))

    assert found == Probe(format="mp3", codec="mp3", sample_rate=16_000, channels=2, bitrate=160_000, duration_ms=2_000)


@pytest.mark.parametrize("audio_format", ["wav", "flac"])
def test_lossless_formats_keep_16_bits(song: Callable[..., Samples], audio_format: AudioFormat) -> None:
    samples = song(1.5)

    heard = decode(encode(samples, audio_format))

    assert heard.values.shape == samples.values.shape
    assert np.abs(heard.values - samples.values).max() <= 1 / 32_768


@pytest.mark.parametrize("audio_format", TAGGED)
def test_last_sound_is_not_lost(tone: Callable[..., Samples], audio_format: AudioFormat) -> None:
    samples = tone(2.037)
    samples.values[: -samples.sample_rate // 20] = 0

    heard = decode(encode(samples, audio_format, bitrate=128_000))

    tail = heard.values[-heard.sample_rate // 20 :]
    assert np.sqrt(np.mean(tail**2)) == pytest.approx(10 ** (-6 / 20) / np.sqrt(2), rel=0.15)


@pytest.mark.parametrize("audio_format", TAGGED)
def test_seconds_join_without_a_seam(tone: Callable[..., Samples], audio_format: AudioFormat) -> None:
    heard = decode(encode(tone(3, dbfs=-3), audio_format, bitrate=128_000))

    step = np.abs(np.diff(heard.values[:, 0])).max()
    assert step < 1.2 * 2 * np.pi * 440 / heard.sample_rate * 10 ** (-3 / 20)


@pytest.mark.parametrize("audio_format", ["wav", "flac", "m4a"])
def test_stereo_to_mono_keeps_the_level(tone: Callable[..., Samples], audio_format: AudioFormat) -> None:
    heard = decode(encode(tone(1, dbfs=-3), audio_format, channels=1))

    assert np.abs(heard.values[4_410:-4_410]).max() == pytest.approx(10 ** (-3 / 20), rel=0.01)


def test_mono_to_stereo_keeps_the_level_in_both_channels(tone: Callable[..., Samples]) -> None:
    samples = tone(1, channels=1)

    heard = decode(encode(samples, "wav", channels=2))

    assert np.array_equal(heard.values[:, 0], heard.values[:, 1])
    assert np.abs(heard.values[:, :1] - samples.values).max() <= 1 / 32_768


@pytest.mark.parametrize("audio_format", FORMATS)
def test_same_samples_make_the_same_file(tone: Callable[..., Samples], audio_format: AudioFormat) -> None:
    assert encode(tone(0.5), audio_format) == encode(tone(0.5), audio_format)


def test_no_samples_are_refused() -> None:
    with pytest.raises(BadAudio, match="The audio is empty"):
        encode(Samples(np.zeros((0, 2), np.float32), 44_100), "mp3")


def test_threads_encode_side_by_side(song: Callable[..., Samples]) -> None:
    samples = song(1.5)
    alone = {audio_format: encode(samples, audio_format) for audio_format in FORMATS}

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda audio_format: (audio_format, encode(samples, audio_format)), [*FORMATS] * 4))

    assert together == [*alone.items()] * 4
