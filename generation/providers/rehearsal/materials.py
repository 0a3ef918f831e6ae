"""The sounds an order leans on, brought from the house; listening to them is for a thread."""

from __future__ import annotations

from generation.contract import SongRequest
from generation.providers.base import Sound, Sources
from generation.providers.rehearsal.leaning import Material
from generation.providers.rehearsal.pitch_track import HeardNote

TUNE_FORMAT = "mid"
LOSSLESS = ("wav", "flac", "pcm")


async def material_of(song: SongRequest, sources: Sources) -> Material:
    """Read what the song leans on. Raises ProviderError (not made) for what is gone or cannot be decoded."""
    references = song.references
    return Material(
        reference=await _sound(references.reference, sources),
        vocal=await _sound(references.vocal, sources),
        melody=await _melody(references.melody, sources),
    )


async def source_of(song: SongRequest, sources: Sources) -> tuple[Sound, bool] | None:
    """The song to continue, and whether its format lost nothing; None where none is continued."""
    extend = song.extend
    if extend is None:
        return None
    if extend.track is not None:
        track = await sources.track(extend.track)
        return await sources.samples(track), track.format in LOSSLESS
    upload = await sources.file(extend.upload or "")
    return await sources.samples(upload), upload.format in LOSSLESS


async def _sound(file_id: str | None, sources: Sources) -> Sound | None:
    return None if file_id is None else await sources.samples(await sources.file(file_id))


async def _melody(file_id: str | None, sources: Sources) -> Sound | tuple[HeardNote, ...] | None:
    if file_id is None:
        return None
    file = await sources.file(file_id)
    if file.format == TUNE_FORMAT:
        return tuple(HeardNote(start / 1000, end / 1000, pitch) for start, end, pitch in file.tune)
    return await sources.samples(file)
