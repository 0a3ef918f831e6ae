"""After a failed attempt: again, or the end. The hold stays the same."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from generation.contract import Fault
from generation.dispatch import send_run_on_commit
from generation.models import Attempt, Job
from generation.providers.base import ProviderError
from generation.services.claim import Work
from generation.services.events import Entry, record
from generation.services.raw_files import discard_raw
from generation.services.settle import settle
from generation.states import AttemptState, JobState

LONGEST_PAUSE_SECONDS = 60.0


def retry_or_fail(work: Work, error: ProviderError) -> None:
    """Try again when no song was made and the upstream may be asked again in time; else end the job."""
    fault = Fault(error.code, str(error), error.param)
    pause = error.retry_after if error.retry_after is not None else pause_after(work.number)
    is_in_time = timezone.now() + timedelta(seconds=pause) < work.deadline
    if error.retryable and work.number < settings.TUTTI_MAX_ATTEMPTS and is_in_time:
        put_back(work.job_id, work.token, error=fault, after_seconds=pause)
    else:
        # An unknown fate is for a person to look at: the upstream may bill for a song nobody got.
        settle(work.job_id, token=work.token, fault=fault, is_flagged=error.seen == "unknown")


def pause_after(attempts: int) -> float:
    """Seconds before the next try: 1, 2, 4 … up to a minute."""
    return min(2.0 ** (attempts - 1), LONGEST_PAUSE_SECONDS)


def put_back(
    job_id: uuid.UUID,
    token: uuid.UUID,
    *,
    error: Fault,
    after_seconds: float,
    attempt_state: AttemptState = AttemptState.FAILED,
    keeps_raw: bool = False,
) -> bool:
    """Put a running job back into the queue, if it still carries the token; its attempt is over."""
    now = timezone.now()
    pause = timedelta(seconds=after_seconds)
    with transaction.atomic():
        is_ours = (
            Job.unscoped.filter(pk=job_id)
            .held_by(token)
            .update(
                state=JobState.QUEUED,
                token=None,
                runner=None,
                streaming=False,
                run_after=now + pause,
                sent_at=now + pause,
                sent_count=1,
            )
        )
        if not is_ours:
            return False
        attempt = Attempt.unscoped.get(token=token)
        files = [] if keeps_raw else [came["file"] for came in attempt.raw]
        if not keeps_raw:
            attempt.raw, attempt.ended_at = [], now
            attempt.state, attempt.error_code, attempt.error_message = attempt_state, error.code, error.message
            attempt.save(update_fields=["raw", "ended_at", "state", "error_code", "error_message"])
        record(
            job_id,
            Entry(
                "retrying",
                {
                    "attempt": attempt.number,
                    "after_seconds": after_seconds,
                    "error": {"code": error.code, "message": error.message},
                },
            ),
        )
        send_run_on_commit(job_id, after=pause)
        transaction.on_commit(partial(discard_raw, files), robust=True)
    return True
