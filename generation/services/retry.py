"""After a failed attempt: again, or the end. The hold stays the same."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
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
from generation.services.health import hold_against
from generation.services.parking import call_next
from generation.services.raw_files import discard_raw
from generation.services.settle import settle
from generation.states import AttemptState, JobState

LONGEST_PAUSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Again:
    """Another try, after a pause; `routes` are those that are left, None: as before."""

    after_seconds: float
    routes: list[int] | None = None


def retry_or_fail(work: Work, error: ProviderError) -> None:
    """Try again when no song was made: at the same upstream, then at the next that can make it; else end the job."""
    hold_against(work, error.blame)
    fault = Fault(error.code, str(error), error.param)
    again = _again(work, error)
    if again is not None:
        put_back(work.job_id, work.token, error=fault, after_seconds=again.after_seconds, routes=again.routes)
    else:
        # An unknown fate is for a person to look at: the upstream may bill for a song nobody got.
        settle(work.job_id, token=work.token, fault=fault, is_flagged=error.seen == "unknown")


def _again(work: Work, error: ProviderError) -> _Again | None:
    """Each route is ordered from `TUTTI_MAX_ATTEMPTS` times at most, and all within the job's deadline."""
    if error.seen == "unknown":
        return None
    # A try that only brings what an earlier one ordered is no order of its own.
    here = Attempt.unscoped.filter(job=work.job_id, mapping=work.mapping_id).order_by()
    orders = here.values("reference").distinct().count()
    pause = error.retry_after or pause_after(orders)
    is_in_time = timezone.now() + timedelta(seconds=pause) < work.deadline
    if error.retryable and orders < settings.TUTTI_MAX_ATTEMPTS and is_in_time:
        return _Again(pause)
    # What is wrong with the order is wrong with it everywhere.
    is_worth_a_detour = error.blame in ("upstream", "account") and timezone.now() < work.deadline
    left = [route for route in _routes(work) if route != work.mapping_id] if is_worth_a_detour else []
    return _Again(0, left) if left else None


def _routes(work: Work) -> list[int]:
    routes: list[int] = Job.unscoped.values_list("routes", flat=True).get(pk=work.job_id)
    return routes


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
    keeps_attempt: bool = False,
    routes: list[int] | None = None,
) -> bool:
    """Put a running job back into the queue, if it still carries the token; its attempt is over.

    `keeps_attempt` leaves the attempt to be taken up by the next. `routes` are the ways the job still has.
    """
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
                **({} if routes is None else {"routes": routes}),
            )
        )
        if not is_ours:
            return False
        attempt = Attempt.unscoped.get(token=token)
        files = [] if keeps_attempt else [came["file"] for came in attempt.raw]
        if not keeps_attempt:
            _end_attempt(attempt, attempt_state, error)
        told = {"code": error.code, "message": error.message}
        record(job_id, Entry("retrying", {"attempt": attempt.number, "after_seconds": after_seconds, "error": told}))
        send_run_on_commit(job_id, after=pause)
        transaction.on_commit(partial(discard_raw, files), robust=True)
    return True


def _end_attempt(attempt: Attempt, state: AttemptState, error: Fault) -> None:
    """Close an attempt that nothing came of, and let the next order have its slot."""
    attempt.raw, attempt.ended_at = [], timezone.now()
    attempt.state, attempt.error_code, attempt.error_message = state, error.code, error.message
    attempt.save(update_fields=["raw", "ended_at", "state", "error_code", "error_message"])
    call_next(attempt.upstream_id)
