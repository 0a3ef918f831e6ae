"""Jobs against the ledger: shows where they disagree, and mends nothing by itself."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from billing.services.books import Drift, check_books
from billing.services.settlements import settlements_of
from generation.models import Job
from generation.states import FINAL

BATCH = 1000

Disagreement = Literal["job_without_hold", "ended_job_with_open_hold", "settled_hold_of_unfinished_job", "other_charge"]


@dataclass(frozen=True, slots=True)
class JobDrift:
    """One job whose end and whose money disagree; amounts in micro-credits."""

    kind: Disagreement
    job_id: uuid.UUID
    job_micro: int
    ledger_micro: int


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What was compared, and every disagreement."""

    jobs: int
    books: list[Drift]
    work: list[JobDrift]

    @property
    def is_clean(self) -> bool:
        return not self.books and not self.work


def reconcile() -> Reconciliation:
    """Compare every balance with its transfers, every hold with its job, every final job with its one settlement."""
    jobs = Job.unscoped.count()
    return Reconciliation(jobs, check_books(), list(_compare_jobs()))


def _compare_jobs() -> Iterator[JobDrift]:
    last = uuid.UUID(int=0)
    while batch := list(Job.unscoped.filter(pk__gt=last).order_by("pk").only("state", "charged_micro")[:BATCH]):
        settlements = settlements_of([job.pk for job in batch])
        for job in batch:
            kind, ledger = _disagreement(job, settlements)
            if kind is not None:
                yield JobDrift(kind, job.pk, job.charged_micro or 0, ledger)
        last = batch[-1].pk


def _disagreement(job: Job, settlements: dict[uuid.UUID, int | None]) -> tuple[Disagreement | None, int]:
    if job.pk not in settlements:
        return "job_without_hold", 0
    charged = settlements[job.pk]
    if job.state in FINAL and charged is None:
        return "ended_job_with_open_hold", 0
    if job.state not in FINAL and charged is not None:
        return "settled_hold_of_unfinished_job", charged
    if charged is not None and charged != job.charged_micro:
        return "other_charge", charged
    return None, 0
