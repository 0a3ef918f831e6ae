"""The events of one job as a stream (SSE): read from its rows by number, so a broken one goes on where it was."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

from generation.admission import admissions
from generation.services.reading import Reader
from generation.waiting import RoomClosed, waiting_room

PING_SECONDS: Final = 15.0
PING: Final = b": ping\n\n"


def event_stream(reader: Reader, job_id: uuid.UUID, *, word: str, after: int = 0) -> StreamingHttpResponse:
    """200 with the events after number `after`; ends with the job, or when the caller no longer holds `word`."""
    stream = Stream(reader, job_id, word, after)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(stream.frames(), content_type="text/event-stream", headers=headers)


@dataclass(slots=True)
class Stream:
    reader: Reader
    job_id: uuid.UUID
    word: str
    seq: int
    is_over: bool = False

    async def frames(self, *, ping_seconds: float = PING_SECONDS) -> AsyncGenerator[bytes, None]:
        """Frames of events, and a comment whenever nothing was said for a while."""
        stirred = asyncio.Event()

        def end() -> None:
            self.is_over = True
            stirred.set()

        room = waiting_room()
        try:
            with (
                room.closing(end),
                room.watching(
                    self.job_id, lambda news: stirred.set() if news.seq > self.seq or news.is_final else None
                ),
                admissions().staying(self.reader.caller, self.word, end),
            ):
                while not self.is_over:
                    stirred.clear()
                    async for frame in self._news():
                        yield frame
                    if not self.is_over and not await comes(stirred, ping_seconds):
                        yield PING
        except RoomClosed:
            return

    async def _news(self) -> AsyncIterator[bytes]:
        has_more = True
        while has_more and not self.is_over:
            batch = await sync_to_async(self.reader.events, thread_sensitive=True)(self.job_id, self.seq)
            for event in batch.events:
                yield frame_of(event)
            self.seq, has_more = batch.seq, batch.has_more
            self.is_over = self.is_over or batch.is_final


async def comes(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


def frame_of(event: dict[str, Any]) -> bytes:
    data = json.dumps(event, ensure_ascii=False, allow_nan=False)
    return f"id: {event['seq']}\nevent: {event['type']}\ndata: {data}\n\n".encode(errors="replace")
