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


def note_piece(work: Work, piece: Piece, file: str) -> None:
    """Tell readers of a piece that can be heard already; `file` is where its bytes lie."""
    with transaction.atomic():
        if Job.unscoped.filter(pk=work.job_id).held_by(work.token).update(streaming=True):
            record(work.job_id, Entry("audio", {**_described(piece), "file": file}))


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
