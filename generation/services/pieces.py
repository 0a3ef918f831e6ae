"""The files of what can be heard before a song is whole."""

from __future__ import annotations

import uuid

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from generation.contract import Piece
from generation.services.claim import Work


def folder_of(job_id: uuid.UUID) -> str:
    return f"pieces/{job_id}"


def keep_piece(work: Work, piece: Piece) -> str:
    """Write one piece as it came; the name it lies under."""
    name = f"{folder_of(work.job_id)}/{work.number}-{piece.take}-{piece.part}.{piece.format}"
    return default_storage.save(name, ContentFile(piece.data))


def read_piece(file: str) -> bytes:
    with default_storage.open(file) as piece:
        return bytes(piece.read())
