"""Jobs that wait for a slot or a circuit: nobody polls, what frees one calls the longest waiting."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from generation.dispatch import send_run_on_commit
from generation.models import Job
from generation.services.routes import NoWay, lock_slots
from generation.states import JobState

LONGEST_HINT: Final = timedelta(minutes=10)
"""A hint that is due later is left to the sweep."""


def park(job: Job, wait: NoWay, now: datetime) -> None:
    """Put a job aside inside the claim's transaction; its place in the line is its age."""
    Job.unscoped.filter(pk=job.pk, state=JobState.QUEUED).update(
        parked_at=Coalesce("parked_at", now),
        upstream=wait.upstream_id,
        run_after=wait.until,
        sent_at=wait.until,
        sent_count=1,
    )
    if not wait.is_full and wait.until - now <= LONGEST_HINT:
        send_run_on_commit(job.pk, after=wait.until - now)


def call_next(upstream_id: int | None, *, count: int = 1) -> None:
    """Call the jobs that have waited longest for this upstream, inside the transaction that frees its slots."""
    if upstream_id is None or count <= 0:
        return
    with transaction.atomic(savepoint=False):
        # A claim that found no slot has parked its job before this looks, or finds the slot that is freed here.
        lock_slots([upstream_id])
        parked = Job.unscoped.filter(upstream=upstream_id, parked_at__isnull=False, state=JobState.QUEUED)
        # One that is being claimed at this moment sees the free slot by itself.
        rows = parked.select_for_update(skip_locked=True, of=("self",)).order_by("pk").values_list("pk", flat=True)
        called = list(rows[:count])
        if not called:
            return
        now = timezone.now()
        Job.unscoped.filter(pk__in=called).update(parked_at=None, run_after=now, sent_at=now, sent_count=1)
        for job_id in called:
            send_run_on_commit(job_id)
