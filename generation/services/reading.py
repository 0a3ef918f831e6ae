"""What one reader may see of jobs, read in short pieces by those who stay: streams and sockets."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from accounts import tenancy
from accounts.caller import Caller
from generation.contract import JobView
from generation.dialects.base import Dialect
from generation.models import Job
from generation.services.hearing import Hearing
from generation.services.queries import events_after, find_job, job_view
from generation.states import FINAL

AT_ONCE: Final = 500
AT_ONCE_WITH_AUDIO: Final = 8
"""A piece is some hundred kilobytes, and as text a third more."""
JUST_ENDED: Final = timedelta(minutes=1)
"""Longer than news of an ended job may take to arrive."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far the log of a job reaches; `is_final`: that is its end."""

    job_id: uuid.UUID
    seq: int
    is_final: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """The next events of a job; `seq` is how far they reach, `is_final`: none will follow. `has_more`: read on."""

    events: tuple[dict[str, Any], ...]
    seq: int
    is_final: bool
    has_more: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads for one caller in the words of one wire. Each read enters the caller's own scope, on any thread."""

    caller: Caller
    dialect: Dialect
    with_audio: bool = False

    def job(self, job_id: str | uuid.UUID) -> JobView:
        """Raises Refusal `not_found`."""
        with self._scope():
            return job_view(job_id, base_url=settings.BASE_URL, live=self.caller.live, link_life=self.dialect.link_life)

    def position(self, job_id: str | uuid.UUID) -> Position:
        """Raises Refusal `not_found`."""
        with self._scope():
            job = find_job(job_id, live=self.caller.live)
            return Position(job.pk, job.last_seq, job.is_final)

    def hearing(self, job_id: uuid.UUID, take: int) -> Hearing | None:
        """A listener to a take while it is made; None where nothing is to be heard before the end.

        Raises Refusal `not_found`.
        """
        with self._scope():
            job = find_job(job_id, live=self.caller.live)
            return Hearing(job.pk, take) if job.song.partial_audio and not job.is_final else None

    def positions(self) -> list[Position]:
        """How far the logs reach of all jobs that are under way or have just ended."""
        with self._scope():
            jobs = Job.objects.filter(live=self.caller.live).order_by().values_list("pk", "last_seq")
            # In this order: a job that ends between the two is met twice, and not missed.
            under_way = dict(jobs.filter(finished_at__isnull=True))
            ended = dict(jobs.filter(finished_at__gte=timezone.now() - JUST_ENDED))
        return [Position(job_id, seq, job_id in ended) for job_id, seq in (under_way | ended).items()]

    def events(self, job_id: uuid.UUID, after: int) -> Batch:
        """The events that follow `after`, of a job this reader was allowed to follow."""
        at_once = AT_ONCE_WITH_AUDIO if self.with_audio else AT_ONCE
        with self._scope():
            rows = events_after(
                job_id,
                after,
                base_url=settings.BASE_URL,
                render_job=lambda job: self.dialect.view(_with_links(job)).body,
                limit=at_once,
                link_life=self.dialect.link_life,
                with_audio=self.with_audio,
            )
            # A reader may be at the end already, or beyond it: then no final event comes to tell it so.
            has_ended = any(row["type"] in FINAL for row in rows) or (not rows and self._is_over(job_id, after))
        return Batch(
            events=tuple(rows),
            seq=rows[-1]["seq"] if rows else after,
            is_final=has_ended,
            has_more=len(rows) == at_once,
        )

    def _is_over(self, job_id: uuid.UUID, after: int) -> bool:
        return Job.objects.filter(pk=job_id, state__in=FINAL, last_seq__lte=after).exists()

    @contextmanager
    def _scope(self) -> Iterator[None]:
        with tenancy.scope(self.caller.organization):
            yield


def _with_links(job: JobView) -> JobView:
    """Events go to many readers at once: they carry links, however the order wanted its answer."""
    return replace(job, wire={**job.wire, "output_format": "url", "audio_as": "url"})
