"""Songs as the portal shows them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from billing.money import in_credits
from generation.contract import JobView, SongRequest, TrackView
from generation.models import Job
from generation.services.queries import jobs_page
from generation.states import FINAL, JobState


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalTrack:
    number: int
    link: str
    format: str
    duration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalSong:
    """Texts ready to be shown; `charged` and `held` are credits, one of them None."""

    title: str
    model: str
    state: str
    is_test: bool
    created: datetime
    charged: str | None
    held: str | None
    problem: str
    tracks: tuple[PortalTrack, ...]


def latest_songs(*, limit: int) -> list[PortalSong]:
    """The newest songs in scope, two takes of one order together. Links are relative: the reader's own host serves."""
    views = jobs_page(limit=limit, base_url="").jobs
    orders = _orders(views)
    return [_song(view, *orders[view.id]) for view in views]


def _orders(views: tuple[JobView, ...]) -> dict[str, tuple[SongRequest, bool]]:
    """What was ordered and whether it was live, by job id."""
    rows = Job.objects.filter(pk__in=[uuid.UUID(view.id) for view in views]).only("operation", "request", "live")
    return {str(job.pk): (job.song, job.live) for job in rows}


def _song(view: JobView, order: SongRequest, live: bool) -> PortalSong:
    is_final = view.state in FINAL
    return PortalSong(
        title=_title(order),
        model=view.model,
        state=view.state,
        is_test=not live,
        created=view.created,
        charged=view.usage.price if view.usage else None,
        held=None if is_final else in_credits(view.price_micro),
        problem=view.error.message if view.error and view.state != JobState.SUCCEEDED else "",
        tracks=tuple(_track(track) for track in view.tracks),
    )


def _track(track: TrackView) -> PortalTrack:
    return PortalTrack(
        number=track.take + 1, link=track.link, format=track.format.upper(), duration=_clock(track.duration_ms)
    )


def _title(order: SongRequest) -> str:
    """The title, else the first line of the prompt, else of the lyrics; empty when there is none of these."""
    texts = (order.title or "", order.prompt, order.lyrics or "")
    lines = (line.strip() for text in texts for line in text.splitlines())
    return next((line for line in lines if line), "")


def _clock(milliseconds: int) -> str:
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes}:{seconds:02}"
