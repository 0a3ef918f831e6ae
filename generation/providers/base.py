"""The seam between a job and the code that speaks an upstream's wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from generation.contract import Delivery, Phase, SongRequest

Seen = Literal["not_made", "unknown"]


class ProviderError(Exception):
    """An upstream did not deliver.

    `code` is a word of the error table. `seen` tells what is known: `not_made` (no song exists, another try is
    safe) or `unknown` (the request was sent and its fate is not known: never sent again). `retryable` says whether
    the same upstream may be tried again; `retry_after` is what it asked for, in seconds. `param` names the field of
    the song request at fault, where the upstream tells; `audio`: what it had made.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        seen: Seen,
        retryable: bool = False,
        retry_after: float | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.seen = code, message, seen
        self.retryable = retryable and seen == "not_made"
        self.retry_after = retry_after
        self.param = param


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamAccess:
    """Where and as whom a provider calls, and which operation it orders there. Never logged."""

    base_url: str
    credential: str
    model: str
    endpoint: str
    shape: str
    connect_seconds: float
    deadline_seconds: float
    poll_seconds: float
    reference: str

    def __repr__(self) -> str:
        return f"UpstreamAccess({self.base_url!r}, model={self.model!r})"


class Line(Protocol):
    """The way back from a provider to its job while the song is made."""

    async def progress(self, percent: float, phase: Phase) -> None:
        """Say how far the song is, 0-100. Cheap to call often: the job keeps two a second."""

    async def lyrics(self, text: str) -> None:
        """Say the lyrics as soon as they are known."""

    async def ticket(self, upstream_id: str) -> None:
        """Keep the upstream's own id of the task, before anything else is awaited."""


class Provider(Protocol):
    """One upstream wire. `repeatable`: making a song twice harms nobody (own hardware, no bill)."""

    slug: str
    repeatable: bool

    async def make(self, song: SongRequest, upstream: UpstreamAccess, line: Line) -> Delivery:
        """Make the song; raise ProviderError when it was not made. Cancelling the task stops the work."""
