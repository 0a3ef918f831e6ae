"""What an order leans on, as its provider reads it: rows on the runner's database threads, bytes on any other."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

from generation.contract import SourceFile, SourceTrack
from generation.providers.base import NoSources, Sound
from generation.runner.database import DatabaseThreads
from generation.services.claim import Work
from generation.services.source_samples import sound_of
from generation.services.sources import stored_file, stored_track


class JobSources(NoSources):
    """The uploads and tracks that one job may read; it has none beside them."""

    def __init__(self, work: Work, database: DatabaseThreads) -> None:
        self._work, self._database = work, database

    async def file(self, file_id: str) -> SourceFile:
        found = await self._database.run(stored_file, self._work.job_id, file_id)
        if found is not None:
            with suppress(FileNotFoundError):
                return await asyncio.to_thread(found.read)
        return await super().file(file_id)

    async def track(self, track_id: str) -> SourceTrack:
        work = self._work
        found = await self._database.run(stored_track, work.job_id, track_id, attempt_id=work.attempt_id)
        if found is not None:
            with suppress(FileNotFoundError):
                return await asyncio.to_thread(found.read)
        return await super().track(track_id)

    async def samples(self, source: SourceFile | SourceTrack) -> Sound:
        return await asyncio.to_thread(sound_of, source)


def within_reach(work: Work, database: DatabaseThreads) -> Work:
    """The attempt, with what its order leans on in its provider's reach."""
    return replace(work, access=replace(work.access, sources=JobSources(work, database)))
