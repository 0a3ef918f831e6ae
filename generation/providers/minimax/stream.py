"""A song of the wire `minimax` that is heard while it is made: events with pieces, then one with the whole."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Final

from generation.contract import Delivery, Piece, SongRequest
from generation.providers import http
from generation.providers.base import Incoming, Line, UpstreamAccess
from generation.providers.downloads import FILE_BYTES
from generation.providers.http import Heard
from generation.providers.incoming import opened
from generation.providers.minimax.answer import (
    MADE,
    MAKING,
    data_of,
    delivered,
    read_hex,
    require_success,
    song_in,
    status_of,
)
from generation.providers.minimax.order import STEREO, audio_setting
from generation.providers.mpeg_frames import FrameCutter
from generation.providers.sse import events
from generation.providers.untrusted import read_json

logger = logging.getLogger("tutti.upstreams")

STREAM_BYTES: Final = 4 * FILE_BYTES + http.JSON_BYTES
"""Hex doubles a song, and the last event brings all of it again."""
SAMPLE_BYTES: Final = 2


async def bring_streamed(
    song: SongRequest,
    upstream: UpstreamAccess,
    line: Line,
    *,
    take: int,
    path: str,
    headers: dict[str, str],
    fields: dict[str, Any],
) -> Delivery:
    """Order one take, and give each piece to the line as it comes. Raises ProviderError."""
    pieces = _Pieces(_Preview(line, take, audio_setting(song)))
    async with opened(
        upstream,
        "POST",
        path,
        headers={**headers, "Accept": "text/event-stream, application/json"},
        fields=fields,
        deadline_seconds=upstream.deadline_seconds,
        max_bytes=STREAM_BYTES,
    ) as (incoming, chunks):
        first = await anext(chunks, b"")
        is_stream = http.OK <= incoming.status < http.REDIRECTS and first.lstrip()[:1] != b"{"
        if is_stream:
            async with aclosing(_chained(first, chunks)) as body:
                last = await pieces.hear(incoming, body)
        else:
            # A refusal, or the song in one body all the same.
            last = _heard(incoming, await _joined(first, chunks))
    return await song_in(last, song, upstream) if pieces.audio is None else delivered(pieces.audio, last, song)


class _Pieces:
    """What has come of the song so far."""

    def __init__(self, preview: _Preview) -> None:
        self._preview = preview
        self._came = bytearray()
        self._is_torn = False

    @property
    def audio(self) -> bytes | None:
        """The song that the pieces make; None where they make none, and the last event's has to do."""
        return bytes(self._came) if self._came and not self._is_torn else None

    async def hear(self, incoming: Incoming, chunks: AsyncIterator[bytes]) -> Heard:
        """Take in every event up to the last, which is given back. Raises ProviderError, OverflowError."""
        heard = _heard(incoming, b"{}")
        try:
            async with aclosing(events(chunks, longest_line=http.JSON_BYTES)) as texts:
                async for text in texts:
                    heard = _heard(incoming, text)
                    require_success(heard, came_before=bool(self._came))
                    if await self._is_last(data_of(heard.fields)):
                        return heard
        except OverflowError:
            # Only the event that has the whole song again is as long as that; what came before tells what there is.
            return heard
        raise http.unknown()

    async def _is_last(self, data: Mapping[str, Any]) -> bool:
        """Take in one event's piece. Raises ProviderError for a status nobody described."""
        status, text = status_of(data), data.get("audio")
        if status == MAKING:
            await self._take_in(text)
        elif status != MADE and (status is not None or text):
            raise http.unknown()
        return status == MADE

    async def _take_in(self, text: object) -> None:
        piece = read_hex(text or "")
        if piece is None:
            self._is_torn = True
        if not piece:
            return
        self._came += piece
        if len(self._came) > FILE_BYTES:
            logger.warning("A streamed song grows beyond %s bytes.", FILE_BYTES)
            raise http.unknown()
        if not self._is_torn:
            await self._preview.give(piece)


class _Preview:
    """Gives a growing song to those who hear it already, in whole frames. What goes wrong here costs no song."""

    def __init__(self, line: Line, take: int, setting: dict[str, Any]) -> None:
        self._line = line
        self._take = take
        self._setting = setting
        self._frames = FrameCutter()
        self._waiting = bytearray()
        self._part = 0
        self._is_over = False

    async def give(self, data: bytes) -> None:
        piece = self._mp3(data) if self._setting["format"] == "mp3" else self._wav(data)
        if piece is None or self._is_over:
            return
        self._part += 1
        try:
            await self._line.audio(piece)
        except Exception:
            self._is_over = True
            logger.exception("What can be heard of a song was not passed on.")

    def _mp3(self, data: bytes) -> Piece | None:
        frames = self._frames.cut(data)
        if not frames:
            return None
        return Piece(
            take=self._take,
            part=self._part,
            data=b"".join(frame.data for frame in frames),
            format="mp3",
            sample_rate=frames[0].kind.sample_rate,
            channels=frames[0].kind.channels,
        )

    def _wav(self, data: bytes) -> Piece | None:
        """Whole samples of all channels; the usual head is a multiple of them."""
        channels = self._setting.get("channel", STEREO)
        self._waiting += data
        size = len(self._waiting) - len(self._waiting) % (SAMPLE_BYTES * channels)
        whole = bytes(self._waiting[:size])
        del self._waiting[:size]
        if not whole:
            return None
        rate = self._setting["sample_rate"]
        return Piece(take=self._take, part=self._part, data=whole, format="wav", sample_rate=rate, channels=channels)


def _heard(incoming: Incoming, body: bytes | str) -> Heard:
    return Heard(incoming.status, incoming.headers, read_json(body), incoming.redacted)


async def _chained(first: bytes, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    yield first
    async for chunk in chunks:
        yield chunk


async def _joined(first: bytes, chunks: AsyncIterator[bytes]) -> bytes:
    body = bytearray(first)
    async for chunk in chunks:
        body += chunk
        if len(body) > http.JSON_BYTES:
            raise OverflowError(f"The answer is longer than {http.JSON_BYTES} bytes.")
    return bytes(body)
