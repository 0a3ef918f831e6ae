"""A runner that goes away in the middle of a song: another one brings what it ordered, and orders nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from generation.contract import Fault
from generation.models import Attempt, Job, Runner, Track
from generation.runner.database import DatabaseThreads
from generation.runner.hands import Hands
from generation.runner.line import News
from generation.services.cancel import cancel_job
from generation.services.claim import claim
from generation.services.sweep import sweep
from ground.outbound import OUTBOUND
from tests.contracts.providers.conftest import Standin, live_through
from tests.contracts.providers.upstreams import LYRICS, assert_paid, at_upstream
from tests.contracts.providers.wires.openai_music import SONG_ID
from tests.generation.worlds import World, claimed, log_of, new_runner, submitted

SLUG = "openai_music"


def lose_in_the_middle(job: Job, is_there: Callable[[], bool]) -> None:
    """Order, and let the runner go away once it is so: as at the end of its grace, or by a power cut."""

    async def story() -> None:
        database = DatabaseThreads(count=2)
        runner = await database.run(new_runner)
        hands = Hands(runner_id=runner.pk, database=database, news=News(database))
        carrying = asyncio.ensure_future(hands.carry(job.pk))
        while not await database.run(is_there):
            await asyncio.sleep(0.01)
        hands.stop()
        await carrying
        await OUTBOUND.close()
        database.close()

    asyncio.run(story())
    assert Job.unscoped.get(pk=job.pk).state == "running"
    Runner.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sweep().lost == 1


def has_ticket() -> bool:
    return any(attempt.tickets for attempt in Attempt.unscoped.all())


def states() -> list[str]:
    return [attempt.state for attempt in Attempt.unscoped.order_by("number")]


@pytest.mark.parametrize("shape", ["", "tutti"])
def test_song_whose_id_was_kept_is_asked_for(shape: str, house: World, standin_of: Callable[[str], Standin]) -> None:
    standin = standin_of(SLUG)
    at_upstream(house, standin, "late_result", provider=SLUG, shape=shape)
    job = submitted(house, lyrics=LYRICS)
    lose_in_the_middle(job, has_ticket)
    standin.release()

    ended = live_through(job)

    assert (ended.state, states()) == ("succeeded", ["lost", "delivered"])
    assert [kind for kind in log_of(job) if kind != "progress"] == [
        "queued",
        "started",
        "retrying",
        "started",
        "take",
        "succeeded",
    ]
    record = standin.record
    assert (len(record["orders"]), record["songs"]) == (1, 1)
    assert len(set(Attempt.unscoped.values_list("reference", flat=True))) == 1
    assert_paid(house, ended, 1)


def test_tutti_that_gave_no_id_yet_is_sent_the_same_order_under_the_same_key(
    house: World, standin_of: Callable[[str], Standin]
) -> None:
    standin = standin_of(SLUG)
    at_upstream(house, standin, "lost_in_its_answer", provider=SLUG, shape="tutti")
    job = submitted(house, lyrics=LYRICS)
    lose_in_the_middle(job, lambda: len(standin.record["orders"]) == 1)

    ended = live_through(job)

    record = standin.record
    assert (ended.state, len(record["orders"]), record["songs"]) == ("succeeded", 2, 1)
    assert record["orders"][0]["body"] == record["orders"][1]["body"]
    assert_paid(house, ended, 1)


def test_upstream_that_knows_the_order_by_nothing_is_never_asked_again(
    house: World, standin_of: Callable[[str], Standin]
) -> None:
    standin = standin_of(SLUG)
    at_upstream(house, standin, "lost_in_its_answer", provider=SLUG)
    job = submitted(house, lyrics=LYRICS)
    lose_in_the_middle(job, lambda: len(standin.record["orders"]) == 1)

    ended = Job.unscoped.get(pk=job.pk)
    assert (ended.state, ended.is_flagged, len(standin.record["orders"])) == ("failed", True, 1)
    assert_paid(house, ended, 0)


def test_takes_whose_ids_were_kept_are_asked_for_together(house: World, standin_of: Callable[[str], Standin]) -> None:
    standin = standin_of(SLUG)
    at_upstream(house, standin, "late_result", provider=SLUG)
    job = submitted(house, lyrics=LYRICS, takes=2)
    lose_in_the_middle(job, lambda: len(standin.record["orders"]) == 2 and has_ticket())
    # The stand-in calls every song the same; two that it told apart would be two ids.
    Attempt.unscoped.update(tickets=[SONG_ID, SONG_ID])
    standin.release()

    ended = live_through(job)

    assert (ended.state, Track.unscoped.count(), len(standin.record["orders"])) == ("succeeded", 2, 2)
    assert_paid(house, ended, 2)


def test_lost_again_and_again_is_taken_up_beyond_the_number_of_tries(
    house: World, standin_of: Callable[[str], Standin], settings
) -> None:
    settings.TUTTI_MAX_ATTEMPTS = 1
    standin = standin_of(SLUG)
    at_upstream(house, standin, "late_result", provider=SLUG)
    job = submitted(house, lyrics=LYRICS)
    for _ in range(3):
        lose_in_the_middle(job, partial(is_asked_more_than, standin, len(standin.record["asked"])))
    standin.release()

    ended = live_through(job)

    assert (ended.state, states(), len(standin.record["orders"])) == (
        "succeeded",
        ["lost", "lost", "lost", "delivered"],
        1,
    )


def is_asked_more_than(standin: Standin, times: int) -> bool:
    return has_ticket() and len(standin.record["asked"]) > times


def taken_from(house: World) -> Job:
    """A job whose runner went away after it had an id."""
    house.mapping.upstream.provider = SLUG
    house.mapping.upstream.slots = 1
    house.mapping.upstream.save()
    job = submitted(house, lyrics=LYRICS)
    claimed(job, new_runner(lease=timedelta(seconds=-1)))
    Attempt.unscoped.update(tickets=[SONG_ID])
    assert sweep().lost == 1
    return job


def test_song_that_waits_to_be_taken_up_keeps_its_slot(house: World) -> None:
    job = taken_from(house)
    other = submitted(house, lyrics=LYRICS)

    assert claim(other.pk, runner_id=new_runner().pk) is None
    work = claimed(job)

    assert (work.tickets, work.takes) == ((SONG_ID,), (0,))


def test_song_that_is_cancelled_before_it_was_taken_up_gives_its_slot_back(house: World) -> None:
    job = taken_from(house)

    cancel_job(job.pk, caller=house.caller)

    assert states() == ["failed"]
    assert claimed(submitted(house, lyrics=LYRICS)).tickets is None


def test_song_that_was_never_taken_up_is_flagged_at_its_deadline(house: World) -> None:
    taken_from(house)
    Job.unscoped.update(deadline=timezone.now())

    assert sweep().expired == 1

    job = Job.unscoped.get()
    assert (job.state, job.is_flagged) == ("expired", True)


def test_reason_of_a_song_taken_up_is_told(house: World) -> None:
    job = taken_from(house)

    event = job.events.get(type="retrying")
    said = Fault("upstream_error", "The worker that made this song went away. Another one asks for it.")
    assert event.data["error"] == {"code": said.code, "message": said.message}
