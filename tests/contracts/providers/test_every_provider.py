"""Every provider in every scene: how the job ends, what its log says, what the upstream saw, who paid."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage

from billing.services.books import check_books
from billing.services.credits import balance_of
from generation.models import Attempt, Job, Track
from generation.providers.registry import _PROVIDERS
from generation.runner.hands import Hands
from generation.services.cancel import cancel_job
from tests.contracts.providers.behaviour import CELLS, SCENES, document
from tests.contracts.providers.conftest import ROOT, Standin, live_through
from tests.contracts.providers.wires.openai_music import SONG_ID, sound
from tests.generation.worlds import SONG_COST, SONG_PRICE, World, log_of, submitted
from tests.scenarios.servers import free_port

CREDENTIAL = "sk-key-of-the-house"
LYRICS = "[Verse]\nla la"
SHORT_DEADLINE_SECONDS = 1.5

PROMPTS = {
    "slow": "slow:0.2 song",
    "rate_limited": "fail:rate_limit song",
    "cut": "fail:cut song",
    "no_answer": "fail:timeout song",
    "empty_audio": "fail:empty song",
    "silent_audio": "fail:bad_audio song",
    "never_finishing": "slow:600 song",
    "refused_content": "fail:refused song",
}
"""How a rehearsal is asked for a scene."""


def at_upstream(house: World, standin: Standin, scene: str, *, shape: str = "", **options: Any) -> None:
    """Put the stand-in behind the model on sale."""
    standin.play(scene, is_tutti=shape == "tutti", **options)
    upstream, mapping = house.mapping.upstream, house.mapping
    upstream.provider, upstream.base_url, upstream.credential = "openai_music", standin.url, CREDENTIAL
    if scene == "not_reached":
        upstream.base_url = f"http://127.0.0.1:{free_port()}"
    upstream.save()
    mapping.upstream_shape, mapping.poll_seconds = shape, 0.02
    mapping.save()


def song_of(job: Job) -> Track:
    return Track.unscoped.get(job=job)


CASES = [(column, scene) for column, cells in CELLS.items() for scene in cells]


@pytest.mark.parametrize(("column", "scene"), CASES)
def test_order_ends_as_the_table_says(
    column: str, scene: str, house: World, standin_of: Callable[[str], Standin]
) -> None:
    provider, _, shape = column.partition("/")
    cell, standin = CELLS[column][scene], standin_of("openai_music")
    at_upstream(house, standin, scene, shape=shape)
    if provider == "rehearsal":
        house.mapping.upstream.provider = provider
        house.mapping.upstream.save()
    if cell.state == "expired":
        house.mapping.deadline_seconds = SHORT_DEADLINE_SECONDS
        house.mapping.save()
    prompt = PROMPTS.get(scene, "a song") if provider == "rehearsal" else "a song"
    job = submitted(house, prompt=prompt, lyrics=LYRICS, duration_seconds=1.0 if provider == "rehearsal" else None)

    def cancel(hands: Hands) -> None:
        cancel_job(job.pk, caller=house.caller)
        standin.release()

    ended = live_through(job, cancel if scene == "late_result" else None)

    log = " ".join(kind for kind in log_of(job) if kind not in ("progress", "lyrics"))
    assert (ended.state, ended.error_code, log) == (cell.state, cell.code, cell.events)
    assert ended.is_flagged == cell.is_flagged
    assert_paid(house, ended, cell.charged)
    attempts = list(Attempt.unscoped.filter(job=job))
    assert len(attempts) == cell.events.split().count("started")
    if cell.attempts:
        assert [attempt.state for attempt in attempts] == cell.attempts.split()
        assert [attempt.cost_micro for attempt in attempts] == [SONG_COST]
    if provider != "rehearsal":
        record = standin.record
        assert len(record["orders"]) == cell.orders
        assert record["songs"] == (cell.orders if cell.songs is None else cell.songs)


def assert_paid(house: World, job: Job, takes: int) -> None:
    """The customer paid for these takes, and not a credit is still held."""
    assert job.charged_micro == takes * SONG_PRICE
    wallet = balance_of(house.customer.pk, live=True)
    assert (wallet.available_micro, wallet.held_micro) == ((10 - takes) * SONG_PRICE, 0)
    assert check_books() == []


def test_every_scene_is_played_for_every_provider_that_has_a_wire() -> None:
    assert {column: set(cells) for column, cells in CELLS.items() if column != "rehearsal"} == {
        column: set(SCENES) for column in CELLS if column != "rehearsal"
    }
    assert {column.partition("/")[0] for column in CELLS} == set(_PROVIDERS)


def test_document_is_what_the_tests_play() -> None:
    assert (ROOT / "docs" / "upstream-behaviour.md").read_text() == document()


# --- What was sent ------------------------------------------------------------------------------------------------


def test_order_is_sent_in_the_words_of_the_wire(house: World, standin_of: Callable[[str], Standin]) -> None:
    standin = standin_of("openai_music")
    at_upstream(house, standin, "good")
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
    standin = standin_of("openai_music")
    at_upstream(house, standin, "several_takes", shape="tutti")
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
    at_upstream(house, standin_of("openai_music"), "slow")
    job = submitted(house, lyrics=LYRICS)

    live_through(job)

    assert Attempt.unscoped.get(job=job).ticket == SONG_ID
    assert song_of(job).upstream_id == SONG_ID


def test_samples_are_the_upstreams_where_nothing_is_transcoded(
    house: World, standin_of: Callable[[str], Standin]
) -> None:
    at_upstream(house, standin_of("openai_music"), "good")
    job = submitted(house, lyrics=LYRICS, format="wav")

    live_through(job)

    with song_of_file(job) as delivered, wave.open(io.BytesIO(sound())) as given:
        assert delivered.getparams() == given.getparams()
        assert delivered.readframes(-1) == given.readframes(-1)


def song_of_file(job: Job) -> wave.Wave_read:
    with default_storage.open(song_of(job).file) as file:
        return wave.open(io.BytesIO(file.read()))


# --- Several takes where one call makes one -----------------------------------------------------------------------


def test_takes_are_ordered_side_by_side_and_paid_each(house: World, standin_of: Callable[[str], Standin]) -> None:
    standin = standin_of("openai_music")
    at_upstream(house, standin, "good")
    job = submitted(house, lyrics=LYRICS, takes=3)

    ended = live_through(job)

    reference = Attempt.unscoped.get(job=job).reference
    keys = sorted(order["headers"]["idempotency-key"] for order in standin.record["orders"])
    assert keys == [f"{reference}-{take}" for take in range(3)]
    assert ended.state == "succeeded"
    assert_paid(house, ended, 3)


def test_take_that_was_refused_is_not_paid(house: World, standin_of: Callable[[str], Standin]) -> None:
    at_upstream(house, standin_of("openai_music"), "second_refused")
    job = submitted(house, lyrics=LYRICS, takes=2)

    ended = live_through(job)

    assert (ended.state, Track.unscoped.filter(job=job).count()) == ("succeeded", 1)
    assert_paid(house, ended, 1)


# --- What is told -------------------------------------------------------------------------------------------------


def test_our_key_is_told_to_nobody(
    house: World, standin_of: Callable[[str], Standin], caplog: pytest.LogCaptureFixture
) -> None:
    at_upstream(house, standin_of("openai_music"), "wrong_key")

    ended = live_through(submitted(house, lyrics=LYRICS))

    assert "Incorrect API key provided: [redacted]" in caplog.text
    assert CREDENTIAL not in caplog.text + ended.error_message
