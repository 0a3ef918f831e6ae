"""The end of a job: final state, money and events in one transaction, or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import partial

from django.db import transaction
from django.utils import timezone

from billing.services.settle import Leg, settle_hold
from catalog.quotes import Quote
from generation import faults
from generation.contract import Fault, WrittenLyrics
from generation.models import Attempt, Job
from generation.services.due import delivered_by, legs_due
from generation.services.events import Entry, record
from generation.services.keep_text import keep_text
from generation.services.missing import missing_takes, take_failed
from generation.services.parking import call_next
from generation.services.raw_files import discard_all_raw
from generation.states import AttemptState, JobState
from generation.tokens import Made

NOTHING_MADE = Fault("upstream_error", "The model's upstream gave no audio. Nothing was charged; order again.")


def settle(
    job_id: uuid.UUID,
    *,
    token: uuid.UUID | None,
    fault: Fault | None = None,
    state: JobState | None = None,
    is_flagged: bool = False,
    last_words: Sequence[Entry] = (),
    text: WrittenLyrics | None = None,
) -> bool:
    """End a job once. Each delivered take is charged, the rest of the hold released.

    `token` None ends a job that no runner holds; otherwise the job must still carry it. `state` defaults to
    succeeded when a take was delivered, else failed. `last_words` are events that belong before the final one; so do
    those of the takes that went missing, and a job with one that its upstream may bill for is flagged. `text` is what
    a job that was for a text alone delivers with its end.
    False: somebody else had ended it, or holds it now.
    """
    with transaction.atomic():
        unfinished = Job.unscoped.unfinished().select_for_update(of=("self",))
        job = unfinished.filter(pk=job_id, token=token).first()
        if job is None:
            return False
        if text is not None:
            keep_text(job, text)
        delivered = delivered_by(job)
        ending = state or (JobState.SUCCEEDED if delivered else JobState.FAILED)
        reason = None if ending == JobState.SUCCEEDED else fault or NOTHING_MADE
        gone = missing_takes(job)
        may_be_billed = is_flagged or any(row["is_unknown"] for row in gone.values())
        _end(job, ending, reason, charged_micro=_pay(job, delivered), is_flagged=may_be_billed)
        lost = [take_failed(take, Fault(row["code"], row["message"])) for take, row in gone.items()]
        record(job.pk, *last_words, *lost, Entry(ending))
        # Last and robust: the wake-up must not wait for a storage that stumbles.
        transaction.on_commit(partial(discard_all_raw, job.pk), robust=True)
    faults.reach("settled")
    return True


def _pay(job: Job, delivered: Sequence[Made]) -> int:
    """Pay everyone for what was delivered, and give the rest of the hold back; what the customer was charged."""
    legs = [Leg(*due) for due in legs_due(job, delivered)]
    return settle_hold(reference=job.pk, legs=legs, charges=Quote.from_json(job.quote).charges).charged_micro


def _end(job: Job, ending: JobState, reason: Fault | None, *, charged_micro: int, is_flagged: bool) -> None:
    """Write the end into the job and its attempt; a call still under way changes the attempt once more, to `late`."""
    now = timezone.now()
    fault = {"error_code": reason.code if reason else "", "error_message": reason.message if reason else ""}
    Job.unscoped.filter(pk=job.pk).update(
        state=ending,
        token=None,
        runner=None,
        streaming=False,
        parked_at=None,
        charged_micro=charged_micro,
        is_flagged=is_flagged,
        finished_at=now,
        error_param=(reason.param or "") if reason else "",
        **fault,
    )
    Attempt.unscoped.filter(job=job, number=job.attempt, ended_at__isnull=True).update(
        state=AttemptState.DELIVERED if ending == JobState.SUCCEEDED else AttemptState.FAILED,
        raw=[],
        ended_at=now,
        **fault,
    )
    if ending != JobState.SUCCEEDED or job.is_text:
        call_next(job.upstream_id)  # a song that was made gave its slot back when it came
