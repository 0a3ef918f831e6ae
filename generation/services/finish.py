"""The audio step: what came is checked, labelled, made into the ordered format, stored and hashed; then settled."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import close_old_connections, connection, transaction
from django.db.models import Q
from django.utils import timezone

from catalog.capabilities import Limits
from generation import faults
from generation.audio.bad_audio import BadAudio
from generation.audio.prepare import Prepared, Wanted, prepare
from generation.contract import Fault
from generation.models import Attempt, Job, Rendition, Track
from generation.services.audio_files import name_of, tags_of
from generation.services.due import charge_of_next
from generation.services.events import Entry, record
from generation.services.keep_heard import ending_of
from generation.services.missing import take_failed
from generation.services.raw_files import read_raw
from generation.services.renditions import made_with
from generation.services.retry import put_back
from generation.services.settle import settle
from generation.states import AttemptState, JobState

DELIVERED_FORMAT: Final = "mp3"
"""What a song is delivered as when the order names no format."""
FINISHING: Final = timedelta(minutes=2)
"""How long one take may be worked on before another worker begins anew."""


def finish(token: uuid.UUID) -> None:
    """Deliver each take that came and end the job. Safe to repeat: what is delivered is passed over."""
    attempt = _begin(token)
    if attempt is None:
        return
    try:
        found = {came["take"]: _deliver(attempt, came) for came in attempt.raw}
    except Exception:
        # Whatever it was (a full disk, a storage that stumbles): the next hint begins again at once.
        Attempt.unscoped.filter(pk=attempt.pk).update(finishing_until=None)
        raise
    cancelled = ending_of(attempt.raw)
    if cancelled is not None:
        settle(attempt.job_id, token=token, fault=cancelled, state=JobState.CANCELLED)
        return
    bad = {take: fault for take, fault in found.items() if fault is not None}
    first = next(iter(bad.values()), None)
    if first is not None and _may_try_again(attempt.job):
        put_back(attempt.job_id, token, error=first, after_seconds=0)
        return
    last_words = [take_failed(take, bad[take]) for take in sorted(bad)]
    settle(attempt.job_id, token=token, fault=first, last_words=last_words)


def _begin(token: uuid.UUID) -> Attempt | None:
    """The attempt, if its job still carries the token and no other worker is at it."""
    now = timezone.now()
    is_free = Q(finishing_until__isnull=True) | Q(finishing_until__lt=now)
    ready = Attempt.unscoped.filter(is_free, token=token, state=AttemptState.RECEIVED)
    if not ready.update(finishing_until=now + FINISHING):
        return None
    attempt = Attempt.unscoped.select_related("job__mapping__llm").get(token=token)
    return attempt if attempt.job.token == token else None


def _deliver(attempt: Attempt, came: dict[str, Any]) -> Fault | None:
    job = attempt.job
    if Track.unscoped.filter(job=job, take=came["take"]).exists():
        return None
    Attempt.unscoped.filter(pk=attempt.pk).update(finishing_until=timezone.now() + FINISHING)
    _give_back_connection()
    # The same id at every try, so the same file: a crash in between leaves nothing behind.
    track_id = uuid.uuid5(job.pk, f"take {came['take']}")
    try:
        prepared = _prepare(job, came, track_id)
    except BadAudio as bad:
        return Fault("bad_audio", str(bad))
    faults.reach("prepared")
    file, *others = [_store(job.pk, came["take"], one) for one in (prepared, *prepared.renditions)]
    with transaction.atomic():
        now = Job.unscoped.select_for_update(of=("self",)).get(pk=job.pk)
        if now.state == JobState.RUNNING and now.token == attempt.token:
            track = _track(attempt, came, prepared, track_id, file)
            track.save(force_insert=True)
            Rendition.unscoped.bulk_create(made_with(track, prepared.renditions, others))
            record(job.pk, Entry("take", _take_event(track)))
        elif now.is_final:
            # Another worker on the same take writes under the same names: only what no track has is let go.
            for unwanted in {file, *others} - _kept_of(job):
                transaction.on_commit(partial(default_storage.delete, unwanted), robust=True)
    faults.reach("delivered")
    return None


def _kept_of(job: Job) -> set[str]:
    tracks = Track.unscoped.filter(job=job).values_list("file", flat=True)
    return {*tracks, *Rendition.unscoped.filter(track__job=job).values_list("file", flat=True)}


def _give_back_connection() -> None:
    """Encoding takes seconds: no connection of the pool is kept meanwhile."""
    if not connection.in_atomic_block:
        close_old_connections()


def _prepare(job: Job, came: dict[str, Any], track_id: uuid.UUID) -> Prepared:
    song = job.song
    return prepare(
        read_raw(came["file"]),
        wanted=Wanted(
            format=song.format or DELIVERED_FORMAT,
            sample_rate=song.sample_rate,
            bitrate=song.bitrate,
            channels=song.channels,
        ),
        promised_seconds=_promised_seconds(job, came),
        tags=tags_of(job, track_id),
        # Answers kept before this was noted were never marked.
        watermark=song.watermark and not came.get("is_watermarked", False),
        renditions=job.wire.get("formats", ()),
    )


def _promised_seconds(job: Job, came: dict[str, Any]) -> float | None:
    is_whole = ending_of([came]) is None
    is_promised = is_whole and Limits.from_json(job.mapping.llm.limits).promises_length
    return job.song.duration_seconds if is_promised else None


def _store(job_id: uuid.UUID, take: int, prepared: Prepared) -> str:
    name = name_of(job_id, take, prepared)
    # A try that died may have left half of it.
    default_storage.delete(name)
    return default_storage.save(name, ContentFile(prepared.audio))


def _track(attempt: Attempt, came: dict[str, Any], prepared: Prepared, track_id: uuid.UUID, file: str) -> Track:
    job = attempt.job
    before = [track.made for track in Track.unscoped.filter(job=job)]
    tokens = came.get("tokens") or {}
    track = Track(
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
        origin_id=attempt.upstream_id,
        mapping_id=attempt.mapping_id,
        upstream_id=came["upstream_id"],
        sections=came["sections"],
        prompt_tokens=tokens.get("prompt"),
        candidate_tokens=tokens.get("candidates"),
        created_at=timezone.now(),
    )
    track.charged_micro = charge_of_next(job, before, track.made)
    return track


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
