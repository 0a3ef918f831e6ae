"""The job's log: appended under the job row's lock, so numbers have no gaps and no twins."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from generation.models import Event, Job
from generation.states import FINAL
from ground import wakeup

GROUP = "jobs"


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened, before it has a number."""

    type: str
    data: dict[str, Any] = field(default_factory=dict)


def record(job_id: uuid.UUID, *entries: Entry) -> None:
    """Append to one job's log, in the caller's transaction when there is one; readers are woken on commit."""
    with transaction.atomic(savepoint=False):
        Job.unscoped.filter(pk=job_id).update(last_seq=F("last_seq") + len(entries))
        job = Job.unscoped.only("organization_id", "last_seq").get(pk=job_id)
        first = job.last_seq - len(entries) + 1
        now = timezone.now()
        Event.unscoped.bulk_create(
            Event(organization_id=job.organization_id, job_id=job_id, seq=seq, type=entry.type, data=entry.data, at=now)
            for seq, entry in enumerate(entries, start=first)
        )
        wake_on_commit([(job_id, job.last_seq, any(entry.type in FINAL for entry in entries))])


def record_each(entries: Sequence[tuple[uuid.UUID, uuid.UUID, Entry]]) -> None:
    """Append one entry to each of many running jobs at once: (job id, fencing token, entry).

    A job that no longer carries the token is passed over: somebody else speaks for it now.
    """
    with transaction.atomic():
        held = {
            job.pk: job
            for job in Job.unscoped.select_for_update(of=("self",))
            .filter(pk__in=[job_id for job_id, _, _ in entries])
            .only("organization_id", "last_seq", "token")
        }
        alive = [(held[job_id], entry) for job_id, token, entry in entries if held[job_id].token == token]
        Job.unscoped.filter(pk__in=[job.pk for job, _ in alive]).update(last_seq=F("last_seq") + 1)
        now = timezone.now()
        Event.unscoped.bulk_create(
            Event(
                organization_id=job.organization_id,
                job=job,
                seq=job.last_seq + 1,
                type=entry.type,
                data=entry.data,
                at=now,
            )
            for job, entry in alive
        )
        wake_on_commit([(job.pk, job.last_seq + 1, False) for job, _ in alive])


def wake_on_commit(changes: Sequence[tuple[uuid.UUID, int, bool]]) -> None:
    """Tell every process which jobs have news: (job id, newest number, whether it has ended)."""
    message = {"jobs": [[str(job_id), seq, ended] for job_id, seq, ended in changes]}
    transaction.on_commit(lambda: wakeup.announce(GROUP, message))
