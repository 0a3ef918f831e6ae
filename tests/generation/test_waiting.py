from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from channels.layers import InMemoryChannelLayer, channel_layers
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from generation import waiting
from generation.looking import Look, Seen, look
from generation.models import Job
from generation.services.events import GROUP
from generation.states import JobState
from generation.waiting import News, Readership, RoomClosed, WaitingRoom
from ground import wakeup
from tests.generation.worlds import World, claimed, finished, submitted

pytestmark = pytest.mark.both_databases

SECONDS = 10
JOB, OTHER = uuid.uuid4(), uuid.uuid4()


@dataclass
class Rows:
    """Stands for the jobs' table: what a look finds, and what was looked for."""

    rows: dict[uuid.UUID, Seen] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    is_down: bool = False

    def put(self, job_id: uuid.UUID, seq: int, *, is_final: bool = False, organization_id: int = 1) -> None:
        self.rows[job_id] = Seen(job_id, organization_id, True, seq, is_final)

    def look(self, at: Look) -> list[Seen]:
        self.looks.append(at)
        if self.is_down:
            raise ConnectionError("no database")
        return [
            seen
            for seen in self.rows.values()
            if seen.job_id in at.job_ids or seen.organization_id in at.organization_ids
        ]


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
async def room(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WaitingRoom]:
    """A room of this test's own, with a channel layer of its own, that looks a hundred times a second."""
    before = channel_layers.set("default", InMemoryChannelLayer(capacity=2000))
    monkeypatch.setattr(waiting, "_lend", None)
    room = WaitingRoom(look_seconds=0.01, look=rows.look)
    yield room
    for task in room._tasks:
        task.cancel()
    await asyncio.gather(*room._tasks, return_exceptions=True)
    channel_layers.set("default", before)


def wake(job_id: uuid.UUID, seq: int, *, is_final: bool = False) -> None:
    wakeup.announce(GROUP, {"jobs": [[str(job_id), seq, is_final]]})


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not is_so():
            await asyncio.sleep(0.001)


async def begun(room: WaitingRoom, wait: asyncio.Task[bool]) -> asyncio.Task[bool]:
    """The wait, once the room hears wake-ups."""
    layer = channel_layers["default"]
    await until(lambda: bool(layer.groups.get(GROUP)) and bool(room._watchers))
    return wait


async def test_a_wait_ends_with_the_wake_up_of_the_end(room: WaitingRoom) -> None:
    wait = await begun(room, asyncio.create_task(room.wait_until_final(JOB, SECONDS)))

    await asyncio.to_thread(wake, JOB, 1)
    await asyncio.to_thread(wake, OTHER, 2, is_final=True)
    await asyncio.sleep(0.05)
    assert not wait.done()
    await asyncio.to_thread(wake, JOB, 2, is_final=True)

    assert await wait


async def test_a_wait_ends_by_a_look_when_the_wake_up_was_lost(room: WaitingRoom, rows: Rows) -> None:
    wait = await begun(room, asyncio.create_task(room.wait_until_final(JOB, SECONDS)))

    rows.put(JOB, 7, is_final=True)

    assert await wait


async def test_a_wait_ends_when_its_time_is_over(room: WaitingRoom) -> None:
    assert not await room.wait_until_final(JOB, 0.02)


async def test_what_was_told_before_the_wait_began_ends_it_at_once(room: WaitingRoom) -> None:
    await begun(room, asyncio.create_task(room.wait_until_final(OTHER, 0.05)))
    wake(JOB, 5, is_final=True)
    await until(lambda: JOB in room._newest)

    assert await room.wait_until_final(JOB, 0)


async def test_the_end_is_told_though_the_log_was_known_to_reach_that_far(room: WaitingRoom, rows: Rows) -> None:
    wait = await begun(room, asyncio.create_task(room.wait_until_final(JOB, SECONDS)))
    wake(JOB, 3)
    await until(lambda: JOB in room._newest)

    rows.put(JOB, 3, is_final=True)

    assert await wait


@pytest.mark.parametrize("late", [2, 3, 4])
async def test_no_later_news_turns_an_end_back(room: WaitingRoom, late: int) -> None:
    await begun(room, asyncio.create_task(room.wait_until_final(OTHER, 0.05)))
    wake(JOB, 3, is_final=True)
    await until(lambda: JOB in room._newest)
    wake(JOB, late)
    wake(OTHER, 1)
    await until(lambda: OTHER in room._newest)

    assert await room.wait_until_final(JOB, 0)


async def test_one_who_reads_all_hears_nothing_older_than_what_a_look_has_told(room: WaitingRoom, rows: Rows) -> None:
    heard: list[News] = []
    with room.watching_all(Readership(1, live=True), heard.append):
        await until(lambda: bool(channel_layers["default"].groups.get(GROUP)))
        rows.put(JOB, 4, is_final=True)
        wake(JOB, 3)
        await until(lambda: bool(heard))
        await asyncio.sleep(0.05)

    assert heard == [News(JOB, 4, is_final=True)]


