"""The wire `musicgen` as an upstream, beyond what every provider plays: what is sent, takes, leaving, secrets."""

from __future__ import annotations

import io
import time
import wave
from collections.abc import Callable
from typing import Any, Final

import pytest

from generation.contract import Sampling
from generation.models import Attempt, Event, Track
from generation.providers import musicgen_http
from generation.runner.hands import Hands
from generation.services.cancel import cancel_job
from tests.contracts.providers.conftest import Standin, live_through
from tests.contracts.providers.sounds import sound
from tests.contracts.providers.upstreams import CREDENTIAL, assert_paid, at_upstream, audio_of
from tests.generation.worlds import World, submitted

SLUG: Final = "musicgen_http"
WHOLE: Final[dict[str, Any]] = {"top_k": 10, "top_p": 0.5, "temperature": 0.7, "cfg_coef": 4.0}


@pytest.fixture
def studio(house: World) -> World:
    """The model on sale takes all that this wire can say."""
    llm = house.mapping.llm
    llm.capabilities |= {"sampling": list(WHOLE), "enhance": True, "stereo": True}
    llm.save()
    return house


# --- What was sent ------------------------------------------------------------------------------------------------


def test_order_is_sent_in_the_words_of_the_wire(studio: World, standin_of: Callable[[str], Standin]) -> None:
    standin = standin_of(SLUG)
    at_upstream(studio, standin, "good", provider=SLUG)
    sampling = Sampling(**WHOLE)
    job = submitted(studio, prompt="钢琴", instrumental=True, duration_seconds=1.4, enhance=True, sampling=sampling)

    live_through(job)

    [order] = standin.record["orders"]
    assert order["body"] == {"description": "钢琴", "duration": 1, "mbd": True, **WHOLE}
    sent = {name: order["headers"][name] for name in ("authorization", "content-type", "accept")}
    assert sent == {
        "authorization": f"Bearer {CREDENTIAL}",
        "content-type": "application/json",
        "accept": "text/event-stream",
    }
    assert "idempotency-key" not in order["headers"]


def test_what_was_not_asked_is_not_sent(studio: World, standin_of: Callable[[str], Standin]) -> None:
    standin = standin_of(SLUG)
    at_upstream(studio, standin, "good", provider=SLUG)
    studio.mapping.upstream.credential = ""
    studio.mapping.upstream.save()

    live_through(submitted(studio, prompt="a song"))

    [order] = standin.record["orders"]
    assert order["body"] == {"description": "a song"}
    assert "authorization" not in order["headers"]


def test_tutti_is_sent_the_whole_order(studio: World, standin_of: Callable[[str], Standin]) -> None:
    standin = standin_of(SLUG)
    at_upstream(studio, standin, "good", provider=SLUG, shape="tutti")
    job = submitted(studio, prompt="a song", seed=0, stereo=True, channels=2)

    live_through(job)

    [order] = standin.record["orders"]
    assert order["body"] == {"description": "a song", "model": "test-song-1", "seed": 0, "stereo": True}
    assert order["headers"]["idempotency-key"] == str(Attempt.unscoped.get(job=job).reference)


# --- What came ----------------------------------------------------------------------------------------------------


def test_samples_are_the_upstreams_where_nothing_is_transcoded(
    studio: World, standin_of: Callable[[str], Standin]
) -> None:
    at_upstream(studio, standin_of(SLUG), "loose", provider=SLUG)
    job = submitted(studio, prompt="a song", format="wav")

    live_through(job)

    with wave.open(io.BytesIO(audio_of(job))) as delivered, wave.open(io.BytesIO(sound())) as given:
        assert delivered.getparams() == given.getparams()
        assert delivered.readframes(-1) == given.readframes(-1)


def test_takes_are_ordered_side_by_side_and_paid_each(studio: World, standin_of: Callable[[str], Standin]) -> None:
    standin = standin_of(SLUG)
    at_upstream(studio, standin, "busy", provider=SLUG, shape="tutti")
    job = submitted(studio, prompt="a song", takes=3, seed=7)

    ended = live_through(job)

    reference = Attempt.unscoped.get(job=job).reference
    orders = standin.record["orders"]
    seeds = {order["headers"]["idempotency-key"]: order["body"]["seed"] for order in orders}
    assert seeds == {f"{reference}-{take}": 7 + take for take in range(3)}
    assert len(orders) == 4  # one was sent away first: a service may have one slot alone
    assert Track.unscoped.filter(job=job).count() == 3
    assert_paid(studio, ended, 3)


def test_service_with_one_slot_makes_the_takes_one_by_one(
    studio: World, standin_of: Callable[[str], Standin], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Less than a song takes: whoever waits no longer than this gets none.
    monkeypatch.setattr(musicgen_http, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(musicgen_http, "BUSY_PAUSE_SECONDS", 0.1)
    standin = standin_of(SLUG)
    at_upstream(studio, standin, "one_slot", provider=SLUG)
    job = submitted(studio, prompt="a song", takes=2)

    ended = live_through(job)

    assert (ended.state, Track.unscoped.filter(job=job).count()) == ("succeeded", 2)
    assert len(standin.record["orders"]) > 2
    assert_paid(studio, ended, 2)


# --- Leaving ------------------------------------------------------------------------------------------------------


def test_cancel_closes_the_line_and_frees_the_service(studio: World, standin_of: Callable[[str], Standin]) -> None:
    standin = standin_of(SLUG)
    at_upstream(studio, standin, "never_finishing", provider=SLUG)
    job = submitted(studio, prompt="a song")

    def cancel(hands: Hands) -> None:
        cancel_job(job.pk, caller=studio.caller)

    ended = live_through(job, cancel)

    end = time.monotonic() + 10
    while standin.record["left"] == 0:
        assert time.monotonic() < end, "the line is still open"
        time.sleep(0.02)
    assert (ended.state, len(standin.record["orders"])) == ("cancelled", 1)
    assert Attempt.unscoped.get(job=job).state == "failed"
    assert_paid(studio, ended, 0)


# --- What is told -------------------------------------------------------------------------------------------------


def test_our_key_is_told_to_nobody(
    studio: World, standin_of: Callable[[str], Standin], caplog: pytest.LogCaptureFixture
) -> None:
    at_upstream(studio, standin_of(SLUG), "wrong_key", provider=SLUG)

    ended = live_through(submitted(studio, prompt="a song"))

    assert "Not a key: [redacted]" in caplog.text
    assert CREDENTIAL not in caplog.text + ended.error_message + str(list(Event.unscoped.values_list("data")))
