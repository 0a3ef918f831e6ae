"""Songs of the wire `mureka` that can be heard while they are made.

Each song under way has an address that gives a growing MP3. It is read beside the waiting for the song, and whatever
becomes of it, the song is not touched by that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

from generation.contract import Piece
from generation.providers.base import Line, UpstreamAccess
from generation.providers.downloads import FILE_BYTES
from generation.providers.http import OK
from generation.providers.mpeg_frames import Frame, FrameCutter
from generation.providers.untrusted import host_of

logger = logging.getLogger("tutti.upstreams")

PIECE_SECONDS: Final = 1.0
LAST_SECONDS: Final = 2.0
"""How long the end of a stream is waited for once its song is whole and fetched."""


class Previews:
    """The streams of one task that are being read, by take."""

    def __init__(self, upstream: UpstreamAccess, line: Line) -> None:
        self._upstream = upstream
        self._line = line
        self._readers: dict[int, asyncio.Task[None]] = {}
        self._parts: dict[int, int] = {}

    def hear(self, take: int, url: str) -> None:
        """Read a stream from now on. One that gave nothing is tried again; one that was heard is not begun anew."""
        reader = self._readers.get(take)
        if reader is None or (reader.done() and take not in self._parts):
            self._readers[take] = asyncio.ensure_future(self._read(take, url))

    async def wait(self, seconds: float) -> None:
        """Let the streams come to their end."""
        if self._readers:
            await asyncio.wait(self._readers.values(), timeout=seconds)

    async def stop(self) -> None:
        for reader in self._readers.values():
            reader.cancel()
        await asyncio.gather(*self._readers.values(), return_exceptions=True)

    async def _read(self, take: int, url: str) -> None:
        try:
            await self._give(take, url)
        except (OSError, EOFError, OverflowError) as broken:
            logger.warning("A song can no longer be heard while it is made, from %s: %s", host_of(url), broken)
        except Exception:
            logger.exception("What can be heard of a song was not passed on.")

    async def _give(self, take: int, url: str) -> None:
        upstream, cutter = self._upstream, FrameCutter()
        frames: list[Frame] = []
        # No credential: the link is signed, and may lead to another house.
        async with upstream.http.open(
            "GET",
            url,
            connect_seconds=upstream.connect_seconds,
            deadline_seconds=upstream.deadline_seconds,
            max_bytes=FILE_BYTES,
            redirects=3,
        ) as incoming:
            if incoming.status != OK:
                return
            async with aclosing(incoming.chunks()) as chunks:
                async for chunk in chunks:
                    for frame in cutter.cut(chunk):
                        frames.append(frame)
                        if sum(one.seconds for one in frames) >= PIECE_SECONDS:
                            await self._pass_on(take, frames)
                            frames = []
        if frames:
            await self._pass_on(take, frames)

    async def _pass_on(self, take: int, frames: list[Frame]) -> None:
        part = self._parts.get(take, 0)
        self._parts[take] = part + 1
        await self._line.audio(
            Piece(
                take=take,
                part=part,
                data=b"".join(frame.data for frame in frames),
                format="mp3",
                sample_rate=frames[0].kind.sample_rate,
                channels=frames[0].kind.channels,
            )
        )


@asynccontextmanager
async def previews(upstream: UpstreamAccess, line: Line) -> AsyncIterator[Previews]:
    """Streams to be read while a task is waited for; none outlives the block."""
    streams = Previews(upstream, line)
    try:
        yield streams
        await streams.wait(LAST_SECONDS)
    finally:
        await streams.stop()
