"""The files in which the answers of upstreams lie until their job has ended."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage


def folder_of(job_id: uuid.UUID) -> str:
    return f"raw/{job_id}"


def keep_raw(job_id: uuid.UUID, *, attempt: int, take: int, audio: bytes) -> str:
    """Write one take as it came; the name it lies under."""
    return default_storage.save(f"{folder_of(job_id)}/{attempt}-{take}", ContentFile(audio))


def read_raw(file: str) -> bytes:
    with default_storage.open(file) as raw:
        return bytes(raw.read())


def discard_raw(files: Iterable[str]) -> None:
    """Remove what one attempt has left."""
    for file in files:
        default_storage.delete(file)


def discard_all_raw(job_id: uuid.UUID) -> None:
    """Remove whatever any attempt of the job has left, also what a crash kept out of its row."""
    discard_folder(folder_of(job_id))


def discard_folder(folder: str) -> None:
    """Remove a folder and its files; one that is not there is no error."""
    try:
        _, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for file in files:
        default_storage.delete(f"{folder}/{file}")
    default_storage.delete(folder)
