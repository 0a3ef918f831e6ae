"""Calls to the outside: bounded in time and size, redirected only when asked, told without secrets."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from ssl import SSLContext
from types import MappingProxyType
from typing import Any, Final
from weakref import WeakKeyDictionary

import httpcore
import httpx

from ground.outbound.guard import CallRefused, GuardedBackend, checked_url
from ground.outbound.redaction import redacted, secrets_in, without_secrets

logger = logging.getLogger("tutti.outbound")

CONNECT_SECONDS: Final = 10.0
FILE_BYTES: Final = 100 * 1024 * 1024
JSON_BYTES: Final = 32 * 1024 * 1024
MOST_REDIRECTS: Final = 3
KEEP_ALIVE_SECONDS: Final = 4.0
"""Shorter than what common servers keep (5 s): a request sent into a connection they just closed is of unknown fate."""
KEPT_CONNECTIONS: Final = 100
HEADERS: Final = {"User-Agent": "Tutti", "Accept": "*/*", "Accept-Encoding": "identity"}

_BROKEN = (
    httpx.HTTPError,
    httpx.StreamError,
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.UnsupportedProtocol,
)


class NotSent(ConnectionError):
    """Nothing was sent: the name is not known, nobody answers, or there is no trust between us."""


class AnswerLost(EOFError):
    """The request was sent, at least in part, and no whole answer came: its fate is not known."""


class AnswerTooLong(OverflowError):
    """The answer is longer than was allowed; the rest was not read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def redacted(self, text: str) -> str:
        """A text without the secrets of the call that was answered."""
        return redacted(text, self.secrets)


class Incoming:
    """An answer of which only the head has come. `headers` have lower-case names."""

    def __init__(self, response: httpx.Response, *, max_bytes: int, secrets: tuple[str, ...]) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = MappingProxyType(dict(response.headers.items()))
        self.secrets = secrets
        self._response = response
        self._max_bytes = max_bytes

    def redacted(self, text: str) -> str:
        """A text without the secrets of the call that is being answered."""
        return redacted(text, self.secrets)

    async def chunks(self) -> AsyncGenerator[bytes]:
        """The body as it comes. Raises AnswerTooLong."""
        if self.headers.get("content-encoding", "identity") != "identity":
            raise AnswerLost("The answer came packed although it was asked for plainly.")
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._max_bytes:
            raise AnswerTooLong(f"The answer is longer than {self._max_bytes} bytes.")
        came = 0
        async for piece in self._response.aiter_raw():
            came += len(piece)
            if came > self._max_bytes:
                raise AnswerTooLong(f"The answer is longer than {self._max_bytes} bytes.")
            yield piece

    async def read(self) -> Answer:
        """The whole answer. Raises AnswerTooLong."""
        async with aclosing(self.chunks()) as chunks:
            body = b"".join([chunk async for chunk in chunks])
        return Answer(self.status, self.headers, body, self.secrets)


