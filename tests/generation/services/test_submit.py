from __future__ import annotations

from typing import Any

import pytest

from billing.services.credits import balance_of
from generation.contract import Refusal
from generation.models import Event, IdempotencyKey, Job
from generation.services.submit import submit
from generation.states import JobState
from tests.generation.worlds import SONG_PRICE, World, caller_of, log_of, order, submitted

pytestmark = pytest.mark.both_databases


def balance(world: World, *, live: bool = True) -> tuple[int, int]:
    now = balance_of(world.customer.pk, live)
    return now.available_micro, now.held_micro


def test_order_becomes_a_queued_job_with_its_hold_and_first_event(world: World) -> None:
    job = submitted(world, takes=2)

    assert job.state == JobState.QUEUED
    assert log_of(job) == ["queued"]
    assert balance(world) == (8 * SONG_PRICE, 2 * SONG_PRICE)


def test_order_beyond_the_wallet_is_refused_and_stores_nothing(world: World) -> None:
    for _ in range(3):
        submitted(world, takes=3)

    with pytest.raises(Refusal) as refused:
        submitted(world, key="too-many", takes=2)

    assert refused.value.code == "insufficient_quota"
    assert (Job.unscoped.count(), Event.unscoped.count(), IdempotencyKey.unscoped.count()) == (3, 3, 0)
    assert balance(world) == (SONG_PRICE, 9 * SONG_PRICE)


def test_order_given_twice_under_one_key_is_one_job(world: World) -> None:
    first = submitted(world, key="same")
    second = submitted(world, key="same")

    assert first.pk == second.pk
    assert balance(world) == (9 * SONG_PRICE, SONG_PRICE)


def test_other_order_under_a_used_key_is_a_conflict(world: World) -> None:
    submitted(world, key="same", prompt="one song")

    with pytest.raises(Refusal) as refused:
        submitted(world, key="same", prompt="another song")

    assert refused.value.code == "idempotency_conflict"
    assert Job.unscoped.count() == 1


def test_key_of_another_organization_stands_for_its_own_order(world: World) -> None:
    mine = submitted(world, key="same")
    theirs = submitted(world, key="same", caller=caller_of(world.seller))

    assert mine.pk != theirs.pk


def test_order_by_a_test_key_has_no_upstream_and_spends_no_live_credits(world: World) -> None:
    with pytest.raises(Refusal) as refused:
        submitted(world, caller=caller_of(world.customer, live=False))

    assert refused.value.code == "insufficient_quota"
    assert balance(world) == (10 * SONG_PRICE, 0)


def test_order_is_refused_as_busy_when_the_queue_is_full(world: World, settings) -> None:
    settings.TUTTI_QUEUE_LIMIT = 2
    submitted(world)
    submitted(world)

    with pytest.raises(Refusal) as refused:
        submitted(world)

    assert (refused.value.code, refused.value.retry_after) == ("busy", 30)
    assert balance(world) == (8 * SONG_PRICE, 2 * SONG_PRICE)


def test_order_nested_without_end_is_malformed(world: World) -> None:
    body: dict[str, Any] = {}
    for _ in range(100_000):
        body = {"deeper": body}

    with pytest.raises(Refusal) as refused:
        submit(order(), caller=world.caller, dialect="openai_music", idempotency_key=None, body=body)

    assert refused.value.code == "malformed_json"
    assert Job.unscoped.count() == 0
