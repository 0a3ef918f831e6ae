"""The seam between a job and the code that speaks an upstream's wire."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol, runtime_checkable

from generation.contract import (
    Delivery,
    LyricsRequest,
    Phase,
    Piece,
    SongRequest,
    SourceFile,
    SourceTrack,
    WrittenLyrics,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Seen = Literal["not_made", "unknown"]
Blame = Literal["order", "upstream", "account", "nobody"]
"""What a failure speaks of: the order itself, the upstream's health, our standing there (key, credits: no order would
be taken), or none of them."""
_BLAMES: Final[dict[str, Blame]] = {"content_policy": "order", "upstream_error": "upstream", "bad_audio": "upstream"}
NO_AUDIO: Final = "The upstream says that it made the song, and gave no audio. Nothing was charged."


class ProviderError(Exception):
    """An upstream did not deliver.

    `code` is a word of the error table. `seen` tells what is known: `not_made` (no song exists, another try is
    safe) or `unknown` (the request was sent and its fate is not known: never sent again). `retryable` says whether
    the same upstream may be tried again; `retry_after` is what it asked for, in seconds. `param` names the field of
    the song request at fault, where the upstream tells; `audio`: what it had made. `blame` follows from the code
    unless it is said.
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
        blame: Blame | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.seen = code, message, seen
        self.blame: Blame = blame or _BLAMES.get(code, "nobody")
        self.retryable = retryable and seen == "not_made"
        self.retry_after = retry_after
        self.param = param


class Answer(Protocol):
    """A whole answer of an upstream. `headers` have lower-case names; `redacted` takes the call's secrets out."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...
    def redacted(self, text: str) -> str: ...


class Incoming(Protocol):
    """An answer of which only the head has come; `chunks` is its body as it comes."""

    status: int
    headers: Mapping[str, str]

    def redacted(self, text: str) -> str: ...
    def chunks(self) -> AsyncGenerator[bytes]: ...


class Http(Protocol):
    """The guarded way out, as it is handed to a provider: `ground.outbound` in the running house.

    Every call raises PermissionError when it may not leave, ConnectionError when nothing was sent, EOFError when the
    request was sent and no whole answer came, OverflowError when the answer is longer than `max_bytes`.
    """

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        connect_seconds: float = ...,
        deadline_seconds: float,
        max_bytes: int = ...,
        redirects: int = 0,
    ) -> Answer:
        """Call and read the whole answer. `redirects`: how many of a GET are followed."""

    def open(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        connect_seconds: float = ...,
        deadline_seconds: float,
        max_bytes: int = ...,
        redirects: int = 0,
    ) -> AbstractAsyncContextManager[Incoming]:
        """Call, and read the answer as it comes."""


class NoHttp:
    """For a provider that calls nobody: satisfies `Http`, and refuses every call."""

    async def send(self, method: str, url: str, **options: object) -> Answer:
        raise PermissionError("no way out was handed in")

    def open(self, method: str, url: str, **options: object) -> AbstractAsyncContextManager[Incoming]:
        raise PermissionError("no way out was handed in")


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Decoded audio: `samples` is float32 of shape (frames, channels), full scale at 1.0; `sample_rate` in hertz."""

    samples: npt.NDArray[np.float32]
    sample_rate: int


class Sources(Protocol):
    """What an order leans on, read when a provider needs it; ids as they stand in the song request."""

    async def file(self, file_id: str) -> SourceFile:
        """An upload. Raises ProviderError (not made) where it is gone."""

    async def track(self, track_id: str) -> SourceTrack:
        """An earlier track. Raises ProviderError (not made) where it is gone."""

    async def samples(self, source: SourceFile | SourceTrack) -> Sound:
        """What one of them sounds like. Raises ProviderError (not made) where it cannot be decoded."""


class NoSources:
    """For an order that leans on nothing: satisfies `Sources`, and has none."""

    async def file(self, file_id: str) -> SourceFile:
        raise ProviderError("not_found", "The uploaded file is gone. Nothing was charged.", seen="not_made")

    async def track(self, track_id: str) -> SourceTrack:
        raise ProviderError("not_found", "The song to continue is gone. Nothing was charged.", seen="not_made")

    async def samples(self, source: SourceFile | SourceTrack) -> Sound:
        raise ProviderError("not_found", "There is nothing to decode. Nothing was charged.", seen="not_made")


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamAccess:
    """Where and as whom a provider calls, and which operation it orders there. Never logged.

    `reference` is what we call this order at the upstream; an attempt that takes another one's work up keeps it.
    """

    base_url: str
    credential: str
    model: str
    endpoint: str
    shape: str
    connect_seconds: float
    deadline_seconds: float
    poll_seconds: float
    reference: str
    http: Http = field(default=NoHttp(), compare=False)
    sources: Sources = field(default=NoSources(), compare=False)

    def __repr__(self) -> str:
        return f"UpstreamAccess({self.base_url!r}, model={self.model!r})"


class Line(Protocol):
    """The way back from a provider to its job while the song is made."""

    async def progress(self, percent: float, phase: Phase) -> None:
        """Say how far the song is, 0-100. Cheap to call often: the job keeps two a second."""

    async def lyrics(self, text: str) -> None:
        """Say the lyrics as soon as they are known."""

    async def audio(self, piece: Piece) -> None:
        """Give what can be heard already; kept only for an order that asked for partial audio."""

    async def ticket(self, upstream_id: str) -> None:
        """Keep the upstream's own id of the task, before anything else is awaited. One order may have several."""


class Provider(Protocol):
    """One upstream wire. `repeatable`: making a song twice harms nobody (own hardware, no bill)."""

    slug: str
    repeatable: bool

    async def make(self, song: SongRequest, upstream: UpstreamAccess, line: Line) -> Delivery:
        """Make the song; raise ProviderError when it was not made. Cancelling the task stops the work."""


@runtime_checkable
class Resumes(Protocol):
    """A provider whose upstream can be asked for an order that another process gave it."""

    async def resume(self, song: SongRequest, upstream: UpstreamAccess, tickets: Sequence[str], line: Line) -> Delivery:
        """Bring what was ordered earlier under the same `upstream.reference`; never orders a second song.

        `tickets` are the ids that were kept, possibly none. Raises ProviderError: unknown where nobody can tell.
        """


@runtime_checkable
class WritesLyrics(Protocol):
    """A provider whose upstream writes texts."""

    async def write(self, request: LyricsRequest, upstream: UpstreamAccess) -> WrittenLyrics:
        """Write or edit the lyrics of a song; raise ProviderError when there are none."""
