"""Jobs and their events as a reader may see them. Every read here is inside the reader's scope."""

from __future__ import annotations

import uuid
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, cast

from django.core.files.storage import default_storage
from django.utils import timezone

from billing.money import CURRENCY, in_credits
from catalog.quotes import Quote
from generation.contract import (
    USUAL_LINK_LIFE,
    AudioFormat,
    Fault,
    JobView,
    Refusal,
    TrackView,
    Usage,
    sections_from_json,
)
from generation.models import Event, Job, Track
from generation.services.links import sign_link
from generation.services.pieces import read_piece
from generation.services.renditions import OFFERED
from generation.services.stream_links import stream_links
from generation.services.timed_lyrics import file_stem, lyrics_links
from generation.states import FINAL, JobState
from generation.tokens import tokens_of

AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class Page:
    """Some jobs, newest first; `following` is the id to give as `after` for the next page."""

    jobs: tuple[JobView, ...]
    following: str | None


def find_job(job_id: uuid.UUID | str, *, live: bool | None = None) -> Job:
    """A job in scope; a foreign one reads exactly as a missing one."""
    jobs = Job.objects.filter(live=live) if live is not None else Job.objects.all()
    try:
        return jobs.get(pk=uuid.UUID(str(job_id)))
    except (ValueError, Job.DoesNotExist):
        raise Refusal("not_found", "There is no such song.") from None


def job_view(
    job_id: uuid.UUID | str, *, base_url: str, live: bool | None = None, link_life: timedelta = USUAL_LINK_LIFE
) -> JobView:
    """One job with its delivered takes; their links are signed anew at each reading."""
    job = find_job(job_id, live=live)
    return _view(job, list(job.tracks.all()), base_url, link_life, _progress(job))


def jobs_page(
    *,
    limit: int,
    base_url: str,
    after: str | None = None,
    state: JobState | None = None,
    model: str | None = None,
    live: bool | None = None,
    link_life: timedelta = USUAL_LINK_LIFE,
) -> Page:
    """Jobs in scope by descending id, which is by age; raises Refusal when `after` is no job of the caller."""
    jobs = Job.objects.order_by("-id")
    if live is not None:
        jobs = jobs.filter(live=live)
    if state is not None:
        jobs = jobs.filter(state=state)
    if model is not None:
        jobs = jobs.filter(model=model)
    if after is not None:
        jobs = jobs.filter(id__lt=find_job(after, live=live).pk)
    rows = list(jobs.prefetch_related("tracks")[: limit + 1])
    views = tuple(_view(job, list(job.tracks.all()), base_url, link_life, None) for job in rows[:limit])
    return Page(views, views[-1].id if len(rows) > limit else None)


def events_after(
    job_id: uuid.UUID | str,
    seq: int,
    *,
    base_url: str,
    render_job: Callable[[JobView], dict[str, Any]],
    limit: int = 500,
    link_life: timedelta = USUAL_LINK_LIFE,
    with_audio: bool = True,
) -> list[dict[str, Any]]:
    """The events of a job with a higher number than `seq`, in order, as every stream sends them."""
    wanted = Event.objects.filter(job_id=job_id, seq__gt=seq)
    rows = (wanted if with_audio else wanted.exclude(type=AUDIO)).order_by("seq")[:limit]
    return [_event(row, base_url, render_job, link_life) for row in rows]


def _event(
    row: Event, base_url: str, render_job: Callable[[JobView], dict[str, Any]], link_life: timedelta
) -> dict[str, Any]:
    event = {"seq": row.seq, "id": str(row.job_id), "type": row.type, "at": row.at.isoformat().replace("+00:00", "Z")}
    data = dict(row.data)
    if row.type == "take":
        track = Track.objects.get(pk=data.pop("track"))
        data["audio"] = _link(track, base_url, link_life)
    if row.type == "audio":
        data |= _sound(data.pop("file"))
    if row.type in FINAL:
        data = render_job(job_view(row.job_id, base_url=base_url, link_life=link_life))
    return {**event, **data, **event}  # the job of a final event names the same id


def _sound(file: str) -> dict[str, Any]:
    """A piece as text; nothing, and why, once it is discarded: its event stays, so that the log has no gap."""
    try:
        return {"data": b64encode(read_piece(file)).decode()}
    except FileNotFoundError:
        return {"data": "", "expired": True}


def _view(job: Job, tracks: Sequence[Track], base_url: str, link_life: timedelta, progress: float | None) -> JobView:
    song = job.song
    return JobView(
        id=str(job.pk),
        model=job.model,
        state=job.state,
        streaming=job.streaming,
        created=job.created_at,
        finished=job.finished_at,
        progress=progress,
        takes=0 if job.is_text else song.takes,
        tracks=tuple(_track_view(track, base_url, link_life) for track in tracks),
        lyrics=job.lyrics if job.is_text else job.lyrics or song.lyrics,
        seed=tracks[0].seed if tracks else song.seed,
        price_micro=Quote.from_json(job.quote).amount_micro,
        usage=_usage(job),
        error=Fault(job.error_code, job.error_message, job.error_param or None) if job.error_code else None,
        wire=job.wire,
        base_url=base_url,
        stream_links=stream_links(job, base_url=base_url, link_life=link_life),
        tokens=tokens_of(song, job.lyrics or song.lyrics, [track.made for track in tracks]),
        is_text=job.is_text,
        title=job.title,
        style_tags=job.style_tags,
        watermarked=song.watermark,
    )


def _usage(job: Job) -> Usage | None:
    if job.charged_micro is None:
        return None
    return Usage(price=in_credits(job.charged_micro), currency=CURRENCY, micro_credits=job.charged_micro)


def _track_view(track: Track, base_url: str, link_life: timedelta) -> TrackView:
    return TrackView(
        id=str(track.pk),
        take=track.take,
        link=_link(track, base_url, link_life),
        format=cast(AudioFormat, track.format),
        sample_rate=track.sample_rate,
        channels=track.channels,
        bitrate=track.bitrate,
        duration_ms=track.duration_ms,
        size=track.size,
        sha256=track.sha256,
        seed=track.seed,
        sections=sections_from_json(track.sections),
        charged_micro=track.charged_micro,
        lyrics=lyrics_links(track, base_url=base_url, expires_at=timezone.now() + link_life),
        read=partial(_read, track.file),
        links={offered: _link(track, base_url, link_life, audio_format=offered) for offered in OFFERED},
    )


def _read(file: str) -> bytes:
    with default_storage.open(file) as audio:
        return bytes(audio.read())


def _link(track: Track, base_url: str, link_life: timedelta, *, audio_format: str | None = None) -> str:
    file_name = f"{file_stem(track)}.{audio_format or track.format}"
    return sign_link(track.pk, file_name=file_name, expires_at=timezone.now() + link_life, base_url=base_url)


def _progress(job: Job) -> float | None:
    """The newest progress of the attempt in hand, 0-100; None before the work begins."""
    if job.is_final or job.state == JobState.QUEUED:
        return None
    newest = job.events.filter(type__in=("progress", "started")).order_by("-seq").first()
    return newest.data.get("progress", 0.0) if newest else None
