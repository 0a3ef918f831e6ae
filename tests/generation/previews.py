"""Songs that are heard while they are made: sound to give, and a provider that gives it on command."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
import pytest

from generation.audio.growing import GrowingTake
from generation.audio.prepare import Wanted
from generation.contract import AudioFormat, Delivery, Piece, RawTake, SongRequest
from generation.providers import registry
from generation.providers.base import Line, UpstreamAccess
from generation.services.claim import Work
from generation.services.note import note_piece
from generation.services.pieces import keep_piece
from tests.generation.worlds import World

RATE: Final = 44_100


def pcm(seconds: float = 1.0, *, pitch: float = 220.0) -> bytes:
    """A tone in stereo, as samples without a head."""
    moments = np.arange(int(seconds * RATE)) / RATE
    tone = np.sin(2 * np.pi * pitch * moments) * 9_000
    return np.stack([tone, tone], axis=1).astype("<i2").tobytes()


def pcm_piece(seconds: float = 1.0, *, take: int = 0, part: int = 0, pitch: float = 220.0) -> Piece:
    data = pcm(seconds, pitch=pitch)
    return Piece(take=take, part=part, data=data, format="pcm", sample_rate=RATE, channels=2)


def grown(*pieces: Piece, audio_format: AudioFormat = "mp3") -> list[bytes]:
    """What each of the pieces adds to a stream of this format, and its end."""
    take = GrowingTake(Wanted(format=audio_format))
    return [take.add(piece).data for piece in pieces] + [take.end().data]


def mp3_parts(count: int, *, seconds: float = 1.0) -> list[bytes]:
    """Parts of one song, each of whole frames."""
    *parts, last = grown(*(pcm_piece(seconds, part=part) for part in range(count)))
    parts[-1] += last
    return parts


def heard(work: Work, data: bytes, *, take: int = 0, part: int = 0, seconds: float = 1.0) -> bool:
    """A piece that a runner has kept and told of; `take` is the job's own number."""
    piece = Piece(take=take, part=part, data=data, format="mp3", sample_rate=RATE, channels=2)
    return note_piece(work, piece, keep_piece(work, piece), duration_seconds=seconds)


def let_be_heard(world: World, **more: object) -> None:
    """From now on the world's model can be heard while it works."""
    llm = world.mapping.llm
    llm.capabilities = llm.capabilities | {"streaming": "live"} | more
    llm.save()


Command = Piece | Delivery | Exception


class OnCommand:
    """A provider that gives what it is told to, when it is told; a delivery or an error ends the attempt."""

    slug = "rehearsal"
    repeatable = True

    def __init__(self) -> None:
        self._commands: deque[Command] = deque()
        self.is_called = False
        self.was_stopped = False

    def give(self, *commands: Command) -> None:
        self._commands.extend(commands)

    def deliver(self, *takes: bytes) -> None:
        self.give(Delivery(takes=tuple(RawTake(audio=take) for take in takes)))

    async def make(self, song: SongRequest, upstream: UpstreamAccess, line: Line) -> Delivery:
        self.is_called = True
        try:
            while True:
                while not self._commands:
                    await asyncio.sleep(0.01)
                command = self._commands.popleft()
                if isinstance(command, Delivery):
                    return command
                if isinstance(command, Exception):
                    raise command
                await line.audio(command)
        except asyncio.CancelledError:
            self.was_stopped = True
            raise


@contextmanager
def on_command(monkeypatch: pytest.MonkeyPatch) -> Iterator[OnCommand]:
    """Songs of rehearsal are made by command until the block ends."""
    provider = OnCommand()
    registry.provider_named.cache_clear()
    monkeypatch.setitem(registry._PROVIDERS, "rehearsal", lambda: provider)
    try:
        yield provider
    finally:
        registry.provider_named.cache_clear()