async def test_a_thousand_waits_are_one_subscription_and_one_look(room: WaitingRoom, rows: Rows) -> None:
    jobs = [uuid.uuid4() for _ in range(1000)]
    waits = [asyncio.create_task(room.wait_until_final(job, SECONDS)) for job in jobs]
    await begun(room, waits[0])
    await until(lambda: any(len(at.job_ids) == 1000 for at in rows.looks))
    listeners = channel_layers["default"].groups[GROUP]

    for job in jobs:
        rows.put(job, 2, is_final=True)

    assert all(await asyncio.gather(*waits))
    assert len(listeners) == 1
    assert threading.active_count() < 20


async def test_nobody_waiting_means_no_look(room: WaitingRoom, rows: Rows) -> None:
    await room.wait_until_final(JOB, 0.03)
    await asyncio.sleep(0.03)
    rows.looks.clear()
    await asyncio.sleep(0.05)

    assert rows.looks == []


async def test_looking_goes_on_after_a_look_that_failed(
    room: WaitingRoom, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    rows.is_down = True
    wait = await begun(room, asyncio.create_task(room.wait_until_final(JOB, SECONDS)))
    await until(lambda: bool(rows.looks))
    rows.put(JOB, 2, is_final=True)
    rows.is_down = False

    assert await wait
    assert "The look at the waiting jobs failed" in caplog.text


async def test_a_wait_that_is_cancelled_leaves_the_room(room: WaitingRoom) -> None:
    wait = await begun(room, asyncio.create_task(room.wait_until_final(JOB, SECONDS)))

    wait.cancel()
    await asyncio.gather(wait, return_exceptions=True)

    assert (room._watchers, room._to_tell) == ({}, set())


async def test_closing_ends_every_wait_and_lets_nobody_in(room: WaitingRoom) -> None:
    waits = [asyncio.create_task(room.wait_until_final(job, SECONDS)) for job in (JOB, OTHER)]
    await begun(room, waits[0])

    room.close_all()

    for wait in waits:
        with pytest.raises(RoomClosed):
            await wait
    with pytest.raises(RoomClosed):
        await room.wait_until_final(JOB, SECONDS)


async def test_one_who_reads_all_hears_of_the_jobs_of_one_readership(room: WaitingRoom, rows: Rows) -> None:
    rows.put(JOB, 1)
    rows.put(OTHER, 1, organization_id=2)
    heard: list[News] = []
    with room.watching_all(Readership(1, live=True), heard.append):
        await until(lambda: bool(channel_layers["default"].groups.get(GROUP)))
        wake(JOB, 1)
        wake(OTHER, 1)
        await until(lambda: bool(heard))
        rows.put(JOB, 2, is_final=True)
        await until(lambda: len(heard) > 1)
    wake(JOB, 3)
    await asyncio.sleep(0.05)

    assert heard == [News(JOB, 1, is_final=False), News(JOB, 2, is_final=True)]


async def test_a_look_uses_borrowed_threads_where_there_are_some(
    room: WaitingRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ThreadPoolExecutor(1, thread_name_prefix="borrowed") as threads:
        monkeypatch.setattr(waiting, "_lend", lambda: threads)

        name = await room.run(lambda: threading.current_thread().name)

    assert name.startswith("borrowed")


def test_a_look_reads_the_jobs_named_and_what_goes_on_in_the_organizations(world: World) -> None:
    waiting_job = submitted(world)
    ended = finished(submitted(world))

    named = look(Look(frozenset({ended.pk}), frozenset()))
    of_all = look(Look(frozenset(), frozenset({world.customer.pk})))

    assert named == [Seen(ended.pk, world.customer.pk, True, 4, True)]
    assert {seen.job_id: seen.is_final for seen in of_all} == {waiting_job.pk: False, ended.pk: True}
    assert ended.state == JobState.SUCCEEDED


def test_a_look_at_organizations_reads_what_moves_and_not_what_only_waits(world: World) -> None:
    long_waiting, just_ordered, running, ended, long_ended = (submitted(world) for _ in range(5))
    claimed(running)
    finished(ended)
    finished(long_ended)
    long_ago = timezone.now() - timedelta(minutes=1)
    Job.unscoped.filter(pk__in=[long_waiting.pk, running.pk]).update(run_after=long_ago)
    Job.unscoped.filter(pk=long_ended.pk).update(finished_at=long_ago)

    seen = look(Look(frozenset(), frozenset({world.customer.pk})))

    assert [one.job_id for one in seen] == [just_ordered.pk, running.pk, ended.pk]


def test_a_look_at_many_jobs_is_few_queries(world: World, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    ids = frozenset(uuid.uuid4() for _ in range(15_000))

    with django_assert_num_queries(2):
        assert look(Look(ids, frozenset())) == []
