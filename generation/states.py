"""The states of a job and of an attempt.

A job goes queued > running > succeeded, failed, cancelled or expired; one that waits may end without running. From
running back to queued is the one way back: a retry. What is final never changes.
"""

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


class AttemptState(StrEnum):
    SUBMITTING = "submitting"  # written before the upstream is called
    RECEIVED = "received"  # what came is stored raw; the upstream is never called again for this job
    DELIVERED = "delivered"
    FAILED = "failed"
    LOST = "lost"  # its runner went away
    LATE = "late"  # its result came after the job had ended; kept out, its cost noted
