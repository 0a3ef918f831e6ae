"""What can be heard of a song while it is made: kept piece by piece, in the format that was ordered.

Pieces are decoded and encoded once, here, on a thread beside the loop, so that all listeners get the same bytes and no
web thread encodes. Short ones are gathered. Whatever goes wrong costs what could be heard of that take, not the song.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from generation.audio.growing import GrowingTake, Grown
from generation.audio.prepare import Wanted
from generation.contract import Piece, SongRequest
from generation.runner.database import DatabaseThreads
from generation.services.claim import Work
from generation.services.note import note_piece
from generation.services.pieces import discard_piece, keep_piece

logger = logging.getLogger("tutti.jobs")

SHORTEST_SECONDS: Final = 0.5
"""A piece is a file and a row: an upstream that sends frame by frame must not become thousands of them."""
LARGEST_BYTES: Final = 256 * 1024 * 1024
"""What one attempt may leave in pieces: six takes of four minutes of plain samples."""


@dataclass(slots=True)
class _Take:
    """`number` is the job's own; what waits is not long enough yet."""

    number: int
    growing: GrowingTake
    part: int = 0
    waiting: bytearray = field(default_factory=bytearray)
    waiting_seconds: float = 0.0
    is_over: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def put(self, grown: Grown) -> None:
        self.waiting += grown.data
        self.waiting_seconds += grown.seconds


class Preview:
    """What can be heard of the takes of one attempt."""

    def __init__(self, work: Work, database: DatabaseThreads) -> None:
        self._work = work
        self._database = database
        self._takes: dict[int, _Take] = {}
        self._kept_bytes = 0

    async def give(self, piece: Piece) -> None:
        """Keep a piece as the upstream gave it, by its own number of the take; never raises."""
        if not 0 <= piece.take < len(self._work.takes):
            logger.warning("A piece of job %s is of take %s, which was not ordered.", self._work.job_id, piece.take)
            return
        number = self._work.takes[piece.take]
        take = self._takes.setdefault(number, _Take(number, GrowingTake(_wanted(self._work.song))))
        async with take.lock:
            if not take.is_over:
                await self._safely(take, piece)

    async def end(self) -> None:
        """The song is whole: keep what still waits; never raises."""
        for take in self._takes.values():
            async with take.lock:
                if not take.is_over:
                    await self._safely(take, None)
                    take.is_over = True

    async def _safely(self, take: _Take, piece: Piece | None) -> None:
        try:
            await self._go_on(take, piece)
        except Exception:
            take.is_over = True
            logger.exception("Take %s of job %s can no longer be heard.", take.number, self._work.job_id)

    async def _go_on(self, take: _Take, piece: Piece | None) -> None:
        """Take in a piece, or the end where there is none."""
        if piece is None:
            take.put(await asyncio.to_thread(take.growing.end))
        else:
            take.put(await asyncio.to_thread(take.growing.add, piece))
        is_due = piece is None or take.waiting_seconds >= SHORTEST_SECONDS
        if take.waiting and is_due:
            await self._keep(take)

    async def _keep(self, take: _Take) -> None:
        piece, seconds = _piece_of(take), take.waiting_seconds
        self._kept_bytes += len(piece.data)
        if self._kept_bytes > LARGEST_BYTES:
            take.is_over = True
            logger.warning("What can be heard of job %s outgrows %s bytes.", self._work.job_id, LARGEST_BYTES)
            return
        file = await asyncio.to_thread(keep_piece, self._work, piece)
        is_told = False
        try:
            is_told = await self._database.run(note_piece, self._work, piece, file, duration_seconds=seconds)
        finally:
            if not is_told:
                await asyncio.to_thread(discard_piece, file)
        if not is_told:
            take.is_over = True  # the job is somebody else's now, or has ended
            return
        take.part += 1
        take.waiting.clear()
        take.waiting_seconds = 0.0


def _wanted(song: SongRequest) -> Wanted:
    return Wanted(format=song.format, sample_rate=song.sample_rate, bitrate=song.bitrate, channels=song.channels)


def _piece_of(take: _Take) -> Piece:
    sample_rate, channels = take.growing.shape
    return Piece(
        take=take.number,
        part=take.part,
        data=bytes(take.waiting),
        format=take.growing.format,
        sample_rate=sample_rate,
        channels=channels,
    )
