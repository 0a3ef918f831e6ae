"""How the wire `openai_music` words a job, a list and an error."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from generation.contract import Fault, JobView, LyricsLinks, Reply, TrackView
from generation.dialects.base import AI_GENERATED, CAUSES, Cause, Refused, job_headers
from generation.states import JobState

GENERATIONS: Final = "/v1/music/generations"
OBJECT: Final = "music.generation"
TEXT_OBJECT: Final = "lyrics.generation"
STATUS: Final = {
    JobState.QUEUED: "PENDING",
    JobState.RUNNING: "RUNNING",
    JobState.SUCCEEDED: "SUCCEEDED",
    JobState.FAILED: "FAILED",
    JobState.CANCELLED: "CANCELLED",
    JobState.EXPIRED: "EXPIRED",
}
STATE: Final = {status: state for state, status in STATUS.items()}


def accepted(job: JobView) -> Reply:
    """202: taken, not finished."""
    reply = view(job)
    return Reply(status=202, body=reply.body, headers={**reply.headers, "Location": reply.body["urls"]["get"]})


def view(job: JobView) -> Reply:
    return Reply(status=200, body=as_json(job), headers=job_headers(job))


def as_json(job: JobView, *, as_links: bool = False) -> dict[str, Any]:
    """The job as GET gives it. `as_links`: audio as links, whatever the order said: for lists."""
    is_hex = job.wire.get("output_format") == "hex" and not as_links
    audios = [_audio(track, is_hex=is_hex) for track in job.tracks]
    body: dict[str, Any] = {
        "id": job.id,
        "object": TEXT_OBJECT if job.is_text else OBJECT,
        "model": job.model,
        "status": STATUS[JobState(job.state)],
        "audio": audios[0]["audio"] if audios else None,
        "created": int(job.created.timestamp()),
        "finished": int(job.finished.timestamp()) if job.finished else None,
        "duration": audios[0]["duration"] if audios else None,
        "audios": audios,
        "lyrics": job.lyrics,
        "seed": job.seed,
        "usage": dataclasses.asdict(job.usage) if job.usage else None,
        "urls": _urls(job),
    }
    if job.is_text:
        body |= {"title": job.title or None, "style_tags": job.style_tags or None}
    if job.finished is None:
        body |= {"progress": job.progress, "streaming": job.streaming}
    if job.error is not None:
        body["error"] = _fault(job.error)
    return body


def page(jobs: Sequence[JobView], *, following: str | None) -> Reply:
    """A list, newest first; `following` is what `after` should be for the next page."""
    data = [as_json(job, as_links=True) for job in jobs]
    body = {"object": "list", "data": data, "has_more": following is not None, "next": following}
    return Reply(status=200, body=body, headers=AI_GENERATED if any(job.tracks for job in jobs) else {})


def error(cause: Cause, refused: Refused, headers: Mapping[str, str]) -> Reply:
    body = {
        "message": refused.message,
        "type": cause.type,
        "param": refused.param,
        "code": refused.code,
        "request_id": refused.request_id,
    }
    if refused.job_id is not None:
        body["id"] = refused.job_id
    return Reply(status=cause.status, body={"error": body}, headers=headers)


def task(job: JobView) -> Reply:
    return Reply(status=200, body={"status": "ok", "data": as_json(job)}, headers=job_headers(job))


def task_not_found(message: str) -> Reply:
    return Reply(status=200, body={"status": "error", "data": {"message": message}})


def _audio(track: TrackView, *, is_hex: bool) -> dict[str, Any]:
    return {
        "take": track.take,
        "audio": track.read().hex() if is_hex else track.link,
        "duration": track.duration_ms / 1000,
        "format": track.format,
        "sample_rate": track.sample_rate,
        "channels": track.channels,
        "bitrate": track.bitrate,
        "size": track.size,
        "sha256": track.sha256,
        "seed": track.seed,
        "lyrics": _lyrics(track.lyrics),
        "micro_credits": track.charged_micro,
    }


def _lyrics(links: LyricsLinks | None) -> dict[str, Any] | None:
    if links is None:
        return None
    return {"lrc": links.lrc, "srt": links.srt, "vtt": links.vtt, "estimated": links.is_estimated}


def _fault(fault: Fault) -> dict[str, Any]:
    cause = CAUSES.get(fault.code, CAUSES["internal_error"])
    return {"message": fault.message, "type": cause.type, "param": fault.param, "code": fault.code}


def _urls(job: JobView) -> dict[str, str]:
    get = f"{job.base_url}{GENERATIONS}/{job.id}"
    return {"get": get, "events": f"{get}/events", "cancel": f"{get}/cancel"}
