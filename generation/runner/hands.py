"""The jobs a runner has in hand, each from its claim to the hint for the audio worker."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass
from functools import partial

from django.db.models import F

from generation.contract import Delivery, WrittenLyrics
from generation.dispatch import send_finish
from generation.models import Attempt, Job
from generation.providers.base import ProviderError
from generation.providers.registry import is_repeatable
from generation.runner.database import DatabaseThreads, insist
from generation.runner.line import JobLine, News
from generation.runner.sources import within_reach
from generation.services.claim import Work, claim
from generation.services.deliver_text import deliver_text
from generation.services.health import hold_against
from generation.services.keep_text import keep_written
from generation.services.make import DeadlinePassed, in_time, make
from generation.services.receive import receive, store_raw
from generation.services.retry import retry_or_fail
from generation.services.settle import settle
from generation.services.sweep import EXPIRED, LATE_GRACE, is_unwritten, recover
from generation.services.write import write_first
from generation.states import AttemptState, JobState

logger = logging.getLogger("tutti.jobs")

STRAY_SECONDS = 30.0
"""How long a job may be ours by its row and in nobody's hand before it is taken up again."""


@dataclass(slots=True)
class Hand:
    """One attempt under way. Only the call itself is ever stopped; what came of it is always kept."""

    work: Work
    task: asyncio.Task[Delivery]

    def stop_calling(self) -> None:
        # A call that is billed anyway goes on: its result is kept out, and its cost noted.
        if is_repeatable(self.work.provider):
            self.task.cancel()


class Hands:
    """Carries jobs through their attempts on the runner's loop."""

    def __init__(self, *, runner_id: uuid.UUID, database: DatabaseThreads, news: News) -> None:
        self._runner_id = runner_id
        self._database = database
        self._news = news
        self._carrying: set[uuid.UUID] = set()
        self._calling: dict[uuid.UUID, Hand] = {}
        self._strays: dict[uuid.UUID, float] = {}

    def __len__(self) -> int:
        return len(self._carrying)

    @property
    def calling(self) -> int:
        """How many jobs are with their upstreams now."""
        return len(self._calling)

    async def carry(self, job_id: uuid.UUID) -> None:
        """Claim a job, if it is still to be had, and see its attempt through."""
        work = await self._database.run(claim, job_id, runner_id=self._runner_id)
        if work is None:
            return
        self._carrying.add(work.token)
        try:
            if work.is_received or await self._bring(work):
                await asyncio.to_thread(send_finish, work.token)
        finally:
            self._carrying.discard(work.token)
            self._news.drop(work)

    async def _bring(self, work: Work) -> bool:
        """Have the song made and keep what came. False when the attempt is over: it failed, or a text is an end."""
        latest = work.deadline + LATE_GRACE
        try:
            delivery = await self._call(work)
        except ProviderError as error:
            await insist(partial(self._database.run, retry_or_fail, work, error), until=latest)
            return False
        except DeadlinePassed:
            await insist(partial(self._database.run, expire, work), until=latest)
            return False
        except asyncio.CancelledError:
            logger.info("Job %s is no longer ours: its call was stopped.", work.job_id)
            return False
        if delivery.text is not None:
            await insist(partial(self._database.run, deliver_text, work, delivery.text), until=latest)
            return False
        raw = await insist(partial(asyncio.to_thread, store_raw, work, delivery), until=latest)
        note = partial(receive, work, raw, lyrics=delivery.lyrics, missing=delivery.missing)
        return await insist(partial(self._database.run, note), until=latest)

    async def _call(self, work: Work) -> Delivery:
        task = asyncio.ensure_future(self._make(within_reach(work, self._database)))
        self._calling[work.token] = Hand(work, task)
        try:
            return await task
        finally:
            del self._calling[work.token]

    async def _make(self, work: Work) -> Delivery:
        """The song, whose lyrics are written first where the order left that to us."""
        if work.writing is not None:
            try:
                work = await in_time(work, write_first(work, work.writing, self._keep_written))
            except ProviderError as error:
                # Whoever makes the song has not heard of it.
                error.blame = "nobody"
                raise
        line = JobLine(work, self._news, self._database)
        delivery = await make(work, line)
        await line.end_audio()
        return delivery

    async def _keep_written(self, work: Work, text: WrittenLyrics) -> bool:
        return await insist(partial(self._database.run, keep_written, work, text), until=work.deadline)

    async def watch(self) -> None:
        """Stop the calls of jobs that were cancelled or taken over; take up those that nobody carries."""
        ours = dict(self._calling)  # before the look: what is claimed meanwhile is not in its answer
        submitting = await self._database.run(self._submitting)
        for token, hand in ours.items():
            if token not in submitting:
                hand.stop_calling()
        await self._take_up_strays({token for token in submitting if token not in self._carrying})

    async def _take_up_strays(self, strays: set[uuid.UUID]) -> None:
        now = time.monotonic()
        self._strays = {token: self._strays.get(token, now) for token in strays}
        for token, since in list(self._strays.items()):
            if now - since >= STRAY_SECONDS:
                logger.warning("Attempt %s was dropped; its job is taken up again.", token)
                await self._database.run(recover, token)

    def stop(self) -> None:
        """Stop every call: the process ends."""
        for hand in self._calling.values():
            hand.task.cancel()

    def _submitting(self) -> set[uuid.UUID]:
        """The tokens of every call that is ours by its row."""
        ours = Attempt.unscoped.filter(job__runner=self._runner_id, job__state=JobState.RUNNING, job__token=F("token"))
        return set(ours.filter(state=AttemptState.SUBMITTING).values_list("token", flat=True))


def expire(work: Work) -> bool:
    """End a job whose deadline came while its upstream was at it; one that bills may bill for it all the same."""
    job = Job.unscoped.only("writer", "lyrics").get(pk=work.job_id)
    provider = work.provider
    if work.writing is not None and is_unwritten(job):
        provider = work.writing.provider
    else:
        hold_against(work, "upstream")
    is_flagged = not is_repeatable(provider)
    return settle(work.job_id, token=work.token, fault=EXPIRED, state=JobState.EXPIRED, is_flagged=is_flagged)
