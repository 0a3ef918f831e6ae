"""daphne reads the whole body of a request before anyone is asked: here no more of it than may be sent.

A body that is too long is cut right behind the limit and answered at once, by the application, in the words of the
wire. What still comes is thrown away for a while, so that a client that sends first and reads then gets its answer.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

from daphne import http_protocol
from daphne.http_protocol import WebRequest
from django.conf import settings
from django.urls import Resolver404, resolve
from twisted.internet import reactor as _reactor
from twisted.python.failure import Failure
from twisted.web import http

reactor: Any = _reactor  # its type depends on the operating system

PATIENCE_SECONDS: Final = 30


class BoundedRequest(WebRequest):
    """Keeps as much of a body as its route takes, and one byte more that tells that it is too long."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Twisted would read the fields of forms for itself, a second time.
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)
        self._room_bytes: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1
        self._is_whole = False
        self._is_answered_early = False
        self._end_of_patience: Any = None

    # --- What Twisted's channel says, in this order ------------------------------------------------------------

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        if _is_form(self.requestHeaders.getRawHeaders(b"Content-Type", [])):
            self._room_bytes = largest_form_at(self.channel._path) + 1  # noqa: SLF001 - kept nowhere else
        if length is None or length < self._room_bytes:
            super().gotLength(length)
            return
        super().gotLength(0)
        self._room_bytes = 0
        self.requestHeaders.removeHeader(b"Expect")  # nobody needs to hear "100 Continue"
        self._answer_soon()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        kept = data[: self._room_bytes]
        if not kept:
            return
        super().handleContentChunk(kept)
        self._room_bytes -= len(kept)
        if not self._room_bytes:
            self._answer_soon()

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802 - Twisted's name
        self._is_whole = True
        if not self._is_answered_early:
            super().requestReceived(command, path, version)
        elif self.finished:
            self._stop_waiting()
            self._cleanup()

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802 - Twisted's name
        self._stop_waiting()
        if self.finished:  # the server has forgotten this request already
            http.Request.connectionLost(self, reason)  # type: ignore[no-untyped-call]
        else:
            super().connectionLost(reason)

    # --- The answer that does not wait for the rest ------------------------------------------------------------

    def _answer_soon(self) -> None:
        # Not from here: the channel is in the middle of its headers, or of a chunk.
        if not self.requestHeaders.hasHeader(b"Upgrade"):
            reactor.callLater(0, self._answer_early)

    def _answer_early(self) -> None:
        if self._is_whole or self._disconnected:
            return
        self._is_answered_early = True
        channel = self.channel
        channel.persistent = False  # a client may or may not send the rest: nothing that follows could be told apart
        self.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        super().requestReceived(channel._command, channel._path, channel._version)  # noqa: SLF001 - kept nowhere else

    def finish(self) -> None:
        # Twisted takes the channel from a request that is not queued, and this one still needs it.
        self.queued = self._is_answered_early and not self._is_whole
        super().finish()
        if self.queued:
            self._end_of_patience = reactor.callLater(PATIENCE_SECONDS, self.transport.abortConnection)

    def _stop_waiting(self) -> None:
        if self._end_of_patience is not None and self._end_of_patience.active():
            self._end_of_patience.cancel()


def _is_form(content_types: list[bytes]) -> bool:
    return any(kind.lstrip().lower().startswith(b"multipart/form-data") for kind in content_types)


def largest_form_at(path: bytes) -> int:
    """Bytes that the form of a route may have: routes that take files say so, as `largest_body_bytes`."""
    try:
        view = resolve(unquote(path.partition(b"?")[0].decode("ascii"))).func
    except (Resolver404, UnicodeDecodeError):
        view = None
    found: int = getattr(getattr(view, "cls", None), "largest_body_bytes", settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    return found


def bound_bodies() -> None:
    http_protocol.WebRequest = BoundedRequest
