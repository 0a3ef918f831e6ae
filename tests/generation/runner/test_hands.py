from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from generation.contract import Delivery
from generation.models import Job
from generation.runner import hands as hands_module
from generation.runner.database import DatabaseThreads
from generation.runner.hands import Hand, Hands
from generation.runner.line import News
from generation.runner.sources import JobSources
from generation.services.claim import Work
from generation.states import JobState
from tests.generation.worlds import World, claimed, new_runner, submitted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


class Database(DatabaseThreads):
    """A database thread; `meanwhile` happens after it was asked and before its answer is heard."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        super().__init__(count=1)
        self._meanwhile = meanwhile

    async def run(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        answer = await super().run(call, *args, **kwargs)
        self._meanwhile()
        return answer


async def forever() -> Delivery:
    return await asyncio.Event().wait()  # type: ignore[return-value]


def hands_of(runner_id: uuid.UUID, database: Database) -> Hands:
    return Hands(runner_id=runner_id, database=database, news=News(database))


def watched(work: Work, hands: Hands) -> Hand:
    hand = Hand(work, asyncio.ensure_future(forever()))
    hands._calling[work.token] = hand
    hands._carrying.add(work.token)
    return hand


async def is_stopped(hand: Hand) -> bool:
    await asyncio.sleep(0)
    stopped = hand.task.cancelled() or hand.task.cancelling() > 0
    hand.task.cancel()
    return stopped


@pytest.fixture
def work(world: World) -> Work:
    return claimed(submitted(world))


def watch(work: Work, *, meanwhile: bool = False, provider: str = "rehearsal") -> bool:
    """Whether the call of the job is stopped by a watch; `meanwhile`: it was claimed during the look."""

    async def story() -> bool:
        found: list[Hand] = []

        def claim_now() -> None:
            if meanwhile and not found:
                found.append(watched(replace(work, provider=provider), hands))

        database = Database(claim_now)
        hands = hands_of(uuid.uuid4(), database)
        if not meanwhile:
            found.append(watched(replace(work, provider=provider), hands))
        await hands.watch()
        database.close()
        return await is_stopped(found[0])

    return asyncio.run(story())


def test_call_of_a_job_that_is_no_longer_ours_is_stopped(work: Work) -> None:
    assert watch(work)


def test_call_that_was_claimed_during_the_look_goes_on(work: Work) -> None:
    assert not watch(work, meanwhile=True)


def test_call_that_is_billed_anyway_goes_on_so_that_its_cost_is_noted(work: Work) -> None:
    assert not watch(work, provider="bills-for-each-song")


def test_job_that_nobody_carries_is_taken_up_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hands_module, "STRAY_SECONDS", 0)
    runner = new_runner()
    job = submitted(world)
    claimed(job, runner)

    database = Database()
    asyncio.run(hands_of(runner.pk, database).watch())
    database.close()

    assert Job.unscoped.get(pk=job.pk).state == JobState.QUEUED


def test_job_that_nobody_carries_yet_is_left_a_while(world: World) -> None:
    runner = new_runner()
    job = submitted(world)
    claimed(job, runner)

    database = Database()
    asyncio.run(hands_of(runner.pk, database).watch())
    database.close()

    assert Job.unscoped.get(pk=job.pk).state == JobState.RUNNING


def test_provider_is_given_what_the_order_leans_on(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Work] = []

    async def make(work: Work, line: object) -> Delivery:
        given.append(work)
        return Delivery(takes=())

    async def story() -> None:
        database = Database()
        await hands_of(uuid.uuid4(), database)._call(work)
        database.close()

    monkeypatch.setattr(hands_module, "make", make)
    asyncio.run(story())

    assert [type(each.access.sources) for each in given] == [JobSources]