class _Progress:
    """Whether a call has begun to send: what happens before is known to have done nothing upstream."""

    def __init__(self) -> None:
        self.is_sent = False

    async def note(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith("send_request_headers.started"):
            self.is_sent = True


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    url: httpx.URL
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    connect_seconds: float

    def built(self) -> httpx.Request:
        """The request as it goes out. Raises CallRefused."""
        try:
            return httpx.Request(self.method, self.url, headers={**HEADERS, **self.headers}, content=self.body)
        except (UnicodeError, ValueError):
            raise CallRefused("The call has a header that cannot be sent.") from None

    def redirected(self, location: str) -> _Call:
        """The same call to another address, checked like the first; no secret goes to another house."""
        try:
            joined = self.url.join(location)
        except (httpx.InvalidURL, ValueError):
            raise CallRefused("The address redirected to is not written as one.") from None
        url = checked_url(joined)
        is_same = (url.scheme, url.host, url.port) == (self.url.scheme, self.url.host, self.url.port)
        return replace(self, url=url, headers=self.headers if is_same else without_secrets(self.headers))


class Outbound:
    """The one way out of the house. Connections are kept alive per event loop, and closed by `close`.

    `backend` opens the connections; by default the guarded one.
    """

    def __init__(self, backend: httpcore.AsyncNetworkBackend | None = None) -> None:
        self._backend = backend or GuardedBackend()
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, httpcore.AsyncConnectionPool] = WeakKeyDictionary()

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        deadline_seconds: float,
        max_bytes: int = JSON_BYTES,
        redirects: int = 0,
    ) -> Answer:
        """Call and read the whole answer: see `open`."""
        async with self.open(
            method,
            url,
            headers=headers,
            body=body,
            connect_seconds=connect_seconds,
            deadline_seconds=deadline_seconds,
            max_bytes=max_bytes,
            redirects=redirects,
        ) as incoming:
            return await incoming.read()

    @asynccontextmanager
    async def open(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        deadline_seconds: float,
        max_bytes: int = JSON_BYTES,
        redirects: int = 0,
    ) -> AsyncIterator[Incoming]:
        """Call, and read the answer as it comes. The deadline bounds all of it, to the end of the block.

        Raises CallRefused or NotSent (nothing was sent), AnswerLost (its fate is not known), AnswerTooLong. Up to
        `redirects` redirects of a GET are followed, each checked like the first address, at most three.
        """
        target = checked_url(url)
        call = _Call(method, target, headers or {}, body, connect_seconds)
        secrets = secrets_in(call.headers, target.query.decode("ascii", "replace"))
        progress, begun = _Progress(), time.monotonic()
        try:
            async with asyncio.timeout(deadline_seconds) as limit:
                response = await self._follow(call, min(redirects, MOST_REDIRECTS), progress)
                async with aclosing(response):
                    # Never the path: it may be a signed link.
                    logger.debug("%s %s: %s after %.1f s", method, target.host, response.status_code, _since(begun))
                    yield Incoming(response, max_bytes=max_bytes, secrets=secrets)
        except TimeoutError:
            if not limit.expired():
                raise
            raise _failure(progress, target, f"no whole answer within {deadline_seconds:g} s") from None
        except (httpx.LocalProtocolError, httpcore.LocalProtocolError):
            raise CallRefused("The call has a header that cannot be sent.") from None
        except _BROKEN as broken:
            raise _failure(progress, target, type(broken).__name__) from None

    async def close(self) -> None:
        """Close what this event loop has kept open."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.aclose()

    async def _follow(self, call: _Call, redirects: int, progress: _Progress) -> httpx.Response:
        """The first answer that is no redirect, or the one after which no more were allowed."""
        while True:
            response = await self._answered(call, progress)
            if call.method != "GET" or redirects <= 0 or not response.has_redirect_location:
                return response
            await response.aclose()
            call, redirects = call.redirected(response.headers["location"]), redirects - 1

    async def _answered(self, call: _Call, progress: _Progress) -> httpx.Response:
        built = call.built()
        url = built.url
        request = httpcore.Request(
            method=built.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=built.headers.raw,
            content=built.content,
            extensions={"timeout": {"connect": call.connect_seconds}, "trace": progress.note},
        )
        answer = await self._pool().handle_async_request(request)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), request=built)

    def _pool(self) -> httpcore.AsyncConnectionPool:
        loop = asyncio.get_running_loop()
        if loop not in self._pools:
            for gone in [other for other in self._pools if other.is_closed()]:
                del self._pools[gone]
            self._pools[loop] = httpcore.AsyncConnectionPool(
                ssl_context=_trust(),
                max_connections=None,  # slots and queues bound the calls, not the way out
                max_keepalive_connections=KEPT_CONNECTIONS,
                keepalive_expiry=KEEP_ALIVE_SECONDS,
                network_backend=self._backend,
            )
        return self._pools[loop]


class _Body(httpx.AsyncByteStream):
    """The body of an answer, from the connection it comes by."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._answer.aiter_stream():
            yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()


@cache
def _trust() -> SSLContext:
    """Whom to trust, read once and from no environment variable."""
    return httpx.create_ssl_context(trust_env=False)


def _failure(progress: _Progress, url: httpx.URL, why: str) -> Exception:
    """What a broken call means. The sentence is ours: a client's own may quote what was sent."""
    logger.debug("%s: %s, %s", url.host, why, "sent" if progress.is_sent else "nothing was sent")
    if progress.is_sent:
        return AnswerLost(f"{url.host} gave no whole answer: {why}.")
    return NotSent(f"{url.host} was not reached: {why}.")


def _since(begun: float) -> float:
    return time.monotonic() - begun
