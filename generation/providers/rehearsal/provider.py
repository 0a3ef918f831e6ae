"""The rehearsal as a provider: songs from our own composer, and failures on request."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from math import ceil

from generation.contract import Delivery, LyricsRequest, RawTake, SongRequest, WrittenLyrics
from generation.providers.base import Line, UpstreamAccess
from generation.providers.rehearsal.acting import Acting, acted_error, read_acting
from generation.providers.rehearsal.composer import compose, seed_of
from generation.providers.rehearsal.editing import edit
from generation.providers.rehearsal.wav import wav_bytes
from generation.providers.rehearsal.writing import write, write_lyrics

COMPOSER_THREADS = 2
WAIT_SHARE = 90.0
WAIT_STEPS = 6


@cache
def composer_threads() -> Executor:
    """The process's own threads for composing, started with the first song."""
    return ThreadPoolExecutor(COMPOSER_THREADS, thread_name_prefix="rehearsal")


class Rehearsal:
    """Makes songs and writes lyrics on this machine, as `Provider` and `WritesLyrics` of `generation.providers.base`;
    needs nothing of an upstream.

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
        lyrics = _lyrics(song, acting.prompt)
        if lyrics:
            await line.lyrics(lyrics)
        begun = WAIT_SHARE if acting.wait_seconds else 0.0
        seed = seed_of(acting.prompt, lyrics) if song.seed is None else song.seed
        takes = []
        for take in range(song.takes):
            takes.append(await self._compose(song, acting, lyrics, take_seed(seed, take)))
            await line.progress(begun + (100.0 - begun) * (take + 1) / song.takes, "compose")
        return Delivery(takes=tuple(takes), lyrics=lyrics)

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

    async def _compose(self, song: SongRequest, acting: Acting, lyrics: str | None, seed: int) -> RawTake:
        called_off = threading.Event()
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(
                self._executor or composer_threads(), _raw_take, song, acting, lyrics, seed, called_off.is_set
            )
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


def _raw_take(
    song: SongRequest, acting: Acting, lyrics: str | None, seed: int, is_stopped: Callable[[], bool]
) -> RawTake:
    composition = compose(
        prompt=acting.prompt,
        lyrics=song.lyrics if song.instrumental else lyrics,
        seed=seed,
        duration_seconds=song.duration_seconds,
        instrumental=song.instrumental,
        temperature=song.sampling.temperature,
        is_stopped=is_stopped,
    )
    samples = composition.samples
    if acting.failure == "bad_audio":
        samples[:, 1] = 0.0
    return RawTake(
        audio=wav_bytes(samples, composition.sample_rate), sections=composition.sections, seed=composition.seed
    )
