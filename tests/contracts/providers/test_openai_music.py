"""The wire `openai_music` as an upstream, beyond what every provider plays: what is sent, takes, secrets."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from typing import Final

import pytest

from generation.models import Attempt, Event, Track
from tests.contracts.providers.conftest import Standin, live_through
from tests.contracts.providers.sounds import sound
from tests.contracts.providers.upstreams import CREDENTIAL, LYRICS, assert_paid, at_upstream, audio_of, song_of
from tests.contracts.providers.wires.openai_music import SONG_ID
from tests.generation.worlds import World, log_of, submitted

SLUG: Final = "openai_music"

# --- What was sent ------------------------------------------------------------------------------------------------


def test_order_is_sent_in_the_words_of_the_wire(house: World, standin_of: Callable[[str], Standin]) -> None:
    standin = standin_of(SLUG)
    at_upstream(house, standin, "good", provider=SLUG)
    job = submitted(house, prompt="a song", lyrics=LYRICS, title="Home", format="flac", sample_rate=44_100, channels=2)

    live_through(job)

    reference = str(Attempt.unscoped.get(job=job).reference)
    [order] = standin.record["orders"]
    assert order["body"] == {
        "model": "test-song-1",
        "catelogid": "music_gen",
        "prompt": "a song",
        "lyrics": LYRICS,
        "output_format": "url",
        "audio_setting": {"format": "wav", "sample_rate": 44_100},
        "transno": reference,
    }
    sent = {name: order["headers"][name] for name in ("authorization", "idempotency-key", "content-type", "accept")}
    assert sent == {
        "authorization": f"Bearer {CREDENTIAL}",
        "idempotency-key": reference,
        "content-type": "application/json",
        "accept": "application/json",
    }
    assert song_of(job).format == "flac"


def test_tutti_is_sent_the_whole_order(house: World, standin_of: Callable[[str], Standin]) -> None:
    standin = standin_of(SLUG)
    at_upstream(house, standin, "several_takes", provider=SLUG, shape="tutti")
    job = submitted(house, prompt="a song", instrumental=True, duration_seconds=1.0, takes=3, seed=0, format="wav")

    ended = live_through(job)

    [order] = standin.record["orders"]
    assert order["body"] == {
        "model": "test-song-1",
        "catelogid": "music_gen",
        "prompt": "a song",
        "output_format": "url",
        "audio_setting": {"format": "wav"},
        "transno": str(Attempt.unscoped.get(job=job).reference),
        "n": 3,
        "duration": 1.0,
        "instrumental": True,
        "seed": 0,
    }
    assert order["headers"]["prefer"] == "wait=60"
    assert list(Track.unscoped.filter(job=job).values_list("take", "seed")) == [(0, 7), (1, 8), (2, 9)]
    assert_paid(house, ended, 3)


def test_song_that_was_polled_for_leaves_its_id(house: World, standin_of: Callable[[str], Standin]) -> None:
    at_upstream(house, standin_of(SLUG), "slow", provider=SLUG)
    job = submitted(house, lyrics=LYRICS)

    live_through(job)

    assert Attempt.unscoped.get(job=job).tickets == [SONG_ID]
    assert song_of(job).upstream_id == SONG_ID


def test_samples_are_the_upstreams_where_nothing_is_transcoded(
    house: World, standin_of: Callable[[str], Standin]
) -> None:
    at_upstream(house, standin_of(SLUG), "good", provider=SLUG)
    job = submitted(house, lyrics=LYRICS, format="wav")

    live_through(job)

    with wave.open(io.BytesIO(audio_of(job))) as delivered, wave.open(io.BytesIO(sound())) as given:
        assert delivered.getparams() == given.getparams()
        assert delivered.readframes(-1) == given.readframes(-1)


# --- Several takes where one call makes one -----------------------------------------------------------------------


def test_takes_are_ordered_side_by_side_and_paid_each(house: World, standin_of: Callable[[str], Standin]) -> None:
    standin = standin_of(SLUG)
    at_upstream(house, standin, "good", provider=SLUG)
    job = submitted(house, lyrics=LYRICS, takes=3)

    ended = live_through(job)

    reference = Attempt.unscoped.get(job=job).reference
    keys = sorted(order["headers"]["idempotency-key"] for order in standin.record["orders"])
    assert keys == [f"{reference}-{take}" for take in range(3)]
    assert ended.state == "succeeded"
    assert_paid(house, ended, 3)


def test_take_that_was_refused_is_not_paid(house: World, standin_of: Callable[[str], Standin]) -> None:
    at_upstream(house, standin_of(SLUG), "second_refused", provider=SLUG)
    job = submitted(house, lyrics=LYRICS, takes=2)

    ended = live_through(job)

    assert (ended.state, Track.unscoped.filter(job=job).count()) == ("succeeded", 1)
    assert log_of(job) == ["queued", "started", "take", "take_failed", "succeeded"]
    failed = Event.unscoped.get(job=job, type="take_failed").data
    assert (failed["take"], failed["error"]["code"]) == (1, "content_policy")
    assert not ended.is_flagged
    assert_paid(house, ended, 1)


# --- What is told -------------------------------------------------------------------------------------------------


def test_our_key_is_told_to_nobody(
    house: World, standin_of: Callable[[str], Standin], caplog: pytest.LogCaptureFixture
) -> None:
    at_upstream(house, standin_of(SLUG), "wrong_key", provider=SLUG)

    ended = live_through(submitted(house, lyrics=LYRICS))

    assert "Incorrect API key provided: [redacted]" in caplog.text
    assert CREDENTIAL not in caplog.text + ended.error_message
