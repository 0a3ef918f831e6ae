"""Takes that were ordered and did not come: told, not charged, not ordered again, and never forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.services.books import check_books
from billing.services.credits import balance_of
from generation.contract import Delivery, Fault, MissingTake, RawTake
from generation.models import Attempt, Event, Job, Runner, Track
from generation.providers.base import ProviderError
from generation.services.cancel import cancel_job
from generation.services.claim import Work
from generation.services.finish import finish
from generation.services.receive import receive, store_raw
from generation.services.retry import retry_or_fail
from generation.services.sweep import sweep
from tests.generation.worlds import (
    SONG_PRICE,
    World,
    claimed,
    log_of,
    new_runner,
    silence,
    submitted,
    wav,
)

pytestmark = pytest.mark.both_databases

REFUSED = MissingTake(Fault("content_policy", "Not this one.", "audio"))
LOST = MissingTake(Fault("upstream_error", "Who knows."), is_unknown=True)


def came(job: Job, *takes: bytes, missing: tuple[MissingTake, ...], runner: Runner | None = None) -> Work:
    """The job with its upstream's answer kept: some takes, and what became of the rest."""
    work = claimed(job, runner)
    delivery = Delivery(takes=tuple(RawTake(audio=take) for take in takes), missing=missing)
    assert receive(work, store_raw(work, delivery), lyrics=None, missing=delivery.missing)
    return work


def ended(job: Job) -> tuple[str, int | None, bool]:
    row = Job.unscoped.get(pk=job.pk)
    return row.state, row.charged_micro, row.is_flagged


def failures(job: Job) -> list[dict[str, Any]]:
    return list(Event.unscoped.filter(job=job, type="take_failed").order_by("seq").values_list("data", flat=True))


def assert_spent(world: World, songs: int) -> None:
    now = balance_of(world.customer.pk, live=True)
    assert (now.available_micro, now.held_micro) == ((10 - songs) * SONG_PRICE, 0)
    assert check_books() == []


def test_missing_takes_are_told_after_the_delivered_ones_and_not_charged(world: World) -> None:
    job = submitted(world, takes=3)

    finish(came(job, wav(), missing=(REFUSED, REFUSED)).token)

    assert log_of(job) == ["queued", "started", "take", "take_failed", "take_failed", "succeeded"]
    error = {"code": "content_policy", "message": "Not this one."}
    assert failures(job) == [{"take": 1, "error": error}, {"take": 2, "error": error}]
    assert ended(job) == ("succeeded", SONG_PRICE, False)
    assert_spent(world, 1)


def test_job_is_flagged_when_the_upstream_may_bill_for_a_missing_take(world: World) -> None:
    job = submitted(world, takes=3)

    finish(came(job, wav(), missing=(REFUSED, LOST)).token)

    assert ended(job) == ("succeeded", SONG_PRICE, True)
    assert [failed["error"]["code"] for failed in failures(job)] == ["content_policy", "upstream_error"]


def test_what_became_of_a_take_is_kept_with_the_attempt(world: World) -> None:
    job = submitted(world, takes=2)

    finish(came(job, wav(), missing=(LOST,)).token)

    assert Attempt.unscoped.get(job=job).missing == [
        {"take": 1, "code": "upstream_error", "message": "Who knows.", "is_unknown": True}
    ]


@pytest.mark.parametrize(("second", "charged"), [(wav(), 1), (silence(), 0)])
def test_bad_take_is_made_again_without_the_missing_one(world: World, second: bytes, charged: int) -> None:
    job = submitted(world, takes=3)
    finish(came(job, silence(), wav(), missing=(LOST,)).token)

    again = claimed(job)
    assert (again.takes, again.song.takes) == ((0,), 1)
    receive(again, store_raw(again, Delivery(takes=(RawTake(audio=second),))), lyrics=None)
    finish(again.token)

    bad = [] if charged else [0]
    assert [failed["take"] for failed in failures(job)] == [*bad, 2]
    assert list(Track.unscoped.filter(job=job).values_list("take", flat=True)) == ([0, 1] if charged else [1])
    assert ended(job) == ("succeeded", (1 + charged) * SONG_PRICE, True)
    assert_spent(world, 1 + charged)


def test_missing_take_is_not_forgotten_when_the_next_attempt_fails_altogether(world: World) -> None:
    job = submitted(world, takes=2)
    finish(came(job, silence(), missing=(LOST,)).token)

    retry_or_fail(claimed(job), ProviderError("content_policy", "No.", seen="not_made"))

    assert log_of(job) == ["queued", "started", "retrying", "started", "take_failed", "failed"]
    assert ended(job) == ("failed", 0, True)
    assert_spent(world, 0)


def test_missing_takes_of_both_attempts_are_told(world: World) -> None:
    job = submitted(world, takes=3)
    finish(came(job, silence(), silence(), missing=(LOST,)).token)

    finish(came(job, wav(), missing=(REFUSED,)).token)

    assert [(failed["take"], failed["error"]["code"]) for failed in failures(job)] == [
        (1, "content_policy"),
        (2, "upstream_error"),
    ]
    assert ended(job) == ("succeeded", SONG_PRICE, True)


def test_missing_take_outlives_the_runner_that_heard_of_it(world: World) -> None:
    job = submitted(world, takes=2)
    came(job, wav(), missing=(LOST,), runner=new_runner(lease=timedelta(seconds=-1)))
    sweep()

    again = claimed(job)
    finish(again.token)

    assert again.is_received
    assert [failed["take"] for failed in failures(job)] == [1]
    assert ended(job) == ("succeeded", SONG_PRICE, True)


def test_cancel_after_the_answer_tells_of_the_missing_take(world: World) -> None:
    job = submitted(world, takes=2)
    came(job, wav(), missing=(LOST,))

    cancel_job(job.pk, caller=world.caller)

    assert log_of(job) == ["queued", "started", "take_failed", "cancelled"]
    assert ended(job) == ("cancelled", 0, True)
    assert_spent(world, 0)
