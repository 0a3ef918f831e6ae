"""What an upstream says while it works, kept if the attempt still holds its job."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from generation.contract import Piece
from generation.models import Attempt, Job
from generation.services.claim import Work
from generation.services.events import Entry, record


def note_ticket(work: Work, upstream_id: str) -> None:
    """Keep the upstream's id of the task, so that a later process can ask for it."""
    with transaction.atomic():
        attempt = Attempt.unscoped.select_for_update().get(pk=work.attempt_id)
        if upstream_id not in attempt.tickets:
            Attempt.unscoped.filter(pk=attempt.pk).update(tickets=[*attempt.tickets, upstream_id])


def note_piece(work: Work, piece: Piece, file: str, *, duration_seconds: float) -> bool:
    """Tell readers of a piece that can be heard already; `file` is where its bytes lie, `take` the job's own number.

    False when the job is no longer held: nobody is told.
    """
    with transaction.atomic():
        is_held = Job.unscoped.filter(pk=work.job_id).held_by(work.token).update(streaming=True, has_pieces=True)
        if is_held:
            heard = {**_described(piece), "duration_seconds": round(duration_seconds, 3), "file": file}
            record(work.job_id, Entry("audio", {"attempt": work.number, **heard}))
    return bool(is_held)


def _described(piece: Piece) -> dict[str, Any]:
    return {
        "take": piece.take,
        "part": piece.part,
        "format": piece.format,
        "sample_rate": piece.sample_rate,
        "channels": piece.channels,
    }


def note_lyrics(work: Work, text: str) -> None:
    """Keep lyrics as soon as they are known, once."""
    with transaction.atomic(savepoint=False):
        if Job.unscoped.filter(pk=work.job_id, lyrics__isnull=True).held_by(work.token).update(lyrics=text):
            record(work.job_id, Entry("lyrics", {"text": text}))
