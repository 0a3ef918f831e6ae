"""What an upstream says while it works, kept if the attempt still holds its job."""

from __future__ import annotations

from django.db import transaction

from generation.models import Attempt, Job
from generation.services.claim import Work
from generation.services.events import Entry, record


def note_ticket(work: Work, upstream_id: str) -> None:
    """Keep the upstream's id of the task, so that a later process can ask for it."""
    Attempt.unscoped.filter(pk=work.attempt_id).update(ticket=upstream_id)


def note_lyrics(work: Work, text: str) -> None:
    """Keep lyrics as soon as they are known, once."""
    with transaction.atomic(savepoint=False):
        if Job.unscoped.filter(pk=work.job_id, lyrics__isnull=True).held_by(work.token).update(lyrics=text):
            record(work.job_id, Entry("lyrics", {"text": text}))
