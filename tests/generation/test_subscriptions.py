from __future__ import annotations

import asyncio
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from generation import subscriptions
from generation.contract import Refusal
from generation.services.reading import Batch, Reader
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

    def events(self, job_id: uuid.UUID, after: int) -> Batch:
        self.reads += 1
        self.gate.wait(SECONDS)
        length = self.lengths[job_id]
        told = range(after + 1, min(after + 2, length) + 1)
        events = tuple({"id": job_id, "seq": seq} for seq in told)
        return Batch(events, told[-1] if told else after, is_final=False, has_more=bool(told) and told[-1] < length)


def following(logs: Logs) -> Subscriptions:
    return Subscriptions(cast(Reader, logs), WaitingRoom(look=lambda at: []))


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
