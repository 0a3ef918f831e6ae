"""Lyrics that were written are kept in their job: as what it delivers, or as what its song is made from."""

from __future__ import annotations

from django.db import transaction

from generation.contract import WrittenLyrics
from generation.models import Job
from generation.services.claim import Work
from generation.services.events import Entry, record


def keep_text(job: Job, text: WrittenLyrics) -> None:
    """Write the text into the job, in the caller's transaction, which holds the job's row; tell readers of it."""
    job.lyrics, job.title, job.style_tags = text.lyrics, text.title, text.style_tags
    job.save(update_fields=["lyrics", "title", "style_tags"])
    record(job.pk, Entry("lyrics", {"text": text.lyrics}))


def keep_written(work: Work, text: WrittenLyrics) -> bool:
    """Keep what was written for a song before the song is made; False when the job is no longer this attempt's.

    A later attempt finds it there and does not have it written again.
    """
    with transaction.atomic():
        job = Job.unscoped.select_for_update(of=("self",)).filter(pk=work.job_id).held_by(work.token).first()
        if job is None:
            return False
        keep_text(job, text)
    return True
