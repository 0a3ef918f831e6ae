"""The life of a song, one step after the other: read this first, then the functions it calls.

request: who, may they, which model, its limits, the price
  one transaction: idempotency row + hold + job `queued` + event 1
    a runner claims it: attempt 1, fencing token
      the provider makes it; what came is stored raw, attempt `received`
        the audio is checked, labelled, encoded, stored, hashed
          one transaction: final state + charge and release + event
            every reader sees the same events
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from billing.models import Transfer
from billing.services.books import check_books
from billing.services.credits import balance_of
from generation.audio.label import read_label
from generation.contract import Piece
from generation.models import Attempt, IdempotencyKey, Job, Track
from generation.runner.hands import Hands
from generation.services.claim import claim
from generation.services.finish import finish
from generation.services.make import make
from generation.services.queries import events_after, job_view
from generation.services.quoting import quote_order
from generation.services.receive import receive, store_raw
from generation.services.settle import settle
from generation.services.submit import submit
from generation.states import AttemptState, JobState
from tests.generation.worlds import SONG_COST, SONG_PRICE, World, new_runner, order

LYRICS = "[Verse]\nWalking down the street\n[Chorus]\nDancing in the sun"


class Listener:
    """The way back from a provider, written down."""

    def __init__(self) -> None:
        self.heard: list[float] = []

    async def progress(self, percent: float, phase: str) -> None:
        self.heard.append(percent)

    async def lyrics(self, text: str) -> None: ...

    async def audio(self, piece: Piece) -> None: ...

    async def ticket(self, upstream_id: str) -> None: ...


def test_song_is_followed_from_submit_to_settle(world: World) -> None:
    wallet = lambda: balance_of(world.customer.pk, live=True)  # noqa: E731 - read aloud, again and again
    before = wallet().available_micro

    # The order is priced before it is taken.
    given = order("Pop music, happy", lyrics=LYRICS, duration_seconds=5.0)
    assert quote_order(given, caller=world.caller).quote.amount_micro == SONG_PRICE

    # One transaction writes all of it: the caller's key, the hold, the job and its first event.
    job_id = submit(
        given, caller=world.caller, dialect="openai_music", idempotency_key="first song", body={"any": "body"}
    ).job_id
    assert Job.objects.get(pk=job_id).state == JobState.QUEUED
    assert IdempotencyKey.objects.get().job_id == job_id
    assert (wallet().available_micro, wallet().held_micro) == (before - SONG_PRICE, SONG_PRICE)

    # A runner takes it; the attempt is written before anybody upstream hears of the song.
    work = claim(job_id, runner_id=new_runner().pk)
    assert work is not None
    assert Attempt.objects.get().state == AttemptState.SUBMITTING

    # The provider makes it, and says how far it is.
    listener = Listener()
    delivery = asyncio.run(make(work, listener))
    assert listener.heard[-1] == 100.0

    # What came is kept raw before anything else is done with it.
    assert receive(work, store_raw(work, delivery), lyrics=delivery.lyrics)
    assert Attempt.objects.get().state == AttemptState.RECEIVED

    # The audio is checked, labelled, encoded, stored, hashed; then the job ends, and with it the hold.
    finish(work.token)
    job, track = Job.objects.get(pk=job_id), Track.objects.get()
    assert (job.state, job.charged_micro) == (JobState.SUCCEEDED, SONG_PRICE)
    assert (track.format, abs(track.duration_ms - 5000) < 50) == ("mp3", True)
    assert (wallet().available_micro, wallet().held_micro) == (before - SONG_PRICE, 0)

    # Every reader sees the same numbered events, and the same job.
    view = job_view(job_id, base_url="https://tutti.example")
    events = events_after(job_id, 0, base_url="https://tutti.example", render_job=lambda job: {"state": job.state})
    assert [event["type"] for event in events] == ["queued", "started", "lyrics", "take", "succeeded"]
    label = read_label(view.tracks[0].read())
    assert label is not None
    assert label["ProduceID"] == view.tracks[0].id

    # The seller earned the price and owes the studio its part; the books balance.
    assert check_books() == []
    assert owed_to(world) == SONG_COST


def owed_to(world: World) -> int:
    return sum(Transfer.objects.filter(credit__organization=world.provider).values_list("amount", flat=True))


def test_story_is_told_in_under_two_hundred_lines() -> None:
    told: list[Callable[..., Any]] = [
        submit,
        Hands.carry,
        claim,
        Hands._bring,
        Hands._call,
        make,
        store_raw,
        receive,
        finish,
        settle,
    ]

    assert sum(len(inspect.getsource(function).splitlines()) for function in told) < 200
