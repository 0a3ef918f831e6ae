"""How far the jobs that somebody waits for have come: read for all waiters of a process at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from generation.models import Job
from generation.models.job import JobQuerySet
from generation.states import FINAL, JobState

AT_ONCE: Final = 10_000
"""Ids in one query; SQLite takes no more than some 32,000 parameters."""
LATELY: Final = timedelta(seconds=10)
"""Many looks: one that fails loses nothing."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at: these jobs, and whatever moves or has just ended in these organizations."""

    job_ids: frozenset[uuid.UUID]
    organization_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Seen:
    job_id: uuid.UUID
    organization_id: int
    live: bool
    seq: int
    is_final: bool


def look(at: Look) -> list[Seen]:
    """One query for up to ten thousand jobs, three more where whole organizations are read."""
    return [
        Seen(job_id, organization_id, live, seq, state in FINAL)
        for jobs in parts_of(at)
        for job_id, organization_id, live, seq, state in jobs.order_by().values_list(
            "pk", "organization_id", "live", "last_seq", "state"
        )
    ]


def parts_of(at: Look) -> Iterator[QuerySet[Job]]:
    # Waiters of every organization are served by this one look; each was allowed to wait when it came.
    ids = list(at.job_ids)
    for start in range(0, len(ids), AT_ONCE):
        yield Job.unscoped.filter(pk__in=ids[start : start + AT_ONCE])
    if at.organization_ids:
        yield from _what_moves(Job.unscoped.filter(organization_id__in=at.organization_ids))


def _what_moves(jobs: JobQuerySet) -> Iterator[QuerySet[Job]]:
    """Jobs that may have news, in the order they go through: one that moves on meanwhile is met further on.

    A long queue is not read: a job that waits says something when it is ordered or sent back, and then nothing.
    """
    lately = timezone.now() - LATELY
    under_way = jobs.filter(finished_at__isnull=True)
    yield under_way.filter(state=JobState.QUEUED, run_after__gte=lately)
    yield under_way.filter(state=JobState.RUNNING)
    yield jobs.filter(finished_at__gte=lately)
