"""The wire `minimax` as an upstream, beyond what every provider plays: what is sent, takes, pieces, secrets."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Callable
from typing import Any, Final

import pytest

from generation.models import Attempt, Event, Job, Track
from generation.runner import preview
from generation.services.pieces import read_piece
from tests.contracts.providers.conftest import Standin, live_through
from tests.contracts.providers.sounds import sound
from tests.contracts.providers.upstreams import CREDENTIAL, LYRICS, assert_paid, at_upstream, audio_of, song_of
from tests.contracts.providers.wires.minimax import TRACE_ID
from tests.generation.audio.tones import mp3
from tests.generation.worlds import World, log_of, submitted

SLUG: Final = "minimax"
MP3: Final = {"sample_rate": 44_100, "bitrate": 256_000, "format": "mp3"}
WAV: Final = {**MP3, "format": "wav"}


@pytest.fixture
def house(house: World) -> World:
    """Sells a model of this wire."""
    house.mapping.llm.capabilities = {
        "prompt": "optional",
        "lyrics": "required",
        "instrumental": "exact",
        "lyrics_optimizer": True,
        "watermark": "native",
        "streaming": "live",
    }
    house.mapping.llm.save()
    return house


def failures(job: Job) -> list[dict[str, Any]]:
    return list(Event.unscoped.filter(job=job, type="take_failed").order_by("seq").values_list("data", flat=True))


# --- What was sent ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("song", "body"),
    [
        (
            {"prompt": "a song", "lyrics": LYRICS},
            {"prompt": "a song", "lyrics": LYRICS, "output_format": "hex", "audio_setting": MP3},
        ),
        (
            {"prompt": "", "lyrics": LYRICS, "format": "wav", "sample_rate": 32_000, "channels": 1},
            {
                "lyrics": LYRICS,
                "output_format": "url",
                "audio_setting": {**WAV, "sample_rate": 32_000, "channel": 1},
            },
        ),
        (
            {"prompt": "", "lyrics": LYRICS, "format": "flac"},
            {"lyrics": LYRICS, "output_format": "url", "audio_setting": WAV},
        ),
        (
            {"prompt": "", "lyrics": LYRICS, "format": "mp3", "sample_rate": 8_000},
            {"lyrics": LYRICS, "output_format": "hex", "audio_setting": MP3},
        ),
        (
            {"prompt": "a song", "instrumental": True},
            {"prompt": "a song", "is_instrumental": True, "output_format": "hex", "audio_setting": MP3},
        ),
        (
            {"prompt": "a song", "write_lyrics": True, "title": "Home"},
            {"prompt": "a song", "lyrics_optimizer": True, "output_format": "hex", "audio_setting": MP3},
        ),
        (
            {"prompt": "", "lyrics": LYRICS, "watermark": True},
            {"lyrics": LYRICS, "aigc_watermark": True, "output_format": "hex", "audio_setting": MP3},
        ),
        (
            {"prompt": "", "lyrics": LYRICS, "watermark": True, "partial_audio": True, "bitrate": 64_000},
            {
                "lyrics": LYRICS,
                "stream": True,
                "output_format": "hex",
                "audio_setting": {**MP3, "bitrate": 64_000},
            },
        ),
    ],
)
def test_order_is_sent_in_the_words_of_the_wire(
    house: World, standin_of: Callable[[str], Standin], song: dict[str, Any], body: dict[str, Any]
) -> None:
    standin = standin_of(SLUG)
    at_upstream(house, standin, "good", provider=SLUG)

    ended = live_through(submitted(house, **song))

    [order] = standin.record["orders"]
    assert order["body"] == {"model": "test-song-1", **body}
    assert (order["method"], order["path"], order["query"]) == ("POST", "/v1/music_generation", {})
    accepts = "text/event-stream, application/json" if "stream" in body else "application/json"
    sent = {name: order["headers"][name] for name in ("authorization", "content-type", "accept")}
    assert sent == {"authorization": f"Bearer {CREDENTIAL}", "content-type": "application/json", "accept": accepts}
    assert song_of(ended).upstream_id == TRACE_ID
    assert_paid(house, ended, 1)


# --- What is delivered --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("partial_audio", [False, True])
def test_samples_are_the_upstreams_where_nothing_is_transcoded(
    house: World, standin_of: Callable[[str], Standin], partial_audio: bool
) -> None:
    at_upstream(house, standin_of(SLUG), "good", provider=SLUG)

    job = live_through(submitted(house, lyrics=LYRICS, format="wav", partial_audio=partial_audio))

    with wave.open(io.BytesIO(audio_of(job))) as delivered, wave.open(io.BytesIO(sound())) as given:
        assert delivered.getparams() == given.getparams()
        assert delivered.readframes(-1) == given.readframes(-1)


def test_song_the_upstream_has_marked_is_not_marked_again(house: World, standin_of: Callable[[str], Standin]) -> None:
    at_upstream(house, standin_of(SLUG), "good", provider=SLUG)

    job = live_through(submitted(house, lyrics=LYRICS, format="wav", watermark=True))

    with wave.open(io.BytesIO(audio_of(job))) as delivered, wave.open(io.BytesIO(sound())) as given:
        assert delivered.readframes(-1) == given.readframes(-1)


def test_stream_that_the_upstream_does_not_mark_is_marked_by_us(
    house: World, standin_of: Callable[[str], Standin]
) -> None:
    at_upstream(house, standin_of(SLUG), "good", provider=SLUG)

    job = live_through(submitted(house, lyrics=LYRICS, format="wav", watermark=True, partial_audio=True))

    with wave.open(io.BytesIO(audio_of(job))) as delivered, wave.open(io.BytesIO(sound())) as given:
        assert delivered.getparams() == given.getparams()
        assert delivered.readframes(-1) != given.readframes(-1)


def test_pieces_are_heard_in_order_and_each_once(
    house: World, standin_of: Callable[[str], Standin], monkeypatch: pytest.MonkeyPatch
) -> None:
    song = mp3(1.0)
    monkeypatch.setattr(preview, "SHORTEST_SECONDS", 0.5)
    at_upstream(house, standin_of(SLUG), "good", provider=SLUG, audio=song.hex())

    job = live_through(submitted(house, lyrics=LYRICS, partial_audio=True))

    told = list(Event.unscoped.filter(job=job, type="audio").order_by("seq").values_list("data", flat=True))
    # Pieces of a quarter of a second are gathered to twos.
    assert [(event["take"], event["part"], event["format"]) for event in told] == [(0, at, "mp3") for at in range(2)]
    assert b"".join(read_piece(event["file"]) for event in told) == song
    assert_paid(house, job, 1)


# --- Several takes ------------------------------------------------------------------------------------------------


def test_takes_are_ordered_side_by_side_and_paid_each(house: World, standin_of: Callable[[str], Standin]) -> None:
    standin = standin_of(SLUG)
    at_upstream(house, standin, "good", provider=SLUG)

    ended = live_through(submitted(house, lyrics=LYRICS, takes=3))

    assert len({json.dumps(order["body"]) for order in standin.record["orders"]}) == 1
    assert len(standin.record["orders"]) == 3
    assert log_of(ended) == ["queued", "started", "take", "take", "take", "succeeded"]
    assert_paid(house, ended, 3)


@pytest.mark.parametrize(
    ("scene", "code", "is_flagged"),
    [
        ("second_refused", "content_policy", False),
        ("second_lost", "upstream_error", True),
        ("second_empty", "upstream_error", True),
    ],
)
def test_take_that_did_not_come_is_told_and_not_paid(
    house: World, standin_of: Callable[[str], Standin], scene: str, code: str, is_flagged: bool
) -> None:
    standin = standin_of(SLUG)
    at_upstream(house, standin, scene, provider=SLUG)

    ended = live_through(submitted(house, lyrics=LYRICS, takes=3))

    assert log_of(ended) == ["queued", "started", "take", "take", "take_failed", "succeeded"]
    [failed] = failures(ended)
    assert (failed["take"], failed["error"]["code"]) == (2, code)
    assert list(Track.unscoped.filter(job=ended).values_list("take", flat=True)) == [0, 1]
    assert (ended.is_flagged, len(standin.record["orders"])) == (is_flagged, 3)
    assert_paid(house, ended, 2)


def test_take_that_did_not_come_is_not_ordered_again_with_bad_ones(
    house: World, standin_of: Callable[[str], Standin]
) -> None:
    standin = standin_of(SLUG)
    at_upstream(house, standin, "second_lost_the_rest_silent", provider=SLUG)

    ended = live_through(submitted(house, lyrics=LYRICS, takes=2))

    assert log_of(ended) == ["queued", "started", "retrying", "started", "take", "take_failed", "succeeded"]
    assert [failed["take"] for failed in failures(ended)] == [1]
    assert (ended.is_flagged, len(standin.record["orders"])) == (True, 3)
    assert_paid(house, ended, 1)


# --- What is told -------------------------------------------------------------------------------------------------


def test_refusal_of_what_was_made_is_told_from_one_of_the_order(
    house: World, standin_of: Callable[[str], Standin]
) -> None:
    at_upstream(house, standin_of(SLUG), "refused_output", provider=SLUG)
    of_output = live_through(submitted(house, lyrics=LYRICS))
    at_upstream(house, standin_of(SLUG), "refused_content", provider=SLUG)
    of_input = live_through(submitted(house, lyrics=LYRICS))

    assert (of_output.error_code, of_output.error_param) == ("content_policy", "audio")
    assert (of_input.error_code, of_input.error_param) == ("content_policy", "")


def test_our_key_is_told_to_nobody(
    house: World, standin_of: Callable[[str], Standin], caplog: pytest.LogCaptureFixture
) -> None:
    at_upstream(house, standin_of(SLUG), "wrong_key", provider=SLUG)

    ended = live_through(submitted(house, lyrics=LYRICS))

    assert "invalid api key: [redacted]" in caplog.text
    assert CREDENTIAL not in caplog.text + ended.error_message + str(Attempt.unscoped.get(job=ended).error_message)
