"""Which jobs a socket follows, how far each has been told, and what comes next."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Self

from asgiref.sync import sync_to_async

from generation.contract import Refusal
from generation.services.reading import Reader
from generation.waiting import News, Readership, WaitingRoom

MOST: Final = 1000
"""Jobs one socket may name; `*` follows any number."""
EVERY_JOB: Final = "*"
ENDED_REMEMBERED: Final = 10_000
"""Jobs that have ended and of which news may yet come again; older ones are forgotten."""


class Subscriptions:
    """Each event of each followed job once, in the order of its job, however it became known."""

    def __init__(self, reader: Reader, room: WaitingRoom) -> None:
        self._reader, self._room = reader, room
        self._told: dict[uuid.UUID, int] = {}
        self._watches: dict[uuid.UUID | str, ExitStack] = {}
        self._behind: dict[uuid.UUID, None] = {}
        self._ended: dict[uuid.UUID, None] = {}
        self._stirred = asyncio.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for watch in self._watches.values():
            watch.close()
        self._watches.clear()

    def follow(self, job_id: uuid.UUID, after: int) -> None:
        """Tell the events after number `after`, then those that come. Following again begins there anew."""
        if job_id not in self._watches:
            if len(self._watches) >= MOST:
                raise Refusal("concurrency_limit_exceeded", f"One socket follows at most {MOST} jobs by their ids.")
            self._ended.pop(job_id, None)
            self._watches[job_id] = watch = ExitStack()
            watch.enter_context(self._room.watching(job_id, self._hear))
        self._told[job_id] = after
        self._is_behind(job_id)

    async def follow_all(self) -> None:
        """Tell what happens to every job of the caller from now on."""
        if EVERY_JOB in self._watches:
            return
        caller = self._reader.caller
        self._watches[EVERY_JOB] = watch = ExitStack()
        # Listen first: what happens while the positions are read must not fall between.
        heard: list[News] = []
        hear = heard.append
        watch.enter_context(
            self._room.watching_all(Readership(caller.organization.pk, caller.live), lambda news: hear(news))  # noqa: PLW0108 - `hear` changes below
        )
        for reached in await sync_to_async(self._reader.positions, thread_sensitive=True)():
            self._told.setdefault(reached.job_id, reached.seq)
            if reached.is_final:
                self._has_ended(reached.job_id)
        hear = self._hear
        for news in heard:
            self._hear(news)

    def forget(self, name: str) -> None:
        """Stop following a job, or every job. What is not followed is no error."""
        key = _as_key(name)
        if watch := self._watches.pop(key, None):
            watch.close()
        if EVERY_JOB not in self._watches:
            for job_id in [job_id for job_id in self._told if job_id not in self._watches]:
                self._drop(job_id)
        elif isinstance(key, uuid.UUID) and key in self._told:
            self._is_behind(key)  # read once more: the read tells whether it has ended

    async def news(self) -> AsyncIterator[dict[str, Any]]:
        """Endless: the events of all followed jobs; a job with more of them waits its turn."""
        while True:
            await self._stirred.wait()
            job_id = next(iter(self._behind), None)
            if job_id is None:
                self._stirred.clear()
                continue
            del self._behind[job_id]
            async for event in self._next_of(job_id):
                yield event

    async def _next_of(self, job_id: uuid.UUID) -> AsyncIterator[dict[str, Any]]:
        before = self._told[job_id]
        batch = await sync_to_async(self._reader.events, thread_sensitive=True)(job_id, before)
        if self._told.get(job_id) != before:
            return  # forgotten, or begun anew, while its rows were read
        self._told[job_id] = batch.seq
        if batch.has_more:
            self._is_behind(job_id)
        elif batch.is_final:
            self._has_ended(job_id)
        for event in batch.events:
            yield event

    def _hear(self, news: News) -> None:
        if news.seq > self._told.setdefault(news.job_id, 0):
            self._is_behind(news.job_id)

    def _has_ended(self, job_id: uuid.UUID) -> None:
        if job_id in self._watches:
            return
        self._ended[job_id] = None
        if len(self._ended) > ENDED_REMEMBERED:
            self._drop(next(iter(self._ended)))

    def _drop(self, job_id: uuid.UUID) -> None:
        for book in (self._told, self._behind, self._ended):
            book.pop(job_id, None)

    def _is_behind(self, job_id: uuid.UUID) -> None:
        self._behind[job_id] = None
        self._stirred.set()


def _as_key(name: str) -> uuid.UUID | str:
    if name == EVERY_JOB:
        return name
    try:
        return uuid.UUID(name)
    except ValueError:
        return name
