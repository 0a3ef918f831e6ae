"""The end of a job that was for a text alone: no audio step follows, so what was written is delivered at once."""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone

from generation import faults
from generation.contract import WrittenLyrics
from generation.models import Attempt, Job
from generation.services.claim import Work
from generation.services.due import ONE_TEXT, legs_due
from generation.services.health import vouch_for
from generation.services.settle import settle
from generation.states import AttemptState


def deliver_text(work: Work, text: WrittenLyrics) -> bool:
    """Keep the text, charge for it and end the job, in one transaction.

    False when the job ended meanwhile: the text is kept out, and its cost noted on the attempt.
    """
    faults.reach("answered")
    is_delivered = settle(work.job_id, token=work.token, text=text)
    vouch_for(work)
    if is_delivered:
        return True
    legs = legs_due(Job.unscoped.get(pk=work.job_id), [replace(ONE_TEXT, route=work.mapping_id)])
    now = timezone.now()
    Attempt.unscoped.filter(pk=work.attempt_id).update(
        state=AttemptState.LATE,
        cost_micro=sum(leg.amount_micro for leg in legs if leg.kind == "cost"),
        received_at=now,
        ended_at=now,
    )
    return False
