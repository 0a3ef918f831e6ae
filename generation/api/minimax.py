"""POST /v1/music_generation, the one route of the wire `minimax`."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from generation.admission import admissions
from generation.api import minimax_shapes
from generation.api.errors import failure, request_id
from generation.api.orders import OrderView, Taken
from generation.api.streams import PING, PING_SECONDS, comes
from generation.dialects.minimax_answers import stream_headers
from generation.dialects.registry import MINIMAX
from generation.services.reading import Reader
from generation.waiting import RoomClosed, waiting_room

WORD: Final = "generation.create"


class MusicGeneration(OrderView):
    dialect = MINIMAX
    words = {"POST": WORD}

    @minimax_shapes.order_song
    def post(self, request: Request) -> HttpResponseBase:
        taken = self.take(request)
        return self._stream(taken) if taken.order.wire["stream"] else self.answer_to(taken)

    def _stream(self, taken: Taken) -> HttpResponseBase:
        job = self.reader().job(taken.job_id)
        stream = SongStream(self.reader(), taken.job_id, self.request, is_final=job.finished is not None)
        headers = stream_headers(job, request_id=request_id(self.request)) | dict(taken.headers)
        return StreamingHttpResponse(
            stream.frames(),
            content_type="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no", **headers},
        )


@dataclass(slots=True)
class SongStream:
    """The song as events, in pieces and then whole, once its job has ended; comments until then.

    A reader that may order no more is left without an end.
    """

    reader: Reader
    job_id: uuid.UUID
    request: HttpRequest
    is_final: bool = False
    is_turned_out: bool = False

    async def frames(self, *, ping_seconds: float = PING_SECONDS) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._pings(ping_seconds)) as pings:
            async for ping in pings:
                yield ping
        events = self._events()
        while not self.is_turned_out:
            event = await sync_to_async(_next_of, thread_sensitive=True)(events)
            if event is None:
                return
            yield event

    async def _pings(self, ping_seconds: float) -> AsyncGenerator[bytes, None]:
        """A comment whenever nothing was said for a while, until there is no more to wait for."""
        stirred = asyncio.Event()
        if self.is_final:
            return

        def turn_out() -> None:
            self.is_turned_out = True
            stirred.set()

        room = waiting_room()
        try:
            with (
                room.closing(stirred.set),
                room.watching(self.job_id, lambda news: stirred.set() if news.is_final else None),
                admissions().staying(self.reader.caller, WORD, turn_out),
            ):
                while not await comes(stirred, ping_seconds):
                    yield PING
        except RoomClosed:
            return

    def _events(self) -> Iterator[bytes]:
        """Read on a thread, one by one: a long song is not held in many forms at once."""
        try:
            for body in MINIMAX.streamed(self.reader.job(self.job_id), request_id=request_id(self.request)):
                yield frame_of(body)
        except Exception as exc:  # noqa: BLE001 - the status has left: what failed is told as an event of the wire
            yield b"data: " + failure(exc, self.request, MINIMAX).content + b"\n\n"


def _next_of(events: Iterator[bytes]) -> bytes | None:
    return next(events, None)


def frame_of(body: Any) -> bytes:
    return f"data: {json.dumps(body, ensure_ascii=False, allow_nan=False)}\n\n".encode(errors="replace")
