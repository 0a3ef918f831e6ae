"""The end of a job: final state, money and events in one transaction, or not at all."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from billing.services.settle import Leg, settle_hold
from catalog.quotes import Quote
from generation import faults
from generation.contract import Fault
from generation.models import Attempt, Job, Track
from generation.services.events import Entry, record
from generation.services.receive import discard
from generation.states import FINAL, AttemptState, JobState

NOTHING_MADE = Fault("upstream_error", "The model's upstream gave no audio. Nothing was charged; order again.")


def settle(
    job_id: uuid.UUID,
    *,
    token: uuid.UUID | None,
    fault: Fault | None = None,
    state: JobState | None = None,
    is_flagged: bool = False,
) -> bool:
    """End a job once. Each delivered take is charged, the rest of the hold released.

    `token` None ends a job that no runner holds; otherwise the job must still carry it. `state` defaults to
    succeeded when a take was delivered, else failed. False: somebody else had ended it, or holds it now.
    """
    with transaction.atomic():
        job = (
            Job.unscoped.select_for_update(of=("self",)).filter(pk=job_id, token=token).exclude(state__in=FINAL).first()
        )
        if job is None:
            return False
        tracks = list(Track.unscoped.filter(job=job))
        ending = state or (JobState.SUCCEEDED if tracks else JobState.FAILED)
        reason = None if ending == JobState.SUCCEEDED else fault or NOTHING_MADE
        settlement = settle_hold(reference=job.pk, legs=_legs(job, tracks))
        _end_attempt(job, ending, reason)
        Job.unscoped.filter(pk=job.pk).update(
            state=ending,
            token=None,
            runner=None,
            charged_micro=settlement.charged_micro,
            error_code=reason.code if reason else "",
            error_message=reason.message if reason else "",
            is_flagged=is_flagged,
            finished_at=timezone.now(),
        )
        record(job.pk, Entry(ending))
    faults.reach("settled")
    return True


def _legs(job: Job, tracks: list[Track]) -> list[Leg]:
    quote = Quote.from_json(job.quote)
    legs = quote.legs_for(takes=len(tracks), milliseconds=sum(track.duration_ms for track in tracks))
    return [Leg(leg.payer_id, leg.payee_id, leg.kind, leg.amount_micro) for leg in legs]


def _end_attempt(job: Job, ending: JobState, reason: Fault | None) -> None:
    """Close the attempt in hand. One that is still with its upstream stays open: its answer will come late."""
    attempt = Attempt.unscoped.filter(job=job, number=job.attempt, ended_at__isnull=True).first()
    if attempt is None:
        return
    raw, attempt.raw = attempt.raw, []
    attempt.state = AttemptState.DELIVERED if ending == JobState.SUCCEEDED else AttemptState.FAILED
    attempt.error_code = reason.code if reason else ""
    attempt.error_message = reason.message if reason else ""
    attempt.ended_at = timezone.now()
    attempt.save(update_fields=["state", "raw", "error_code", "error_message", "ended_at"])
    transaction.on_commit(lambda: discard(raw))
