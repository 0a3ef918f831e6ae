"""Which kinds of answer an order wants: audio, text or both, which is what is meant when nothing is said."""

from __future__ import annotations

from typing import Final

from generation.contract import JobView
from generation.dialects.lyrics_text import structure_of
from generation.dialects.reading import Fields

AUDIO: Final = "audio"
TEXT: Final = "text"
MODALITIES: Final = (AUDIO, TEXT)


def modalities_of(fields: Fields, name: str) -> list[str]:
    """In any letter case and order. Raises Refusal for another word, and for an order that wants no audio."""
    value = fields.body.get(name)
    if value is None or value == []:
        return list(MODALITIES)
    is_sound = isinstance(value, list) and all(isinstance(one, str) and one.lower() in MODALITIES for one in value)
    if not is_sound:
        raise fields.invalid(name, f"must be a list out of {', '.join(MODALITIES)}")
    wanted = {one.lower() for one in value}
    if AUDIO not in wanted:
        raise fields.invalid(name, "must contain audio: every answer is a song")
    return [modality for modality in MODALITIES if modality in wanted]


def text_of(job: JobView) -> str | None:
    """The words of a song, else the structure of its first take; None when neither is known or wanted."""
    if TEXT not in job.wire.get("modalities", MODALITIES):
        return None
    return job.lyrics or (structure_of(job.tracks[0].sections) if job.tracks else None)
