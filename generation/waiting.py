"""The waiting room: whoever waits for a job of this process waits here, on the server's loop.

However many wait, there is one subscription to the wake-ups of all jobs and, as a net under lost ones, one query a
second. A wait holds no thread and no database connection.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from django.db import connections

from generation.looking import Look, Seen, look
from generation.services.events import GROUP
from ground import wakeup

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

LOOK_SECONDS: Final = 1.0
GATHER_SECONDS: Final = 0.02
"""How long jobs nobody here knows are gathered, so that one query finds out whose they are."""
REMEMBERED: Final = 20_000
SUBSCRIBE_AGAIN_SECONDS: Final = 5.0


class RoomClosed(Exception):
    """The process stops: whoever waits should say so to its client, who comes back to another process."""


@dataclass(frozen=True, slots=True)
class News:
    """A job's log has reached `seq`; `is_final` when that is its end."""

    job_id: uuid.UUID
    seq: int
    is_final: bool

    def after(self, known: News | None) -> News:
        """What is known with this news: a log never gets shorter, and an end is never taken back."""
        if known is None:
            return self
        return News(self.job_id, max(known.seq, self.seq), known.is_final or self.is_final)


@dataclass(frozen=True, slots=True)
class Readership:
    """The jobs one caller may see: those of an organization, live or test."""

    organization_id: int
    live: bool


Hear = Callable[[News], None]
"""Called on the loop, and at once when news is known already. Must not block."""

_lend: Callable[[], Executor] | None = None
_rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, WaitingRoom] = WeakKeyDictionary()


def borrow_threads(lend: Callable[[], Executor]) -> None:
    """Look at the database on these threads; without them each room has one of its own, with its own connection."""
    global _lend  # noqa: PLW0603 - one server per process
    _lend = lend


