"""What an upstream gave is kept raw before anything else is done with it."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from catalog.quotes import Quote
from generation import faults
from generation.contract import Delivery, sections_as_json
from generation.models import Attempt, Job
from generation.services.claim import Work
from generation.services.events import Entry, record
from generation.states import AttemptState

Raw = list[dict[str, Any]]


def store_raw(work: Work, delivery: Delivery) -> Raw:
    """Write each take's bytes as they came; only files, no row. Unreferenced files are swept away later."""
    faults.reach("answered")
    return [
        {
            "take": take,
            "file": default_storage.save(raw_folder(work.job_id) + f"{work.number}-{take}", ContentFile(came.audio)),
            "sections": sections_as_json(came.sections),
            "seed": came.seed,
            "upstream_id": came.upstream_id,
        }
        for take, came in zip(work.takes, delivery.takes, strict=False)
    ]


def raw_folder(job_id: uuid.UUID) -> str:
    return f"raw/{job_id}/"


def receive(work: Work, raw: Raw, *, lyrics: str | None) -> bool:
    """Note that the upstream has answered; from here on it is never called again for this job.

    False when the job ended meanwhile: the result is kept out, and its cost is noted on the attempt.
    """
    now = timezone.now()
    with transaction.atomic():
        job = Job.unscoped.select_for_update(of=("self",)).filter(pk=work.job_id).held_by(work.token).first()
        attempts = Attempt.unscoped.filter(pk=work.attempt_id)
        if job is None:
            cost = _cost_of(Job.unscoped.get(pk=work.job_id), takes=len(raw))
            attempts.update(state=AttemptState.LATE, cost_micro=cost, received_at=now, ended_at=now)
            transaction.on_commit(lambda: discard(raw))
            return False
        attempts.update(state=AttemptState.RECEIVED, raw=raw, received_at=now)
        if lyrics and job.lyrics is None:
            Job.unscoped.filter(pk=job.pk).update(lyrics=lyrics)
            record(job.pk, Entry("lyrics", {"text": lyrics}))
        # The hint to the audio worker counts from now.
        Job.unscoped.filter(pk=job.pk).update(sent_at=now, sent_count=1)
    faults.reach("received")
    return True


def discard(raw: Raw) -> None:
    """Remove raw files nobody needs any more."""
    for came in raw:
        default_storage.delete(came["file"])


def _cost_of(job: Job, *, takes: int) -> int:
    legs = Quote.from_json(job.quote).legs_for(takes=takes, milliseconds=0)
    return sum(leg.amount_micro for leg in legs if leg.kind == "cost")
