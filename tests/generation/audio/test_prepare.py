"""The whole audio step, from what an upstream sent to what a customer gets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from generation.audio.bad_audio import BadAudio
from generation.audio.decode import decode, probe
from generation.audio.encode import encode
from generation.audio.formats import FORMATS
from generation.audio.label import ai_label, label_tags, read_label
from generation.audio.prepare import Prepared, Wanted, prepare
from generation.audio.relabel import relabel
from generation.audio.samples import Samples
from generation.audio.watermark import MARK_SECONDS
from generation.contract import AudioFormat

TAGGED = ("mp3", "wav", "flac", "opus", "m4a")
TAGS = label_tags(title="Song", producer="Tutti", produce_id="trk_1")
AS_IT_CAME = Wanted()


def prepared(raw: bytes, wanted: Wanted = AS_IT_CAME, promised_seconds: float | None = None, **more: Any) -> Prepared:
    return prepare(raw, wanted=wanted, promised_seconds=promised_seconds, tags=TAGS, **more)


@pytest.mark.parametrize("audio_format", TAGGED)
def test_audio_as_it_came_gets_its_tags_and_nothing_else(
    song: Callable[..., Samples], audio_format: AudioFormat
) -> None:
    raw = encode(song(2), audio_format)

    ready = prepared(raw, promised_seconds=2)

    found = probe(raw)
    assert ready == Prepared(
        audio=relabel(raw, TAGS),
        format=audio_format,
        sample_rate=found.sample_rate,
        channels=2,
        bitrate=found.bitrate,
        duration_ms=2_000,
        size=len(ready.audio),
        sha256=hashlib.sha256(ready.audio).hexdigest(),
    )
    assert read_label(ready.audio) == ai_label("Tutti", "trk_1")


@pytest.mark.parametrize(("came", "audio_format"), [*product(("mp3", "wav"), FORMATS)])
def test_ordered_format_is_delivered_and_measured(
    song: Callable[..., Samples], came: AudioFormat, audio_format: AudioFormat
) -> None:
    ready = prepared(
        encode(song(1.5), came), Wanted(format=audio_format, sample_rate=24_000, bitrate=64_000, channels=1), 1.5
    )

    rate = 48_000 if audio_format == "opus" else 24_000
    assert (ready.format, ready.sample_rate, ready.channels) == (audio_format, rate, 1)
    assert ready.duration_ms == pytest.approx(1_500, abs=2)
    assert ready.size == len(ready.audio)
    assert ready.sha256 == hashlib.sha256(ready.audio).hexdigest()


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(format="mp3"),
        Wanted(bitrate=128_000),
        Wanted(sample_rate=44_100, channels=2),
        Wanted(format="mp3", sample_rate=44_100, bitrate=128_000, channels=2),
    ],
)
def test_order_that_is_met_already_is_not_transcoded(song: Callable[..., Samples], wanted: Wanted) -> None:
    samples = song(1)

    assert prepared(encode(samples, "mp3", bitrate=128_000), wanted).audio == encode(
        samples, "mp3", bitrate=128_000, tags=TAGS
    )


def test_bitrate_the_rate_cannot_carry_is_met_by_the_nearest(song: Callable[..., Samples]) -> None:
    raw = encode(song(1), "mp3", sample_rate=24_000, bitrate=160_000)

    ready = prepared(raw, Wanted(bitrate=256_000))

    assert ready.bitrate == 160_000
    assert np.array_equal(decode(ready.audio).values, decode(raw).values)


def test_other_bitrate_is_transcoded(song: Callable[..., Samples]) -> None:
    assert prepared(encode(song(1), "mp3", bitrate=64_000), Wanted(bitrate=256_000)).bitrate == 256_000


def test_other_rate_keeps_the_bitrate_it_came_with(song: Callable[..., Samples]) -> None:
    ready = prepared(encode(song(1), "mp3", bitrate=128_000), Wanted(sample_rate=32_000))

    assert (ready.sample_rate, ready.bitrate) == (32_000, 128_000)


def test_pcm_is_measured_by_its_length(song: Callable[..., Samples]) -> None:
    ready = prepared(encode(song(1), "wav"), Wanted(format="pcm", sample_rate=16_000, channels=1))

    assert (ready.sample_rate, ready.channels, ready.bitrate) == (16_000, 1, 256_000)
    assert (ready.duration_ms, ready.size) == (1_000, 32_000)


def test_wav_that_was_ordered_has_16_bits(tone: Callable[..., Samples], muxed: Callable[..., bytes]) -> None:
    raw = muxed(tone(1), "wav", "pcm_f32le")

    assert prepared(raw).bitrate == 44_100 * 2 * 32
    assert prepared(raw, Wanted(format="wav")).bitrate == 44_100 * 2 * 16


@pytest.mark.parametrize(
    ("muxer", "encoder", "delivered"), [("ogg", "vorbis", ("opus", 48_000)), ("adts", "aac", ("m4a", 44_100))]
)
def test_format_that_is_not_sold_becomes_its_nearest_relative(
    song: Callable[..., Samples], muxed: Callable[..., bytes], muxer: str, encoder: str, delivered: tuple[str, int]
) -> None:
    ready = prepared(muxed(song(2), muxer, encoder, strict="-2"), promised_seconds=2)

    assert (ready.format, ready.sample_rate) == delivered
    assert ready.duration_ms == pytest.approx(2_000, abs=60)
    assert read_label(ready.audio) == ai_label("Tutti", "trk_1")


def test_watermark_is_mixed_into_the_end(song: Callable[..., Samples]) -> None:
    raw = encode(song(3), "wav")

    ready = prepared(raw, watermark=True)

    plain, marked = decode(raw), decode(ready.audio)
    start = plain.frames - int(MARK_SECONDS * plain.sample_rate)
    assert ready.format == "wav"
    assert np.array_equal(marked.values[:start], plain.values[:start])
    assert not np.array_equal(marked.values[start:], plain.values[start:])
    assert read_label(ready.audio) == ai_label("Tutti", "trk_1")


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda samples: Samples(samples.values * 0, samples.sample_rate), "The audio is silent."),
        (lambda samples: Samples(samples.values * [1, 0], samples.sample_rate), "One channel of the audio is silent."),
        (
            lambda samples: Samples(samples.values[:44_100], samples.sample_rate),
            "The audio is 1.0 seconds long instead of 3.",
        ),
    ],
)
def test_bad_take_is_refused_before_any_work(
    song: Callable[..., Samples], spoil: Callable[[Samples], Samples], sentence: str
) -> None:
    with pytest.raises(BadAudio) as caught:
        prepared(encode(spoil(song(3)), "wav"), Wanted(format="mp3"), 3)

    assert str(caught.value) == sentence


def test_take_over_the_limit_is_refused(song: Callable[..., Samples]) -> None:
    with pytest.raises(BadAudio, match="longer than 2 seconds"):
        prepare(encode(song(3), "mp3"), wanted=AS_IT_CAME, promised_seconds=None, tags={}, max_duration_seconds=2)


def test_renditions_are_the_same_song_in_other_formats(song: Callable[..., Samples]) -> None:
    ready = prepared(
        encode(song(2), "wav", sample_rate=32_000),
        Wanted(format="mp3", bitrate=64_000),
        renditions=("mp3", "flac", "wav"),
    )

    flac, wav = ready.renditions
    assert [one.format for one in (ready, flac, wav)] == ["mp3", "flac", "wav"]
    assert ready.bitrate == 64_000
    for one in (ready, flac, wav):
        assert (one.sample_rate, one.channels, one.duration_ms) == (32_000, 2, 2_000)
        assert (one.size, one.sha256) == (len(one.audio), hashlib.sha256(one.audio).hexdigest())
        assert read_label(one.audio) == ai_label("Tutti", "trk_1")
    assert np.array_equal(decode(flac.audio).values, decode(wav.audio).values)


def test_a_rendition_that_is_what_came_keeps_its_packets(song: Callable[..., Samples]) -> None:
    raw = encode(song(1), "mp3", bitrate=128_000)

    ready = prepared(raw, Wanted(format="wav"), renditions=("mp3",))

    assert [one.audio for one in ready.renditions] == [relabel(raw, TAGS)]


def test_a_watermark_is_in_every_rendition(song: Callable[..., Samples]) -> None:
    raw = encode(song(3), "wav")

    ready = prepared(raw, Wanted(format="flac"), watermark=True, renditions=("wav",))

    (wav,) = ready.renditions
    assert np.array_equal(decode(wav.audio).values, decode(ready.audio).values)
    assert not np.array_equal(decode(wav.audio).values, decode(raw).values)


def test_what_was_ordered_is_not_made_twice(song: Callable[..., Samples]) -> None:
    assert prepared(encode(song(1), "mp3"), renditions=("mp3",)).renditions == ()
