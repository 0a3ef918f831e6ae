"""Where the takes of a job can be heard while they are made."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from django.utils.text import slugify

from generation.audio.growing import growing_format
from generation.models import Job
from generation.services.links import sign_stream


def stream_links(job: Job, *, base_url: str, link_life: timedelta) -> tuple[str, ...]:
    """A link for each take once there is a first sound of any; empty before that, and after the job's end."""
    if not job.streaming or job.is_final:
        return ()
    song = job.song
    title = slugify(song.title or "") or slugify(job.model) or "song"
    return tuple(
        sign_stream(
            job.pk,
            take,
            file_name=f"{title[:60]}-{take + 1}.{growing_format(song.format)}",
            expires_at=timezone.now() + link_life,
            base_url=base_url,
        )
        for take in range(song.takes)
    )
