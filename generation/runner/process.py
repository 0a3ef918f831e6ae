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

from generation.dispatch import send_finish
from generation.models import Job, Runner
from generation.providers.base import ProviderError
from generation.runner.database import DatabaseThreads
from generation.runner.line import JobLine, News
from generation.services.claim import Work, claim
from generation.services.make import DeadlinePassed, make
from generation.services.receive import receive, store_raw
from generation.services.retry import retry_or_fail
from generation.services.settle import settle
from generation.services.sweep import EXPIRED, sweep, sweep_if_due
from generation.states import JobState

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
        self._in_hand: dict[uuid.UUID, tuple[uuid.UUID, asyncio.Task[None]]] = {}
        self._is_stopping = threading.Event()
        self._database = DatabaseThreads(settings.TUTTI_RUNNER_DB_THREADS)
        self._news = News(self._database)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run_loop, name="runner", daemon=True)
        self._chores: list[asyncio.Task[None]] = []

    # --- Life of the process -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Sign in, sweep once, and begin the chores."""
        self._thread.start()
        self._call(self._begin()).result()

    def stop_taking(self) -> None:
        """Take nothing new from now on."""
        self._is_stopping.set()

    def drain(self, grace_seconds: float) -> bool:
        """Let what is in hand end, at most for the grace; then give up the lease. True when all of it ended."""
        self.stop_taking()
        end = time.monotonic() + grace_seconds
        while (has_work := self._call(self._has_work()).result()) and time.monotonic() < end:
            time.sleep(0.2)
        self._call(self._end()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._database.close()
        return not has_work

    @property
    def in_hand(self) -> int:
        """How many jobs are with their upstreams now."""
        return len(self._in_hand)

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def take(self, job_id: uuid.UUID) -> None:
        """Wait for a free slot and put the job in hand; returns at once then. Raises Stopping."""
        while not self._free.acquire(timeout=SLOT_STEP_SECONDS):
            if self._is_stopping.is_set():
                raise Stopping
        if self._is_stopping.is_set():
            self._free.release()
            raise Stopping
        self._call(self._carry(job_id))

    # --- One job -----------------------------------------------------------------------------------------------

    async def _carry(self, job_id: uuid.UUID) -> None:
        try:
            if self._is_stopping.is_set():
                return
            work = await self._database.run(claim, job_id, runner_id=self.id)
            if work is not None:
                await self._work(work)
        except Exception:
            # The job keeps its row; the sweep takes it up again.
            logger.exception("Job %s was dropped.", job_id)
        finally:
            self._free.release()

    async def _work(self, work: Work) -> None:
        task = asyncio.ensure_future(self._attempt(work))
        self._in_hand[work.job_id] = (work.token, task)
        try:
            await task
        except asyncio.CancelledError:
            logger.info("Job %s is no longer ours: its call was stopped.", work.job_id)
        finally:
            self._in_hand.pop(work.job_id, None)
            self._news.drop(work)

    async def _attempt(self, work: Work) -> None:
        """One attempt, from the call to the hint for the audio worker."""
        if not work.is_received and not await self._bring(work):
            return
        await asyncio.to_thread(send_finish, work.job_id, work.token)

    async def _bring(self, work: Work) -> bool:
        """Have the song made and keep what came. False when the attempt is over without it."""
        try:
            delivery = await make(work, JobLine(work, self._news, self._database))
        except ProviderError as error:
            await self._database.run(retry_or_fail, work, error)
            return False
        except DeadlinePassed:
            await self._database.run(settle, work.job_id, token=work.token, fault=EXPIRED, state=JobState.EXPIRED)
            return False
        raw = await asyncio.to_thread(store_raw, work, delivery)
        return await self._database.run(receive, work, raw, lyrics=delivery.lyrics)

    # --- Chores ------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        await self._database.run(self._sign_in)
        await self._database.run(sweep, resend_all=not settings.TUTTI_QUEUE_OUTLIVES_PROCESS)
        every = (
            (settings.TUTTI_LEASE_RENEW_SECONDS, self._renew),
            (settings.TUTTI_SWEEP_SECONDS, self._sweep),
            (WATCH_SECONDS, self._watch),
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

    def _sign_in(self) -> None:
        Runner.objects.create(
            id=self.id,
            host=socket.gethostname(),
            process=os.getpid(),
            slots=self.slots,
            lease_until=self._lease(),
            started_at=timezone.now(),
        )

    async def _renew(self) -> None:
        """One UPDATE of one row renews the lease on every job in hand."""
        await self._database.run(Runner.objects.filter(pk=self.id).update, lease_until=self._lease())

    async def _sweep(self) -> None:
        await self._database.run(sweep_if_due)

    async def _watch(self) -> None:
        """Stop the calls whose job was cancelled or taken over."""
        if not self._in_hand:
            return
        held = await self._database.run(self._held_tokens)
        for token, task in list(self._in_hand.values()):
            if token not in held and not task.done():
                task.cancel()

    async def _has_work(self) -> bool:
        return bool(self._in_hand) or await self._database.run(
            Job.unscoped.filter(runner=self.id, state=JobState.RUNNING).exists
        )

    async def _end(self) -> None:
        tasks = [*self._chores, *(task for _, task in self._in_hand.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._database.run(Runner.objects.filter(pk=self.id).update, lease_until=timezone.now())

    # --- Threads -----------------------------------------------------------------------------------------------

    def _held_tokens(self) -> set[uuid.UUID | None]:
        return set(Job.unscoped.filter(runner=self.id, state=JobState.RUNNING).values_list("token", flat=True))

    def _lease(self) -> datetime:
        return timezone.now() + timedelta(seconds=settings.TUTTI_LEASE_SECONDS)

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)
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
