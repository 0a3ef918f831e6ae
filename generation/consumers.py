"""Live: one WebSocket, many jobs. Events come from the jobs' rows in their order; the channel layer only wakes."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import ExitStack
from typing import Any, Final

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from generation.admission import admissions
from generation.contract import Refusal
from generation.dialects.registry import OPENAI_MUSIC
from generation.services.reading import Reader
from generation.sockets import NotSignedIn, caller_of
from generation.subscriptions import EVERY_JOB, Subscriptions
from generation.waiting import RoomClosed, waiting_room

logger = logging.getLogger(__name__)

NOT_JSON, NOT_SIGNED_IN, RIGHT_LOST, TOO_SLOW = 4400, 4401, 4403, 4408
GOING_AWAY, OUR_FAULT = 1001, 1011
LARGEST_FRAME: Final = 64 * 1024
SEND_SECONDS: Final = 10.0
WORD: Final = "generation.read"


class Jobs(AsyncWebsocketConsumer):
    channel_layer_alias = "none"  # the waiting room listens, once for all sockets of the process

    reader: Reader
    subscriptions: Subscriptions

    async def connect(self) -> None:
        """Accepts before it refuses: only an open socket can be told why it is closed."""
        self._stays = ExitStack()
        self._pump: asyncio.Task[None] | None = None
        await self.accept()
        try:
            caller = await sync_to_async(caller_of, thread_sensitive=True)(self.scope)
        except NotSignedIn:
            await self.close(NOT_SIGNED_IN)
            return
        if not caller.may(WORD):
            await self.close(RIGHT_LOST)
            return
        self.reader = Reader(caller, OPENAI_MUSIC, with_audio=b"audio=1" in self.scope["query_string"].split(b"&"))
        await self._stay()

    async def _stay(self) -> None:
        room = waiting_room()
        self.subscriptions = Subscriptions(self.reader, room)
        try:
            self._stays.enter_context(room.closing(lambda: self._leave(GOING_AWAY)))
        except RoomClosed:
            await self.close(GOING_AWAY)
            return
        self._stays.enter_context(admissions().staying(self.reader.caller, WORD, lambda: self._leave(RIGHT_LOST)))
        self._stays.enter_context(self.subscriptions)
        self._pump = asyncio.create_task(self._send_news())

    def _leave(self, code: int) -> None:
        """Close from outside, once; nothing is sent after it."""
        if self._pump is not None and not self._pump.done():
            self._pump.cancel()
            self._stays.close()
            self._closing = asyncio.create_task(self.close(code))

    async def disconnect(self, code: int) -> None:
        self._stays.close()
        if self._pump is not None:
            self._pump.cancel()

    # --- What the server says --------------------------------------------------------------------------------

    async def _send_news(self) -> None:
        try:
            async for event in self.subscriptions.news():
                await self._say(event)
        except Exception:
            logger.exception("The events of a socket could not be read.")
            self._leave(OUR_FAULT)

    async def _say(self, message: dict[str, Any]) -> None:
        text = json.dumps(message, ensure_ascii=False, allow_nan=False).encode(errors="replace").decode()
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self.send(text_data=text)
        except TimeoutError:
            self._leave(TOO_SLOW)

    async def _refuse(self, message: dict[str, Any], refusal: Refusal) -> None:
        named = message.get("id")
        job_id = named if isinstance(named, str) else None
        await self._say({"type": "error", "id": job_id, "code": refusal.code, "message": refusal.message})

    # --- What the client says --------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._pump is None:
            return
        text = text_data or ""
        if max(len(text.encode(errors="replace")), len(bytes_data or b"")) > LARGEST_FRAME:
            await self._refuse({}, Refusal("body_too_large", "A frame may have at most 64 kB."))
            return
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            self._leave(NOT_JSON)
            return
        if not isinstance(message, dict):
            message = {}
        try:
            await self._obey(message)
        except Refusal as refusal:
            await self._refuse(message, refusal)

    async def _obey(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "ping":
                await self._say({"type": "pong"})
            case "subscribe":
                await self._subscribe(_job_named(message), _seq_named(message))
            case "unsubscribe":
                self.subscriptions.forget(_job_named(message))
            case _:
                raise Refusal("invalid_parameter", "`type` must be subscribe, unsubscribe or ping.", param="type")

    async def _subscribe(self, job_id: str, after: int) -> None:
        if job_id == EVERY_JOB:
            await self.subscriptions.follow_all()
            await self._say({"type": "subscribed", "id": EVERY_JOB, "seq": 0})
            return
        found = await sync_to_async(self.reader.position, thread_sensitive=True)(job_id)
        await self._say({"type": "subscribed", "id": str(found.job_id), "seq": found.seq})
        self.subscriptions.follow(found.job_id, after)


def _job_named(message: dict[str, Any]) -> str:
    job_id = message.get("id")
    if not isinstance(job_id, str) or not job_id:
        raise Refusal("missing_parameter", "Missing required parameter: id", param="id")
    return job_id


def _seq_named(message: dict[str, Any]) -> int:
    after = message.get("after", 0)
    if not isinstance(after, int) or isinstance(after, bool) or not 0 <= after < 2**31:
        raise Refusal("invalid_parameter", "`after` must be the number of an event, 0 for all.", param="after")
    return after
