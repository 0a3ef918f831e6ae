"""The rehearsal as a provider: songs from our own composer, and failures on request."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial
from math import ceil
from typing import TypeVar

from generation.contract import Delivery, LyricsRequest, SongRequest, WrittenLyrics
from generation.providers.base import Line, Sound, Sources, UpstreamAccess
from generation.providers.rehearsal.acting import Acting, acted_error, read_acting
from generation.providers.rehearsal.composer import seed_of
from generation.providers.rehearsal.continuing import Beginning, begin
from generation.providers.rehearsal.editing import edit
from generation.providers.rehearsal.leaning import Leaning, Material, lean
from generation.providers.rehearsal.materials import material_of, source_of
from generation.providers.rehearsal.recording import Session, check_length
from generation.providers.rehearsal.writing import write, write_lyrics

COMPOSER_THREADS = 2
WAIT_SHARE = 90.0
WAIT_STEPS = 6


@cache
def composer_threads() -> Executor:
    """The process's own threads for composing, started with the first song."""
    return ThreadPoolExecutor(COMPOSER_THREADS, thread_name_prefix="rehearsal")


Made = TypeVar("Made")


class Rehearsal:
    """Makes songs and writes lyrics on this machine, as `Provider` and `WritesLyrics` of `generation.providers.base`;
    of an upstream it needs `sources` alone.

    Composing runs on `executor` (by default two threads of the process), waiting on the loop alone. Cancelling
    stops the work between two sections of the song.
    """

    slug = "rehearsal"
    repeatable = True

    def __init__(
        self, executor: Executor | None = None, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._executor = executor
        self._sleep = sleep

    async def make(self, song: SongRequest, upstream: UpstreamAccess, line: Line) -> Delivery:
        """Wait and fail as the prompt's first word asks, else compose every take of the song."""
        acting = read_acting(song.prompt)
        await line.progress(0.0, "compose")
        await self._wait(acting.wait_seconds, line)
        if acting.failure is not None and acting.failure != "bad_audio":
            raise acted_error(acting.failure)
        session = await self._prepare(song, acting, upstream.sources)
        if session.lyrics:
            await line.lyrics(session.lyrics)
        begun = WAIT_SHARE if acting.wait_seconds else 0.0
        seed = seed_of(acting.prompt, session.lyrics) if song.seed is None else song.seed
        takes = []
        for take in range(song.takes):
            recording = await self._in_thread(partial(session.record, take_seed(seed, take)))
            if song.partial_audio:
                for piece in recording.pieces(take):
                    await line.audio(piece)
            takes.append(recording.as_take())
            await line.progress(begun + (100.0 - begun) * (take + 1) / song.takes, "compose")
        return Delivery(takes=tuple(takes), lyrics=session.lyrics)

    async def _prepare(self, song: SongRequest, acting: Acting, sources: Sources) -> Session:
        """Read and hear everything the song leans on, once for all its takes."""
        material, source = await material_of(song, sources), await source_of(song, sources)
        leaning, kept = await self._in_thread(lambda _: _heard(song, material, source))
        session = Session(song, acting, _lyrics(song, acting.prompt), leaning, kept)
        check_length(session)
        return session

    async def write(self, request: LyricsRequest, upstream: UpstreamAccess) -> WrittenLyrics:
        """Wait and fail as the prompt's first word asks, else write or edit at once."""
        acting = read_acting(request.prompt)
        await self._sleep(acting.wait_seconds)
        if acting.failure is not None and acting.failure != "bad_audio":
            raise acted_error(acting.failure)
        asked = replace(request, prompt=acting.prompt)
        return edit(asked) if asked.is_edit else write(asked)

    async def _wait(self, seconds: float, line: Line) -> None:
        steps = min(WAIT_STEPS, ceil(seconds))
        for step in range(1, steps + 1):
            await self._sleep(seconds / steps)
            await line.progress(WAIT_SHARE * step / steps, "compose")

    async def _in_thread(self, work: Callable[[Callable[[], bool]], Made]) -> Made:
        """Do a piece of work that asks now and then whether it is stopped."""
        called_off = threading.Event()
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor or composer_threads(), work, called_off.is_set)
        finally:
            called_off.set()


def take_seed(seed: int, take: int) -> int:
    """The seed of take 0, 1, …: the first is the order's own, so ordering any of them alone gives that take again."""
    if take == 0:
        return seed
    return int.from_bytes(hashlib.sha256(f"{seed}:{take}".encode()).digest()[:4], "big") >> 1


def _lyrics(song: SongRequest, prompt: str) -> str | None:
    if song.instrumental:
        return None
    return song.lyrics if (song.lyrics or "").strip() else write_lyrics(prompt)


def _heard(
    song: SongRequest, material: Material, source: tuple[Sound, bool] | None
) -> tuple[Leaning, Beginning | None]:
    leaning = lean(material)
    if source is None or song.extend is None:
        return leaning, None
    sound, is_lossless = source
    kept, leaning = begin(sound, song.extend.at_ms, leaning, is_lossless=is_lossless)
    return leaning, kept
