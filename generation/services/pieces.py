"""The files of what can be heard before a song is whole: kept for a day after the end of its job."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from generation.contract import Piece
from generation.models import Job
from generation.services.claim import Work
from generation.services.raw_files import discard_folder

PIECES_LIFE: Final = timedelta(days=1)
"""How long after its job's end a piece can still be read; the event that told of it stays."""


def folder_of(job_id: uuid.UUID) -> str:
    return f"pieces/{job_id}"


def keep_piece(work: Work, piece: Piece) -> str:
    """Write one piece as it is heard; the name it lies under."""
    name = f"{folder_of(work.job_id)}/{work.number}-{piece.take}-{piece.part}.{piece.format}"
    return default_storage.save(name, ContentFile(piece.data))


def read_piece(file: str) -> bytes:
    """Raises FileNotFoundError once it is discarded."""
    with default_storage.open(file) as piece:
        return bytes(piece.read())


def discard_piece(file: str) -> None:
    default_storage.delete(file)


def discard_pieces(job_id: uuid.UUID) -> bool:
    """Remove all that any attempt of the job has left."""
    discard_folder(folder_of(job_id))
    return bool(Job.unscoped.filter(pk=job_id).update(has_pieces=False))
