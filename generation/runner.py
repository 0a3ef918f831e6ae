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
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import close_old_connections, connections
from django.utils import timezone

from accounts.tenancy import system_scope
from generation.contract import Fault, Phase
from generation.dispatch import send_finish
from generation.models import Job, Runner
from generation.providers.base import ProviderError
from generation.services.claim import Work, claim
from generation.services.events import Entry, record_each
from generation.services.make import DeadlinePassed, make
from generation.services.note import note_lyrics, note_ticket
from generation.services.receive import receive, store_raw
from generation.services.retry import retry_or_fail
from generation.services.settle import settle
from generation.services.sweep import EXPIRED, sweep, sweep_if_due
from generation.states import JobState

logger = logging.getLogger("tutti.jobs")
P, R = ParamSpec("P"), TypeVar("R")

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
        self._news: dict[uuid.UUID, tuple[uuid.UUID, Entry]] = {}
        self._is_stopping = threading.Event()
        self._database = ThreadPoolExecutor(settings.TUTTI_RUNNER_DB_THREADS, thread_name_prefix="runner-db")
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
        self._database.submit(connections.close_all).result()
        self._database.shutdown()
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
            work = await self._db(claim, job_id, runner_id=self.id)
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
            self._news.pop(work.job_id, None)

    async def _attempt(self, work: Work) -> None:
        """One attempt, from the call to the hint for the audio worker."""
        if not work.is_received and not await self._bring(work):
            return
        await asyncio.to_thread(send_finish, work.job_id, work.token)

    async def _bring(self, work: Work) -> bool:
        """Have the song made and keep what came. False when the attempt is over without it."""
        try:
            delivery = await make(work, JobLine(work, self))
        except ProviderError as error:
            await self._db(retry_or_fail, work, error)
            return False
        except DeadlinePassed:
            await self._db(settle, work.job_id, token=work.token, fault=EXPIRED, state=JobState.EXPIRED)
            return False
        raw = await asyncio.to_thread(store_raw, work, delivery)
        return await self._db(receive, work, raw, lyrics=delivery.lyrics)

    # --- Chores ------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        await self._db(self._sign_in)
        await self._db(sweep, resend_all=not settings.TUTTI_QUEUE_OUTLIVES_PROCESS)
        every = (
            (settings.TUTTI_LEASE_RENEW_SECONDS, self._renew),
            (settings.TUTTI_SWEEP_SECONDS, self._sweep),
            (WATCH_SECONDS, self._watch),
            (PROGRESS_SECONDS, self._tell_news),
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
        await self._db(Runner.objects.filter(pk=self.id).update, lease_until=self._lease())

    async def _sweep(self) -> None:
        await self._db(sweep_if_due)

    async def _watch(self) -> None:
        """Stop the calls whose job was cancelled or taken over."""
        if not self._in_hand:
            return
        held = await self._db(self._held_tokens)
        for token, task in list(self._in_hand.values()):
            if token not in held and not task.done():
                task.cancel()

    async def _tell_news(self) -> None:
        """Write the newest progress of every job in one transaction, at most twice a second each."""
        news, self._news = self._news, {}
        if news:
            await self._db(record_each, [(job_id, token, entry) for job_id, (token, entry) in news.items()])

    async def _has_work(self) -> bool:
        return bool(self._in_hand) or await self._db(Job.unscoped.filter(runner=self.id, state=JobState.RUNNING).exists)

    async def _end(self) -> None:
        tasks = [*self._chores, *(task for _, task in self._in_hand.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._db(Runner.objects.filter(pk=self.id).update, lease_until=timezone.now())

    # --- Threads -----------------------------------------------------------------------------------------------

    def _held_tokens(self) -> set[uuid.UUID | None]:
        return set(Job.unscoped.filter(runner=self.id, state=JobState.RUNNING).values_list("token", flat=True))

    def _lease(self) -> Any:
        return timezone.now() + timedelta(seconds=settings.TUTTI_LEASE_SECONDS)

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _call(self, work: Coroutine[Any, Any, R]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _db(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run one whole transaction on a database thread."""

        def within() -> R:
            close_old_connections()
            try:
                with system_scope():
                    return call(*args, **kwargs)
            finally:
                close_old_connections()

        return await self._loop.run_in_executor(self._database, within)


class JobLine:
    """The way back from a provider to its job (see generation.providers.base.Line)."""

    def __init__(self, work: Work, runner: RunnerProcess) -> None:
        self._job = work
        self._runner = runner
        self._highest = -1

    async def progress(self, percent: float, phase: Phase) -> None:
        """Keep the newest whole percent; it never falls within an attempt."""
        whole = int(min(max(percent, 0.0), 100.0))
        if whole > self._highest:
            self._highest = whole
            entry = Entry("progress", {"progress": whole, "phase": phase, "expected_seconds": None})
            self._runner._news[self._job.job_id] = (self._job.token, entry)

    async def lyrics(self, text: str) -> None:
        await self._runner._db(note_lyrics, self._job, text)

    async def ticket(self, upstream_id: str) -> None:
        await self._runner._db(note_ticket, self._job, upstream_id)


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
