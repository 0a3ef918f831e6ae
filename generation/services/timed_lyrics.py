"""The timed lyrics of a track, made from its row whenever they are asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.utils.text import slugify

from generation.contract import LyricsLinks, Refusal, sections_from_json
from generation.lyrics.cues import Cues, cues_of
from generation.lyrics.sheets import SHEETS
from generation.models import Job, Track
from generation.services.links import sign_link

LONGEST_STEM: Final = 60


def lyrics_links(track: Track, *, base_url: str, expires_at: datetime) -> LyricsLinks | None:
    """Links to what is sung in a track; None where nothing is."""
    cues = _cues(track)
    if cues is None:
        return None
    links = {
        name: sign_link(track.pk, file_name=f"{file_stem(track)}.{name}", expires_at=expires_at, base_url=base_url)
        for name in SHEETS
    }
    return LyricsLinks(**links, is_estimated=cues.is_estimated)


def lyrics_sheet(track: Track, name: str) -> str:
    """The timed lyrics as a file of this format. Raises Refusal `not_found`."""
    cues = _cues(track)
    if cues is None or name not in SHEETS:
        raise Refusal("not_found", "There are no timed lyrics of this track.")
    title = track.job.song.title or track.job.title
    return SHEETS[name].write(cues, title, track.duration_ms)


def track_of(job: Job, take: int) -> Track:
    """Raises Refusal `not_found`."""
    track = Track.objects.filter(job=job, take=take).select_related("job").first()
    if track is None:
        raise Refusal("not_found", "There is no such take.")
    return track


def file_stem(track: Track) -> str:
    """What a file of this track is called, without its extension."""
    title = slugify(track.job.song.title or "") or slugify(track.job.model) or "song"
    return f"{title[:LONGEST_STEM]}-{track.take + 1}"


def _cues(track: Track) -> Cues | None:
    song = track.job.song
    lyrics = None if song.instrumental else track.job.lyrics or song.lyrics
    return cues_of(sections_from_json(track.sections), lyrics, track.duration_ms)