def waiting_room() -> WaitingRoom:
    """The room of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _rooms:
        _rooms[loop] = WaitingRoom()
    return _rooms[loop]


class WaitingRoom:
    def __init__(self, *, look_seconds: float = LOOK_SECONDS, look: Callable[[Look], list[Seen]] = look) -> None:
        self._look_seconds = look_seconds
        self._look_at = look
        self._watchers: dict[uuid.UUID, set[Hear]] = {}
        self._readers: dict[Readership, set[Hear]] = {}
        self._newest: OrderedDict[uuid.UUID, News] = OrderedDict()
        self._readership_of: OrderedDict[uuid.UUID, Readership] = OrderedDict()
        self._strangers: dict[uuid.UUID, News] = {}
        self._stranger_came = asyncio.Event()
        self._is_occupied = asyncio.Event()
        self._to_tell: set[Callable[[], None]] = set()
        self._is_closed = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._own_thread: ThreadPoolExecutor | None = None

    # --- Waiting ---------------------------------------------------------------------------------------------

    async def wait_until_final(self, job_id: uuid.UUID, timeout: float) -> bool:  # noqa: ASYNC109
        """True once the job has ended, False when it has not within `timeout` seconds. Raises RoomClosed."""
        came: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def hear(news: News) -> None:
            if news.is_final and not came.done():
                came.set_result(True)

        def give_up() -> None:
            if not came.done():
                came.set_result(False)

        with self.closing(give_up), self.watching(job_id, hear):
            await asyncio.wait({came}, timeout=timeout)
        if came.done() and not came.result():
            raise RoomClosed
        return came.done()

    @contextmanager
    def closing(self, tell: Callable[[], None]) -> Iterator[None]:
        """Be told when the process stops. Raises RoomClosed when it has begun to."""
        if self._is_closed:
            raise RoomClosed
        self._to_tell.add(tell)
        try:
            yield
        finally:
            self._to_tell.discard(tell)

    @contextmanager
    def watching(self, job_id: uuid.UUID, hear: Hear) -> Iterator[None]:
        """Hear of one job. What the last minutes have told of it is heard at once."""
        with self._listed(self._watchers, job_id, hear):
            if job_id in self._newest:
                hear(self._newest[job_id])
            yield

    @contextmanager
    def watching_all(self, readership: Readership, hear: Hear) -> Iterator[None]:
        """Hear of every job of a readership, from now on."""
        with self._listed(self._readers, readership, hear):
            yield

    @contextmanager
    def _listed(self, book: dict[Any, set[Hear]], name: object, hear: Hear) -> Iterator[None]:
        self._open()
        book.setdefault(name, set()).add(hear)
        self._is_occupied.set()
        try:
            yield
        finally:
            book[name].discard(hear)
            if not book[name]:
                del book[name]
            if not self._watchers and not self._readers:
                self._is_occupied.clear()

    def close_all(self) -> None:
        """End every wait, stream and socket of this process."""
        self._is_closed = True
        for tell in tuple(self._to_tell):
            tell()

    # --- Hearing ---------------------------------------------------------------------------------------------

    def _open(self) -> None:
        if not self._tasks:
            self._keep(self._listen())
            self._keep(self._look_regularly())
            self._keep(self._meet_strangers())

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        # A fresh context: neither the scope nor the threads of the request that came first.
        self._tasks.add(asyncio.get_running_loop().create_task(work, context=Context()))

    async def _listen(self) -> None:
        while True:
            try:
                async with wakeup.listening(GROUP) as messages:
                    async for message in messages:
                        self._hear(message)
            except Exception as broken:  # noqa: BLE001 - whatever the layer's client raises
                logger.warning("No wake-ups arrive; looking once a second instead: %s", broken)
            await asyncio.sleep(SUBSCRIBE_AGAIN_SECONDS)

    def _hear(self, message: Mapping[str, Any]) -> None:
        for job_id, seq, is_final in message["jobs"]:
            self._tell(News(uuid.UUID(job_id), seq, is_final))

    def _tell(self, news: News) -> None:
        known = self._newest.get(news.job_id)
        news = news.after(known)
        if news == known:
            return
        _remember(self._newest, news.job_id, news)
        for hear in tuple(self._watchers.get(news.job_id, ())):
            hear(news)
        if self._readers:
            self._tell_readers(news)

    def _tell_readers(self, news: News) -> None:
        readership = self._readership_of.get(news.job_id)
        if readership is None:
            self._strangers[news.job_id] = news
            self._stranger_came.set()
            return
        for hear in tuple(self._readers.get(readership, ())):
            hear(news)

    # --- Looking ---------------------------------------------------------------------------------------------

    async def _look_regularly(self) -> None:
        while True:
            await self._is_occupied.wait()
            await asyncio.sleep(self._look_seconds)
            readers = frozenset(readership.organization_id for readership in self._readers)
            await self._look(Look(frozenset(self._watchers), readers))

    async def _meet_strangers(self) -> None:
        while True:
            await self._stranger_came.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._stranger_came.clear()
            met, self._strangers = self._strangers, {}
            await self._look(Look(frozenset(met), frozenset()))
            for news in met.values():
                is_newest = self._newest.get(news.job_id, news) == news  # newer news was told when it came
                if is_newest and news.job_id in self._readership_of:
                    self._tell_readers(news)

    async def _look(self, at: Look) -> None:
        try:
            for seen in await self.run(self._look_at, at):
                self._saw(seen)
        except Exception:
            logger.exception("The look at the waiting jobs failed; the next one follows.")

    def _saw(self, seen: Seen) -> None:
        _remember(self._readership_of, seen.job_id, Readership(seen.organization_id, seen.live))
        self._tell(News(seen.job_id, seen.seq, seen.is_final))

    async def run(self, work: Callable[..., Result], *args: Any) -> Result:
        """Run sync code that reads the database, on a borrowed thread where there is one."""
        loop = asyncio.get_running_loop()
        if _lend is not None:
            return await loop.run_in_executor(_lend(), work, *args)
        if self._own_thread is None:
            self._own_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="waiting-room")
        return await loop.run_in_executor(self._own_thread, _and_disconnect, work, *args)


def _remember(book: OrderedDict[uuid.UUID, Any], name: uuid.UUID, value: object) -> None:
    book[name] = value
    book.move_to_end(name)
    if len(book) > REMEMBERED:
        book.popitem(last=False)


def _and_disconnect(work: Callable[..., Result], *args: Any) -> Result:
    try:
        return work(*args)
    finally:
        connections.close_all()
