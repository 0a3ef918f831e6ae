"""A way out that leads nowhere: it answers what a test has written, and keeps what was sent."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from generation.contract import Piece
from generation.providers.base import Incoming, UpstreamAccess


@dataclass
class Said:
    """An answer; one that is heard while it comes is its `pieces`, or its body, and `breaks` after them."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: tuple[bytes, ...] = ()
    breaks: Exception | None = None

    def redacted(self, text: str) -> str:
        return text.replace("sk-secret", "[redacted]")

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for piece in self.pieces or (self.body,):
            yield piece
        if self.breaks is not None:
            raise self.breaks


@dataclass(frozen=True)
class Sent:
    method: str
    url: str
    headers: Mapping[str, str]
    body: Any
    options: Mapping[str, Any]


def as_json(value: Any, status: int = 200, **headers: str) -> Said:
    return Said(status, json.dumps(value).encode(), headers)


class Wayside:
    """Satisfies `generation.providers.base.Http`. The last answer is given again and again."""

    def __init__(self, *answers: Said | Exception) -> None:
        self.sent: list[Sent] = []
        self._answers = list(answers)

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        **options: Any,
    ) -> Said:
        answer = self._answers[min(len(self.sent), len(self._answers) - 1)]
        self.sent.append(Sent(method, url, headers or {}, json.loads(body) if body else None, options))
        if isinstance(answer, Exception):
            raise answer
        return answer

    @asynccontextmanager
    async def open(self, method: str, url: str, **options: Any) -> AsyncIterator[Incoming]:
        yield await self.send(method, url, **options)


def access(*answers: Said | Exception, shape: str = "", **more: Any) -> tuple[UpstreamAccess, Wayside]:
    """An upstream that answers so, and what it was sent."""
    way = Wayside(*answers)
    given: dict[str, Any] = {
        "base_url": "https://up.example",
        "credential": "sk-secret",
        "model": "music-2.6",
        "endpoint": "",
        "shape": shape,
        "connect_seconds": 10,
        "deadline_seconds": 5,
        "poll_seconds": 0,
        "reference": "ref-1",
        "http": way,
    }
    return UpstreamAccess(**{**given, **more}), way


class Ear:
    """Satisfies `generation.providers.base.Line`, and keeps what it heard."""

    def __init__(self) -> None:
        self.heard: list[float] = []
        self.tickets: list[str] = []
        self.pieces: list[Piece] = []

    async def progress(self, percent: float, phase: str) -> None:
        self.heard.append(percent)

    async def lyrics(self, text: str) -> None: ...

    async def audio(self, piece: Piece) -> None:
        self.pieces.append(piece)

    async def ticket(self, upstream_id: str) -> None:
        self.tickets.append(upstream_id)
