"""The files of delivered takes: what they are called, and what their tags say."""

from __future__ import annotations

import uuid

from django.conf import settings

from generation.audio.label import label_tags
from generation.audio.prepare import Prepared
from generation.models import Job


def name_of(job_id: uuid.UUID, take: int, prepared: Prepared) -> str:
    """Its name in the storage: the same for the same audio, another for any other."""
    return f"tracks/{job_id}/{take}-{prepared.sha256[:16]}.{prepared.format}"


def tags_of(job: Job, track_id: uuid.UUID) -> dict[str, str]:
    return label_tags(title=job.song.title, producer=settings.TUTTI_CONTENT_PRODUCER, produce_id=str(track_id))
