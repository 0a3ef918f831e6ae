"""How far the jobs that somebody waits for have come: read for all waiters of a process at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from generation.models import Job
from generation.states import FINAL

AT_ONCE: Final = 10_000
"""Ids in one query; SQLite takes no more than some 32,000 parameters."""
JUST_ENDED: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at: these jobs, and whatever is under way or has just ended in these organizations."""

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
    """One query for up to ten thousand jobs, one more where whole organizations are read."""
    return [
        Seen(job_id, organization_id, live, seq, state in FINAL)
        for jobs in _parts(at)
        for job_id, organization_id, live, seq, state in jobs.order_by().values_list(
            "pk", "organization_id", "live", "last_seq", "state"
        )
    ]


def _parts(at: Look) -> Iterator[QuerySet[Job]]:
    # Waiters of every organization are served by this one look; each was allowed to wait when it came.
    ids = list(at.job_ids)
    for start in range(0, len(ids), AT_ONCE):
        yield Job.unscoped.filter(pk__in=ids[start : start + AT_ONCE])
    if at.organization_ids:
        is_recent = ~Q(state__in=FINAL) | Q(finished_at__gte=timezone.now() - JUST_ENDED)
        yield Job.unscoped.filter(is_recent, organization_id__in=at.organization_ids)
