"""How the wire `mureka` words a job: as a task, with a choice for each of its songs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from generation.contract import JobView, Line, Section, TrackView
from generation.dialects.digits import digits_of
from generation.states import JobState

PREPARING: Final = "preparing"
STREAMING: Final = "streaming"
STATUS: Final = {
    JobState.QUEUED: "queued",
    JobState.RUNNING: "running",
    JobState.SUCCEEDED: "succeeded",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
    JobState.EXPIRED: "timeouted",
}
STATUSES: Final = (PREPARING, STREAMING, *STATUS.values())


def new_task(job: JobView) -> dict[str, Any]:
    """The task as the call that ordered it is answered: it is prepared, unless the job has ended before."""
    return task(job) | ({"status": PREPARING, "choices": None} if job.finished is None else {})


def task(job: JobView) -> dict[str, Any]:
    """The task as it stands; what is not known yet is null. Moments in unix seconds."""
    return {
        "created_at": int(job.created.timestamp()),
        "finished_at": int(job.finished.timestamp()) if job.finished else None,
        "model": job.model,
        "status": STREAMING if _is_heard(job) else STATUS[JobState(job.state)],
        "failed_reason": job.error.message if job.error else None,
        "watermarked": True if job.watermarked else None,
        "choices": _choices(job),
    }


def _is_heard(job: JobView) -> bool:
    """True while the songs can be heard, by an order that asked for that, before they are whole."""
    is_streamed = job.streaming and job.finished is None and bool(job.stream_links)
    return is_streamed and bool(job.wire.get("stream"))


def _choices(job: JobView) -> list[dict[str, Any]] | None:
    if _is_heard(job):
        whole = {track.take: track for track in job.tracks}
        return [_choice(take, whole.get(take), stream) for take, stream in enumerate(job.stream_links)]
    if job.finished is None or not job.tracks:
        return None
    return [_choice(index, track) for index, track in enumerate(job.tracks)]


def _choice(index: int, track: TrackView | None, stream: str | None = None) -> dict[str, Any]:
    """Times in milliseconds. A song that is still being made has a stream and nothing else."""
    return {
        "index": index,
        "id": digits_of(track.id) if track else None,
        "url": track.links["mp3"] if track else None,
        "wav_url": track.links["wav"] if track else None,
        "flac_url": track.links["flac"] if track else None,
        "stream_url": stream,
        "duration": track.duration_ms if track else None,
        "lyrics_sections": [_section(section) for section in track.sections] if track else None,
    }


def _section(section: Section) -> dict[str, Any]:
    lines = [
        {
            "start": line.start,
            "end": line.end,
            "text": line.text,
            "words": list(words_of(line)),
        }
        for line in section.lines
    ]
    return {"section_type": section.section_type, "start": section.start, "end": section.end, "lines": lines}


def words_of(line: Line) -> Iterator[dict[str, Any]]:
    """Each word with the space that follows it in its line: put together, they are the line."""
    rest = line.text
    for word in line.words:
        before, found, after = rest.partition(word.text)
        rest = after.lstrip() if found else before
        space = after[: len(after) - len(rest)] if found else ""
        yield {"start": word.start, "end": word.end, "text": f"{word.text}{space}"}
