"""The states of a job and of an attempt, and the only ways between them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


FINAL: Final = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED})

ALLOWED: Final[dict[JobState, frozenset[JobState]]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED}),
    # Back to the queue is the one way back: a retry.
    JobState.RUNNING: frozenset({JobState.QUEUED}) | FINAL,
    **{state: frozenset() for state in FINAL},
}


class AttemptState(StrEnum):
    SUBMITTING = "submitting"  # written before the upstream is called
    RECEIVED = "received"  # what came is stored raw; the upstream is never called again for this job
    DELIVERED = "delivered"
    FAILED = "failed"
    LOST = "lost"  # its runner went away
    LATE = "late"  # its result came after the job had ended; kept out, its cost noted


def states_before(state: JobState) -> frozenset[JobState]:
    """The states a job may be in to move to `state`."""
    return frozenset(before for before, afterwards in ALLOWED.items() if state in afterwards)
