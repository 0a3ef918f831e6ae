"""Streams beside a task: heard to their end, and never longer than the song is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from generation.providers.mureka import previews as module
from generation.providers.mureka.previews import previews
from tests.generation.providers.test_mpeg_frames import silent_frame
from tests.generation.providers.wayside import Ear, access

FRAME = silent_frame()
LINK = "https://files.example/growing"


class Growing:
    """Satisfies `Http` and `Incoming`: one frame and a half at a time, a moment between them; perhaps no end."""

    def __init__(self, chunks: int, *, is_endless: bool = False, first_status: int = 200) -> None:
        self._chunks, self._is_endless, self._first_status = chunks, is_endless, first_status
        self.status = 200
        self.headers: Mapping[str, str] = {}
        self.opened: list[Mapping[str, Any]] = []
        self.closed = 0

    def redacted(self, text: str) -> str:
        return text

    def open(self, method: str, url: str, **options: Any) -> AbstractAsyncContextManager[Growing]:
        self.opened.append({"method": method, "url": url, "headers": options.get("headers")})
        self.status = self._first_status if len(self.opened) == 1 else 200
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Growing]:
        try:
            yield self
        finally:
            self.closed += 1

    async def chunks(self) -> AsyncGenerator[bytes]:
        whole = FRAME * (3 * self._chunks // 2)
        size = len(FRAME) * 3 // 2
        for at in range(0, len(whole), size):
            await asyncio.sleep(0.001)
            yield whole[at : at + size]
        if self._is_endless:
            await asyncio.Event().wait()


async def test_stream_is_heard_to_its_end_though_the_song_is_there() -> None:
    growing, ear = Growing(60), Ear()
    upstream, _ = access(http=growing)

    async with previews(upstream, ear) as streams:
        streams.hear(2, LINK)

    assert [(piece.take, piece.part) for piece in ear.pieces] == [(2, 0), (2, 1), (2, 2)]
    assert b"".join(piece.data for piece in ear.pieces) == FRAME * 90
    assert growing.opened == [{"method": "GET", "url": LINK, "headers": None}]


async def test_stream_without_an_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LAST_SECONDS", 0.5)
    growing, ear = Growing(30, is_endless=True), Ear()
    upstream, _ = access(http=growing)

    async with previews(upstream, ear) as streams:
        streams.hear(0, LINK)

    assert (len(ear.pieces), growing.closed) == (1, 1)


async def test_song_that_fails_leaves_no_stream_behind() -> None:
    growing = Growing(30, is_endless=True)
    upstream, _ = access(http=growing)

    async def fail() -> None:
        async with previews(upstream, Ear()) as streams:
            streams.hear(0, LINK)
            while not growing.opened:
                await asyncio.sleep(0)
            raise ValueError("no song")

    with pytest.raises(ValueError, match="no song"):
        await fail()

    assert growing.closed == len(growing.opened) == 1


async def test_stream_that_is_not_there_yet_is_asked_for_again_and_one_that_was_heard_is_not() -> None:
    growing, ear = Growing(60, first_status=404), Ear()
    upstream, _ = access(http=growing)

    async with previews(upstream, ear) as streams:
        for _ in range(4):
            streams.hear(0, LINK)
            await streams.wait(1)

    assert len(growing.opened) == 2
    assert [piece.part for piece in ear.pieces] == [0, 1, 2]
