"""POST /v1/music_generation, the one route of the wire `minimax`."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager
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
from generation.contract import JobView
from generation.dialects.minimax_answers import stream_headers
from generation.dialects.registry import MINIMAX
from generation.services.hearing import Hearing
from generation.services.reading import Reader
from generation.waiting import News, RoomClosed, waiting_room

WORD: Final = "generation.create"
ONLY_TAKE: Final = 0
"""This wire orders one song at a time."""


class MusicGeneration(OrderView):
    dialect = MINIMAX
    words = {"POST": WORD}

    @minimax_shapes.order_song
    def post(self, request: Request) -> HttpResponseBase:
        taken = self.take(request)
        return self._stream(taken) if taken.order.wire["stream"] else self.answer_to(taken)

    def _stream(self, taken: Taken) -> HttpResponseBase:
        reader = self.reader()
        job, hearing = reader.job(taken.job_id), reader.hearing(taken.job_id, ONLY_TAKE)
        stream = SongStream(reader, taken.job_id, self.request, hearing, is_final=job.finished is not None)
        headers = stream_headers(job, request_id=request_id(self.request)) | dict(taken.headers)
        return StreamingHttpResponse(
            stream.frames(),
            content_type="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no", **headers},
        )


@dataclass(slots=True)
class SongStream:
    """The song as events: pieces while it is made, at the end what else there is of it, and then the whole.

    A song that could not be heard while it was made comes in pieces of its finished file. Pieces cannot be taken back
    when their attempt fails: who was given some gets no others, and the last event alone has the song. That event
    brings the delivered file, with its label and as it was ordered in every point; live pieces have no label.

    Comments while nothing comes. A reader that may order no more is left without an end.
    """

    reader: Reader
    job_id: uuid.UUID
    request: HttpRequest
    hearing: Hearing | None = None
    is_final: bool = False
    is_leaving: bool = False
    is_turned_out: bool = False

    async def frames(self, *, ping_seconds: float = PING_SECONDS) -> AsyncGenerator[bytes, None]:
        if not self.is_final:
            async with aclosing(self._live(ping_seconds)) as live:
                async for frame in live:
                    yield frame
        events = self._events()
        while not self.is_turned_out:
            event = await sync_to_async(_next_of, thread_sensitive=True)(events)
            if event is None:
                return
            yield event

    async def _live(self, ping_seconds: float) -> AsyncGenerator[bytes, None]:
        """Pieces as they come, and a comment whenever nothing was said for a while, until the job has ended."""
        stirred = asyncio.Event()
        try:
            with self._attending(stirred):
                while True:
                    stirred.clear()
                    is_last = self.is_final  # what came before the end is read once the end is known
                    async for frame in self._pieces():
                        yield frame
                    if is_last or self.is_leaving:
                        return
                    if not await comes(stirred, ping_seconds):
                        yield PING
        except RoomClosed:
            return

    @contextmanager
    def _attending(self, stirred: asyncio.Event) -> Iterator[None]:
        """Be stirred by news of the job, by the end of the process and of the right to listen. Raises RoomClosed."""

        def leave() -> None:
            self.is_leaving = True
            stirred.set()

        def turn_out() -> None:
            self.is_turned_out = True
            leave()

        def hear(news: News) -> None:
            if self._is_worth_a_look(news):
                stirred.set()

        room = waiting_room()
        with (
            room.closing(leave),
            room.watching(self.job_id, hear),
            admissions().staying(self.reader.caller, WORD, turn_out),
        ):
            yield

    def _is_worth_a_look(self, news: News) -> bool:
        self.is_final = self.is_final or news.is_final
        may_be_heard = self.hearing is not None and not self.hearing.is_over and news.seq > self.hearing.seq
        return self.is_final or may_be_heard

    async def _pieces(self) -> AsyncIterator[bytes]:
        while self.hearing is not None and not self.is_leaving:
            audio = await sync_to_async(self.hearing.next_piece, thread_sensitive=True)()
            if audio is None:
                return
            yield frame_of(MINIMAX.piece(audio, request_id=request_id(self.request)))

    def _events(self) -> Iterator[bytes]:
        """Read on a thread, one by one: a long song is not held in many forms at once."""
        try:
            job = self.reader.job(self.job_id)
            for body in MINIMAX.streamed(job, request_id=request_id(self.request), rest=self._rest(job)):
                yield frame_of(body)
        except Exception as exc:  # noqa: BLE001 - the status has left: what failed is told as an event of the wire
            yield b"data: " + failure(exc, self.request, MINIMAX).content + b"\n\n"

    def _rest(self, job: JobView) -> bytes | None:
        if self.hearing is None or self.hearing.attempt is None or not job.tracks:
            return None
        return self.hearing.rest(job.tracks[0].format)


def _next_of(events: Iterator[bytes]) -> bytes | None:
    return next(events, None)


def frame_of(body: Any) -> bytes:
    return f"data: {json.dumps(body, ensure_ascii=False, allow_nan=False)}\n\n".encode(errors="replace")
