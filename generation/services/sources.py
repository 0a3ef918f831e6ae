"""What an order leans on: uploads and earlier tracks, looked at when it is given and read when it is made."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final, cast

from django.core.files.storage import default_storage

from accounts.caller import Caller
from generation.contract import AudioFormat, Extend, Order, Refusal, SongRequest, SourceFile, SourceTrack
from generation.models import Attempt, Job, Track, Upload

CONTINUED: Final = ("reference", "audio")
"""Purposes of uploads that can be continued."""


@dataclass(frozen=True, slots=True)
class Lean:
    """A field of an order that names an upload, and the purposes it may have been uploaded for."""

    field: str
    upload_id: str
    purposes: Collection[str]


def leans_of(song: SongRequest) -> Iterator[Lean]:
    """Every upload the song leans on."""
    references = song.references
    for field, upload_id in (
        ("reference", references.reference),
        ("vocal", references.vocal),
        ("melody", references.melody),
    ):
        if upload_id is not None:
            yield Lean(field, upload_id, (field,))
    if song.extend is not None and song.extend.upload is not None:
        yield Lean("extend", song.extend.upload, CONTINUED)


def with_sources(order: Order, *, caller: Caller) -> Order:
    """The order with what it leans on looked at: a continuation begins at the end of its song at the latest.

    Raises Refusal: `not_found` alike for a foreign, a missing and an unreadable id, `invalid_parameter` for a file
    with another purpose.
    """
    for lean in leans_of(order.song):
        _refuse_unsuited(order, lean, caller)
    if order.song.extend is None:
        return order
    extend = _inside(order, order.song.extend, caller)
    return replace(order, song=replace(order.song, extend=extend))


def keep_sources(song: SongRequest, *, caller: Caller) -> None:
    """Inside a transaction: nobody removes what this song leans on before its job is there. Raises Refusal."""
    wanted = {uuid.UUID(lean.upload_id) for lean in leans_of(song)}
    if not wanted:
        return
    # Read, not counted: a count takes no locks.
    locked = Upload.objects.select_for_update().filter(pk__in=wanted, live=caller.live).values_list("pk", flat=True)
    if set(locked) != wanted:
        raise Refusal("not_found", "A file that this order leans on has just been removed.")


def _refuse_unsuited(order: Order, lean: Lean, caller: Caller) -> None:
    name = order.names.get(lean.field, lean.field)
    upload = _upload(lean.upload_id, caller)
    if upload is None:
        raise Refusal("not_found", f"There is no file with the id given as '{name}'.", param=name)
    if upload.purpose not in lean.purposes:
        rule = f"'{name}' needs a file uploaded for {' or '.join(lean.purposes)}; this one is for {upload.purpose}."
        raise Refusal("invalid_parameter", rule, param=name)


def _inside(order: Order, extend: Extend, caller: Caller) -> Extend:
    found = _upload(extend.upload, caller) if extend.upload is not None else _track(extend.track, caller)
    if found is None:
        name = order.names.get("extend", "extend")
        raise Refusal("not_found", f"There is no song with the id given as '{name}'.", param=name)
    return replace(extend, at_ms=min(extend.at_ms, found.duration_ms))


def _upload(text: str, caller: Caller) -> Upload | None:
    upload_id = _id(text)
    return Upload.objects.filter(pk=upload_id, live=caller.live).first() if upload_id else None


def _track(text: str | None, caller: Caller) -> Track | None:
    track_id = _id(text or "")
    return Track.objects.filter(pk=track_id, job__live=caller.live).first() if track_id else None


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


# --- When the song is made ------------------------------------------------------------------------------------------
# In system scope, on behalf of a job: what is found belongs to the job's organization, and is live or test as it is.


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An upload without its bytes."""

    upload: Upload

    def read(self) -> SourceFile:
        return SourceFile(
            audio=_bytes_of(self.upload.file),
            format=self.upload.format,
            file_name=self.upload.file_name,
            purpose=self.upload.purpose,
            duration_ms=self.upload.duration_ms,
            tune=tuple((start, end, pitch) for start, end, pitch in self.upload.tune),
        )


@dataclass(frozen=True, slots=True)
class StoredTrack:
    """A track without its bytes; `upstream_id` is its id at the upstream that is asked now, or empty."""

    track: Track
    upstream_id: str

    def read(self) -> SourceTrack:
        return SourceTrack(
            audio=_bytes_of(self.track.file),
            format=cast(AudioFormat, self.track.format),
            duration_ms=self.track.duration_ms,
            upstream_id=self.upstream_id,
            sample_rate=self.track.sample_rate,
            channels=self.track.channels,
        )


def stored_file(job_id: uuid.UUID, file_id: str) -> StoredFile | None:
    """The upload, if the job may read it."""
    upload_id = _id(file_id)
    if upload_id is None:
        return None
    job = Job.unscoped.get(pk=job_id)
    found = Upload.unscoped.filter(pk=upload_id, organization=job.organization_id, live=job.live).first()
    return StoredFile(found) if found else None


def stored_track(job_id: uuid.UUID, track_id: str, *, attempt_id: int) -> StoredTrack | None:
    """The track, if the job may read it."""
    pk = _id(track_id)
    if pk is None:
        return None
    job = Job.unscoped.get(pk=job_id)
    found = Track.unscoped.filter(pk=pk, organization=job.organization_id, job__live=job.live).first()
    if found is None:
        return None
    asked_now = Attempt.unscoped.values_list("upstream_id", flat=True).get(pk=attempt_id)
    is_its_own = asked_now is not None and asked_now == found.origin_id
    return StoredTrack(found, found.upstream_id if is_its_own else "")


def _bytes_of(file: str) -> bytes:
    with default_storage.open(file) as stored:
        return bytes(stored.read())
