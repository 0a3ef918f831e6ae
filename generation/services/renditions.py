"""Delivered takes in formats beside the ordered one: made with the take where its wire offers them, else when asked."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import close_old_connections, connection
from django.utils import timezone

from generation.audio.headerless import with_header
from generation.audio.prepare import Prepared, Wanted, prepare
from generation.contract import AudioFormat, Refusal
from generation.dispatch import send_rendition
from generation.models import Rendition, Track
from generation.services.audio_files import name_of, tags_of

OFFERED: Final[tuple[AudioFormat, ...]] = ("mp3", "flac", "wav")
"""Formats in which every take can be had, whatever was ordered."""
ASKED_AGAIN: Final = timedelta(minutes=1)
"""A worker that was told this long ago, and has made nothing, is taken for lost."""


def rendition_of(track: Track, audio_format: str) -> Rendition:
    """The rendition; one that is not made yet has no `file`, and an audio worker is told to make it."""
    now = timezone.now()
    rendition, is_new = Rendition.unscoped.get_or_create(
        track=track, format=audio_format, defaults={"organization_id": track.organization_id, "asked_at": now}
    )
    if not rendition.file and (is_new or _is_to_be_asked_again(rendition)):
        send_rendition(rendition.pk)
    return rendition


def is_made(rendition_id: uuid.UUID) -> bool:
    return Rendition.unscoped.filter(pk=rendition_id).exclude(file="").exists()


def made_rendition(rendition_id: uuid.UUID) -> Rendition:
    """Raises Refusal `busy` when no worker has come to it yet."""
    rendition = Rendition.unscoped.get(pk=rendition_id)
    if not rendition.file:
        raise Refusal("busy", "This format of the song is still being made. Ask again shortly.")
    return rendition


def make_rendition(rendition_id: uuid.UUID) -> None:
    """Encode what was asked for from the delivered file. Safe to repeat: what is made stays as it is."""
    rendition = Rendition.unscoped.select_related("track__job").get(pk=rendition_id)
    if rendition.file:
        return
    if not connection.in_atomic_block:
        close_old_connections()
    track = rendition.track
    prepared = _encoded(track, rendition.format)
    file = default_storage.save(name_of(track.job_id, track.take, prepared), ContentFile(prepared.audio))
    made = Rendition.unscoped.filter(pk=rendition.pk, file="")
    if not made.update(file=file, **_measures(prepared)):
        default_storage.delete(file)


def made_with(track: Track, renditions: Sequence[Prepared], files: Sequence[str]) -> list[Rendition]:
    """Rows, not saved, of the renditions that were made together with their track."""
    return [
        Rendition(
            organization_id=track.organization_id,
            track=track,
            format=prepared.format,
            asked_at=track.created_at,
            file=file,
            **_measures(prepared),
        )
        for prepared, file in zip(renditions, files, strict=True)
    ]


def _is_to_be_asked_again(rendition: Rendition) -> bool:
    now = timezone.now()
    waiting = Rendition.unscoped.filter(pk=rendition.pk, file="", asked_at__lte=now - ASKED_AGAIN)
    return bool(waiting.update(asked_at=now))


def _encoded(track: Track, audio_format: str) -> Prepared:
    with default_storage.open(track.file) as file:
        audio = bytes(file.read())
    if track.format == "pcm":
        audio = with_header(audio, sample_rate=track.sample_rate, channels=track.channels)
    wanted: dict[str, AudioFormat] = {name: name for name in OFFERED}
    return prepare(
        audio, wanted=Wanted(format=wanted[audio_format]), promised_seconds=None, tags=tags_of(track.job, track.pk)
    )


def _measures(prepared: Prepared) -> dict[str, str | int]:
    return {
        "sample_rate": prepared.sample_rate,
        "channels": prepared.channels,
        "size": prepared.size,
        "sha256": prepared.sha256,
    }
