"""The way back from a provider to its job while the song is made."""

from __future__ import annotations

import uuid
from functools import partial

from generation.contract import Phase, Piece
from generation.runner.database import DatabaseThreads, insist
from generation.runner.preview import Preview
from generation.services.claim import Work
from generation.services.events import Entry, record_each
from generation.services.note import note_lyrics, note_ticket


class News:
    """The newest progress of each job in hand, written for all of them in one transaction."""

    def __init__(self, database: DatabaseThreads) -> None:
        self._database = database
        self._newest: dict[uuid.UUID, tuple[uuid.UUID, Entry]] = {}

    def put(self, work: Work, entry: Entry) -> None:
        self._newest[work.job_id] = (work.token, entry)

    def drop(self, work: Work) -> None:
        """The attempt is over: what it last said is of no interest any more."""
        self._newest.pop(work.job_id, None)

    async def tell(self) -> None:
        newest, self._newest = self._newest, {}
        if newest:
            await self._database.run(record_each, [(job_id, token, entry) for job_id, (token, entry) in newest.items()])


class JobLine:
    """Satisfies `generation.providers.base.Line`."""

    def __init__(self, work: Work, news: News, database: DatabaseThreads) -> None:
        self._work = work
        self._news = news
        self._database = database
        self._highest = -1
        self._preview = Preview(work, database)

    async def progress(self, percent: float, phase: Phase) -> None:
        """Keep the newest whole percent; it never falls within an attempt."""
        whole = int(min(max(percent, 0.0), 100.0))
        if whole > self._highest:
            self._highest = whole
            self._news.put(self._work, Entry("progress", {"progress": whole, "phase": phase, "expected_seconds": None}))

    async def lyrics(self, text: str) -> None:
        await self._database.run(note_lyrics, self._work, text)

    async def audio(self, piece: Piece) -> None:
        if self._work.song.partial_audio:
            await self._preview.give(piece)

    async def end_audio(self) -> None:
        """The song is whole: nothing more will be heard before it is delivered."""
        await self._preview.end()

    async def ticket(self, upstream_id: str) -> None:
        # The song is being made: without its id nobody could ask for it.
        await insist(partial(self._database.run, note_ticket, self._work, upstream_id), until=self._work.deadline)
