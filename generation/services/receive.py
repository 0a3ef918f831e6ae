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
from generation.audio.decode import probe
from generation.audio.samples import BadAudio
from generation.contract import Delivery, sections_as_json
from generation.models import Attempt, Job
from generation.services.claim import Work
from generation.services.note import note_lyrics
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
        # The hint to the audio worker counts from now.
        is_held = Job.unscoped.filter(pk=work.job_id).held_by(work.token).update(sent_at=now, sent_count=1)
        if is_held:
            Attempt.unscoped.filter(pk=work.attempt_id).update(state=AttemptState.RECEIVED, raw=raw, received_at=now)
            if lyrics:
                note_lyrics(work, lyrics)
    if not is_held:
        _keep_out(work, raw)
        return False
    faults.reach("received")
    return True


def _keep_out(work: Work, raw: Raw) -> None:
    """Note what a result that came too late will cost, and let it go."""
    quote = Quote.from_json(Job.unscoped.get(pk=work.job_id).quote)
    legs = quote.legs_for(takes=len(raw), milliseconds=sum(map(_milliseconds, raw)))
    cost = sum(leg.amount_micro for leg in legs if leg.kind == "cost")
    now = timezone.now()
    Attempt.unscoped.filter(pk=work.attempt_id).update(
        state=AttemptState.LATE, cost_micro=cost, received_at=now, ended_at=now
    )
    discard(raw)


def _milliseconds(came: dict[str, Any]) -> int:
    with default_storage.open(came["file"]) as file:
        try:
            return probe(file.read()).duration_ms
        except BadAudio:
            return 0


def discard(raw: Raw) -> None:
    """Remove raw files nobody needs any more."""
    for came in raw:
        default_storage.delete(came["file"])
