"""The audio step: what came is checked, labelled, made into the ordered format, stored and hashed; then settled."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from catalog.capabilities import Limits
from catalog.quotes import Quote
from generation import faults
from generation.audio.label import label_tags
from generation.audio.prepare import Prepared, Wanted, prepare
from generation.audio.samples import BadAudio
from generation.contract import Fault
from generation.models import Attempt, Job, Track
from generation.models.job import new_id
from generation.services.events import Entry, record
from generation.services.retry import put_back
from generation.services.settle import settle
from generation.states import AttemptState

DELIVERED_FORMAT: Final = "mp3"
"""What a song is delivered as when the order names no format."""


def finish(job_id: uuid.UUID, token: uuid.UUID) -> None:
    """Deliver each take that came and end the job. Safe to repeat: what is delivered is passed over."""
    job = Job.unscoped.held_by(token).filter(pk=job_id).select_related("mapping__llm").first()
    attempt = Attempt.unscoped.filter(job_id=job_id, token=token, state=AttemptState.RECEIVED).first()
    if job is None or attempt is None:
        return
    bad = {came["take"]: fault for came in attempt.raw if (fault := _deliver(job, came, token)) is not None}
    if bad and _may_try_again(job):
        put_back(job_id, token, error=next(iter(bad.values())), after_seconds=0)
        return
    if bad:
        record(job_id, *(Entry("take_failed", {"take": take, "error": _as_json(bad[take])}) for take in sorted(bad)))
    settle(job_id, token=token, fault=next(iter(bad.values()), None))


def _deliver(job: Job, came: dict[str, Any], token: uuid.UUID) -> Fault | None:
    if Track.unscoped.filter(job=job, take=came["take"]).exists():
        return None
    track_id = new_id()
    try:
        prepared = _prepare(job, came, track_id)
    except BadAudio as bad:
        return Fault("bad_audio", str(bad))
    faults.reach("prepared")
    file = _store(job.pk, came["take"], prepared)
    with transaction.atomic():
        if not Job.unscoped.select_for_update(of=("self",)).filter(pk=job.pk).held_by(token).exists():
            transaction.on_commit(lambda: default_storage.delete(file))
            return None
        track = _track(job, came, prepared, track_id, file)
        track.save(force_insert=True)
        record(job.pk, Entry("take", _take_event(track)))
    faults.reach("delivered")
    return None


def _prepare(job: Job, came: dict[str, Any], track_id: uuid.UUID) -> Prepared:
    song = job.song
    with default_storage.open(came["file"]) as raw:
        audio = raw.read()
    return prepare(
        audio,
        wanted=Wanted(
            format=song.format or DELIVERED_FORMAT,
            sample_rate=song.sample_rate,
            bitrate=song.bitrate,
            channels=song.channels,
        ),
        promised_seconds=song.duration_seconds if Limits.from_json(job.mapping.llm.limits).promises_length else None,
        tags=label_tags(title=song.title, producer=settings.TUTTI_CONTENT_PRODUCER, produce_id=str(track_id)),
        watermark=song.watermark,
    )


def _store(job_id: uuid.UUID, take: int, prepared: Prepared) -> str:
    name = f"tracks/{job_id}/{take}-{prepared.sha256[:16]}.{prepared.format}"
    return default_storage.save(name, ContentFile(prepared.audio))


def _track(job: Job, came: dict[str, Any], prepared: Prepared, track_id: uuid.UUID, file: str) -> Track:
    quote = Quote.from_json(job.quote)
    earlier = Track.unscoped.filter(job=job)
    before = quote.charge_for(takes=earlier.count(), milliseconds=sum(track.duration_ms for track in earlier))
    total = quote.charge_for(
        takes=earlier.count() + 1, milliseconds=sum(track.duration_ms for track in earlier) + prepared.duration_ms
    )
    return Track(
        id=track_id,
        organization_id=job.organization_id,
        job=job,
        take=came["take"],
        file=file,
        format=prepared.format,
        sample_rate=prepared.sample_rate,
        channels=prepared.channels,
        bitrate=prepared.bitrate,
        duration_ms=prepared.duration_ms,
        size=prepared.size,
        sha256=prepared.sha256,
        seed=came["seed"],
        upstream_id=came["upstream_id"],
        sections=came["sections"],
        charged_micro=total - before,
        created_at=timezone.now(),
    )


def _take_event(track: Track) -> dict[str, Any]:
    return {
        "take": track.take,
        "track": str(track.pk),
        "duration_seconds": track.duration_ms / 1000,
        "format": track.format,
        "charged": track.charged_micro,
    }


def _may_try_again(job: Job) -> bool:
    """Once more inside the same hold, if nothing bad had come before and the deadline allows."""
    had_bad = Attempt.unscoped.filter(job=job, error_code="bad_audio").exists()
    return not had_bad and job.attempt < settings.TUTTI_MAX_ATTEMPTS and timezone.now() < job.deadline


def _as_json(fault: Fault) -> dict[str, str]:
    return {"code": fault.code, "message": fault.message}
