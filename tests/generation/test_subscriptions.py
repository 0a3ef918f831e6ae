from __future__ import annotations

import asyncio
import threading
import uuid
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from generation import subscriptions
from generation.contract import Refusal
from generation.looking import Seen
from generation.services.reading import Batch, Position, Reader
from generation.subscriptions import Subscriptions
from generation.waiting import WaitingRoom

JOB, OTHER = uuid.uuid4(), uuid.uuid4()
SECONDS = 10


@dataclass
class Logs:
    """Stands for a reader: logs of so many events, told two at a time; a read waits while `gate` is closed."""

    lengths: dict[uuid.UUID, int]
    gate: threading.Event = field(default_factory=threading.Event)
    reads: int = 0
    ended: set[uuid.UUID] = field(default_factory=set)
    caller: Any = field(default_factory=lambda: SimpleNamespace(organization=SimpleNamespace(pk=1), live=True))

    def positions(self) -> list[Position]:
        return [Position(job_id, self.lengths[job_id], is_final=True) for job_id in self.ended]

    def events(self, job_id: uuid.UUID, after: int) -> Batch:
        self.reads += 1
        self.gate.wait(SECONDS)
        length = self.lengths[job_id]
        told = range(after + 1, min(after + 2, length) + 1)
        events = tuple({"id": job_id, "seq": seq} for seq in told)
        seq = told[-1] if told else after
        is_final = job_id in self.ended and seq >= length
        return Batch(events, seq, is_final, has_more=bool(told) and told[-1] < length)


def following(logs: Logs, room: WaitingRoom | None = None) -> Subscriptions:
    return Subscriptions(cast(Reader, logs), room or WaitingRoom(look=lambda at: []))


async def some(subscribed: Subscriptions, count: int) -> list[tuple[Any, int]]:
    news = subscribed.news()
    async with asyncio.timeout(SECONDS):
        return [(event["id"], event["seq"]) for event in [await anext(news) for _ in range(count)]]


async def test_a_long_log_is_told_in_turns_with_the_others() -> None:
    logs = Logs({JOB: 4, OTHER: 1})
    logs.gate.set()
    with following(logs) as subscribed:
        subscribed.follow(JOB, 0)
        subscribed.follow(OTHER, 0)

        assert await some(subscribed, 5) == [(JOB, 1), (JOB, 2), (OTHER, 1), (JOB, 3), (JOB, 4)]


async def until_a_read_begins(logs: Logs) -> None:
    async with asyncio.timeout(SECONDS):
        while not logs.reads:
            await asyncio.sleep(0.001)


async def test_what_is_forgotten_while_it_is_read_is_not_told() -> None:
    logs = Logs({JOB: 2, OTHER: 1})
    with following(logs) as subscribed:
        subscribed.follow(JOB, 0)
        telling = asyncio.create_task(some(subscribed, 1))
        await until_a_read_begins(logs)
        subscribed.forget(str(JOB))
        subscribed.follow(OTHER, 0)
        logs.gate.set()

        assert await telling == [(OTHER, 1)]


async def test_what_is_followed_anew_while_it_is_read_begins_where_it_was_asked_to() -> None:
    logs = Logs({JOB: 4})
    with following(logs) as subscribed:
        subscribed.follow(JOB, 0)
        telling = asyncio.create_task(some(subscribed, 2))
        await until_a_read_begins(logs)
        subscribed.follow(JOB, 2)
        logs.gate.set()

        assert await telling == [(JOB, 3), (JOB, 4)]


async def test_one_socket_names_so_many_jobs_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "MOST", 2)
    with following(Logs({})) as subscribed:
        subscribed.follow(JOB, 0)
        subscribed.follow(OTHER, 0)
        subscribed.follow(JOB, 5)

        with pytest.raises(Refusal) as refused:
            subscribed.follow(uuid.uuid4(), 0)
    assert refused.value.code == "concurrency_limit_exceeded"


def end(logs: Logs, room: WaitingRoom, job_id: uuid.UUID, length: int = 1) -> None:
    """What a look at an ended job does; again and again while it has ended just now."""
    logs.lengths[job_id] = length
    logs.ended.add(job_id)
    room._newest.clear()
    room._saw(Seen(job_id, 1, True, length, True))


async def test_of_jobs_that_have_ended_only_some_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "ENDED_REMEMBERED", 3)
    logs, room = Logs({}), WaitingRoom(look=lambda at: [])
    logs.gate.set()
    with following(logs, room) as subscribed:
        await subscribed.follow_all()
        for _ in range(10):
            end(logs, room, job_id := uuid.uuid4())
            assert await some(subscribed, 1) == [(job_id, 1)]

        assert (len(subscribed._told), len(subscribed._ended)) == (3, 3)


async def test_a_job_that_has_ended_is_told_once_though_it_is_seen_again() -> None:
    logs, room = Logs({}), WaitingRoom(look=lambda at: [])
    logs.gate.set()
    with following(logs, room) as subscribed:
        await subscribed.follow_all()
        end(logs, room, JOB)
        assert await some(subscribed, 1) == [(JOB, 1)]
        end(logs, room, JOB)
        end(logs, room, OTHER)

        assert await some(subscribed, 1) == [(OTHER, 1)]


async def test_a_job_that_had_just_ended_before_is_not_told_when_it_is_seen() -> None:
    logs, room = Logs({JOB: 4}, ended={JOB}), WaitingRoom(look=lambda at: [])
    logs.gate.set()
    with following(logs, room) as subscribed:
        await subscribed.follow_all()
        end(logs, room, JOB, 4)
        end(logs, room, OTHER)

        assert await some(subscribed, 1) == [(OTHER, 1)]
        assert sorted(subscribed._ended) == sorted([JOB, OTHER])


async def test_an_ended_job_that_was_followed_by_its_id_is_let_go_with_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subscriptions, "ENDED_REMEMBERED", 1)
    logs, room = Logs({JOB: 1, OTHER: 1}, ended={JOB, OTHER}), WaitingRoom(look=lambda at: [])
    logs.gate.set()
    with following(logs, room) as subscribed:
        await subscribed.follow_all()
        for job_id in (JOB, OTHER):
            subscribed.follow(job_id, 0)
            assert await some(subscribed, 1) == [(job_id, 1)]
            assert job_id in subscribed._told
            subscribed.forget(str(job_id))
        end(logs, room, last := uuid.uuid4())

        assert await some(subscribed, 1) == [(last, 1)]
        assert list(subscribed._told) == [last]
