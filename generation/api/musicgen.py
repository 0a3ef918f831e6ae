"""POST /api/v1/generate_music, the one route of the wire `musicgen`: the one where a client that leaves cancels."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts.api.authentication import ApiKeyAuthentication, FallbackKeyAuthentication, SessionAuthentication
from generation.admission import admissions
from generation.api import musicgen_shapes
from generation.api.errors import told
from generation.api.orders import OrderView
from generation.api.streams import PING, PING_SECONDS, comes
from generation.contract import Order
from generation.dialects.base import AI_GENERATED, approximated_header
from generation.dialects.musicgen import completed, failed, frame, progressed
from generation.dialects.registry import MUSICGEN
from generation.models import Job
from generation.services.listen import Listener, Seat
from generation.services.reading import Reader
from generation.services.submit import Submitted
from generation.states import FINAL
from generation.waiting import RoomClosed, waiting_room

logger = logging.getLogger(__name__)

WORD: Final = "generation.create"
WHOLE: Final = 100.0
TURNED_OUT: Final = "This key may no longer order songs."
STOPPING: Final = "The service stops. The song was cancelled; order it again."
STOPPING_KEYED: Final = "The service stops. Order the song again under the same Idempotency-Key to hear it."


class PrivateNetworkKey(FallbackKeyAuthentication):
    def fallback_key(self) -> str:
        key: str = settings.MUSICGEN_DEFAULT_KEY
        return key


class GenerateMusic(OrderView):
    dialect = MUSICGEN
    words = {"POST": WORD}
    authentication_classes = (ApiKeyAuthentication, SessionAuthentication, PrivateNetworkKey)
    seat: Seat | None = None
    """Among those who may listen to the same order; None: nobody else can."""

    @musicgen_shapes.generate_music
    def post(self, request: Request) -> HttpResponseBase:
        taken = self.take(request)
        job = Job.objects.get(pk=taken.job_id)
        stream = SongStream(self.reader(), job.pk, self.request, Listener(job.pk, self.seat))
        return SongAnswer(stream, headers={**AI_GENERATED, **approximated_header(job.wire), **taken.headers})

    def submitted(self, order: Order, key: str | None, body: Mapping[str, Any]) -> Submitted:
        if key is None:
            return super().submitted(order, key, body)
        self.seat = Seat.taken(self.caller, dialect=self.dialect.slug, idempotency_key=key, body=body)
        try:
            return super().submitted(order, key, body)
        except BaseException:
            self.seat.given_up()
            raise


class SongAnswer(StreamingHttpResponse):
    """The stream of a song. The server closes it at its end, and when the client has left."""

    def __init__(self, stream: SongStream, *, headers: dict[str, str]) -> None:
        super().__init__(
            stream.frames(),
            content_type="text/event-stream",
            headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no", **headers},
        )
        self.stream = stream

    def close(self) -> None:
        try:
            _on_a_thread(self.stream.leave)
        finally:
            super().close()


@dataclass(slots=True)
class SongStream:
    """The song as the events of this wire. Its reader leaves once, and cancels it then if it has not ended."""

    reader: Reader
    job_id: uuid.UUID
    request: HttpRequest
    listener: Listener
    seq: int = 0
    highest: float = -1.0
    has_begun: bool = False
    has_ended: bool = False
    has_left: bool = False
    broken_off: str | None = None
    """Why the stream ends before its song."""
    is_stopping: bool = False

    async def frames(self, *, ping_seconds: float = PING_SECONDS) -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(self._told(ping_seconds)) as told_so_far:
                async for piece in told_so_far:
                    yield piece
        except RoomClosed:
            self._stop()
        except Exception as exc:  # noqa: BLE001 - the status has left: what failed is told as an event of the wire
            self.broken_off = told(exc, self.request).message
        if self.broken_off is not None and not self.has_ended:
            yield frame(failed(self.broken_off))

    def leave(self) -> None:
        """Called on a thread when nobody reads any more, for whatever reason; again without effect."""
        if self.has_left or self.has_ended:
            return
        self.has_left = True
        logger.info("A client left job %s before its end.", self.job_id)
        self.listener.leave(may_come_back=self.is_stopping)

    async def _told(self, ping_seconds: float) -> AsyncGenerator[bytes, None]:
        """Frames as the log of the job grows, and a comment whenever nothing was said for a while."""
        stirred = asyncio.Event()
        room = waiting_room()
        with (
            room.closing(partial(self._and_stir, self._stop, stirred)),
            room.watching(self.job_id, lambda news: stirred.set() if news.seq > self.seq or news.is_final else None),
            admissions().staying(self.reader.caller, WORD, partial(self._and_stir, self._turn_out, stirred)),
        ):
            while True:
                stirred.clear()
                async for piece in self._news():
                    yield piece
                if self.has_ended or self.broken_off is not None:
                    return
                if not await comes(stirred, ping_seconds):
                    yield PING

    def _and_stir(self, act: Callable[[], None], stirred: asyncio.Event) -> None:
        act()
        stirred.set()

    def _stop(self) -> None:
        self.is_stopping = True
        self.broken_off = STOPPING if self.listener.is_alone else STOPPING_KEYED

    def _turn_out(self) -> None:
        self.broken_off = TURNED_OUT

    async def _news(self) -> AsyncIterator[bytes]:
        has_more = True
        while has_more and not self.has_ended and self.broken_off is None:
            batch = await sync_to_async(self.reader.events, thread_sensitive=True)(self.job_id, self.seq)
            for event in batch.events:
                async for piece in self._words_of(event):
                    yield piece
            self.seq, has_more = batch.seq, batch.has_more
            self.has_ended = self.has_ended or batch.is_final

    async def _words_of(self, event: dict[str, Any]) -> AsyncIterator[bytes]:
        """What this wire says of an event: nothing of most. A new attempt begins silently and takes nothing back."""
        match event["type"]:
            case "started" if not self.has_begun:
                self.has_begun = True
                yield frame({"event": "start"})
            case "progress" if event["progress"] > self.highest:
                self.highest = event["progress"]
                yield frame(progressed(self.highest))
            case kind if kind in FINAL:
                async for piece in self._end():
                    yield piece

    async def _end(self) -> AsyncIterator[bytes]:
        job = await sync_to_async(self.reader.job, thread_sensitive=True)(self.job_id)
        if job.error is not None:
            yield frame(failed(job.error.message))
            return
        audio = await sync_to_async(job.tracks[0].read, thread_sensitive=True)()
        if self.highest < WHOLE:
            # A song may be done before its progress was ever told.
            yield frame(progressed(WHOLE))
        for piece in completed(audio):
            yield piece


def leaving_cancels(view: Any) -> Callable[..., Awaitable[HttpResponseBase]]:
    """Wrap `View.as_view()`: an order is taken to its end although its client has left, and then let go of.

    Otherwise a song whose client leaves while its order is taken would be made for nobody.
    """

    async def patient(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        taking = asyncio.ensure_future(sync_to_async(view, thread_sensitive=True)(request, *args, **kwargs))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            _see_through(_let_go(taking))
            raise

    # What the schema and the table of permissions read of a DRF view.
    patient.cls = view.cls  # type: ignore[attr-defined]
    patient.initkwargs = view.initkwargs  # type: ignore[attr-defined]
    patient.csrf_exempt = True  # type: ignore[attr-defined]
    return patient


_under_way: Final[set[asyncio.Future[None]]] = set()
"""What nobody awaits, and the loop itself would forget."""


def _see_through(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)


def _on_a_thread(work: Callable[[], None]) -> None:
    """Now, where this is a thread for it; else as soon as one is free."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        work()
    else:
        # Not on the request's own thread: its context may have ended with it.
        _see_through(waiting_room().run(work))


async def _let_go(taking: asyncio.Future[HttpResponseBase]) -> None:
    try:
        response = await taking
    except Exception:
        logger.exception("An order whose client had left failed.")
        return
    response.close()
