"""A worker process that has jobs in hand: one thread with one asyncio loop, many slots, one lease.

A song takes minutes and is waited for on the loop, so a call in flight holds no thread. The database is reached
through a few threads of its own, each call one whole transaction.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.utils import timezone

from generation.models import Job, Runner
from generation.runner.database import DatabaseThreads
from generation.runner.hands import Hands
from generation.runner.line import News
from generation.services.sweep import sweep, sweep_if_due
from generation.states import JobState
from ground.outbound import OUTBOUND

logger = logging.getLogger("tutti.jobs")
Result = TypeVar("Result")

PROGRESS_SECONDS = 0.5
WATCH_SECONDS = 1.0
SLOT_STEP_SECONDS = 0.5


class Stopping(Exception):
    """The runner takes nothing new."""


class RunnerProcess:
    """The runner of this process. `take` is called from queue threads, everything else runs on its loop."""

    def __init__(self, *, slots: int) -> None:
        self.id = uuid.uuid4()
        self.slots = slots
        self._free = threading.BoundedSemaphore(slots)
        self._taken = 0
        self._is_stopping = threading.Event()
        self._database = DatabaseThreads(settings.TUTTI_RUNNER_DB_THREADS)
        self._news = News(self._database)
        self._hands = Hands(runner_id=self.id, database=self._database, news=self._news)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run_loop, name="runner", daemon=True)
        self._chores: list[asyncio.Task[None]] = []

    @property
    def in_hand(self) -> int:
        """How many jobs are with their upstreams now."""
        return self._hands.calling

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    # --- Life of the process -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Sign in, sweep once, and begin the chores."""
        self._thread.start()
        self._call(self._begin()).result()

    def take(self, job_id: uuid.UUID) -> None:
        """Wait for a free slot and put the job in hand; returns at once then. Raises Stopping."""
        while not self._free.acquire(timeout=SLOT_STEP_SECONDS):
            if self._is_stopping.is_set():
                raise Stopping
        if self._is_stopping.is_set():
            self._free.release()
            raise Stopping
        self._call(self._carry(job_id))

    def stop_taking(self) -> None:
        """Take nothing new from now on."""
        self._is_stopping.set()

    def drain(self, grace_seconds: float) -> bool:
        """Let what is in hand end, at most for the grace; then give up the lease. True when all of it ended."""
        self.stop_taking()
        end = time.monotonic() + grace_seconds
        try:
            while (has_work := self._call(self._has_work()).result()) and time.monotonic() < end:
                time.sleep(0.2)
        finally:
            self._call(self._end()).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._database.close()
        return not has_work

    # --- On the loop -------------------------------------------------------------------------------------------

    async def _carry(self, job_id: uuid.UUID) -> None:
        self._taken += 1
        try:
            if not self._is_stopping.is_set():
                await self._hands.carry(job_id)
        except Exception:
            # The job keeps its row: as a stray it is taken up again.
            logger.exception("Job %s was dropped.", job_id)
        finally:
            self._taken -= 1
            self._free.release()

    async def _begin(self) -> None:
        await self._database.run(self._sign_in)
        await self._database.run(sweep, resend_all=not settings.TUTTI_QUEUE_OUTLIVES_PROCESS)
        every = (
            (settings.TUTTI_LEASE_RENEW_SECONDS, self._renew),
            (settings.TUTTI_SWEEP_SECONDS, self._sweep),
            (WATCH_SECONDS, self._hands.watch),
            (PROGRESS_SECONDS, self._news.tell),
        )
        self._chores = [asyncio.ensure_future(self._repeat(seconds, chore)) for seconds, chore in every]

    async def _repeat(self, seconds: float, chore: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await chore()
            except Exception:
                logger.exception("A chore of the runner failed; it is tried again in %s s.", seconds)

    async def _renew(self) -> None:
        """One UPDATE of one row renews the lease on every job in hand."""
        if not await self._database.run(Runner.objects.filter(pk=self.id).update, lease_until=self._lease()):
            # The machine slept for days, and the row was cleared away as a dead runner's.
            await self._database.run(self._sign_in)

    async def _sweep(self) -> None:
        await self._database.run(sweep_if_due)

    async def _has_work(self) -> bool:
        ours = Job.unscoped.filter(runner=self.id, state=JobState.RUNNING)
        return self._taken > 0 or await self._database.run(ours.exists)

    async def _end(self) -> None:
        for chore in self._chores:
            chore.cancel()
        self._hands.stop()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await OUTBOUND.close()
        await self._database.run(Runner.objects.filter(pk=self.id).update, lease_until=timezone.now())

    # --- Threads -----------------------------------------------------------------------------------------------

    def _sign_in(self) -> None:
        Runner.objects.create(
            id=self.id,
            host=socket.gethostname(),
            process=os.getpid(),
            slots=self.slots,
            lease_until=self._lease(),
            started_at=timezone.now(),
        )

    def _lease(self) -> datetime:
        return timezone.now() + timedelta(seconds=settings.TUTTI_LEASE_SECONDS)

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()

    def _call(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)


_current: RunnerProcess | None = None


def start_runner() -> RunnerProcess:
    """Start the runner of this process."""
    global _current  # noqa: PLW0603 - a process has one runner, as it has one event loop for it
    _current = RunnerProcess(slots=settings.TUTTI_RUNNER_SLOTS)
    _current.start()
    return _current


def current_runner() -> RunnerProcess:
    """The runner of this process; a task that arrives before it is started is a fault of the start-up order."""
    if _current is None:
        raise RuntimeError("no runner was started in this process")
    return _current
