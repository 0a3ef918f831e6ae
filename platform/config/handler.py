"""Waiting holds no thread: requests and sockets share a few threads for their sync parts.

Django's own handler opens a thread for each request that meets sync code, and keeps it until the answer is sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from io import SEEK_END
from typing import IO, Any

from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.http.response import HttpResponseBase

from config.threads import WebThreads

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class PooledASGIHandler(ASGIHandler):
    """Django's handler on shared threads: the least busy one for each request."""

    def __init__(self, threads: WebThreads) -> None:
        super().__init__()
        self.threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with ThreadSensitiveContext(executor=self.threads.least_busy()):
            await self.handle(scope, receive, send)

    def create_request(
        self, scope: Mapping[str, Any], body_file: IO[bytes]
    ) -> tuple[ASGIRequest, None] | tuple[None, HttpResponseBase]:
        """A body that came in chunks has no length in its headers: Django would take a form of that kind for empty."""
        created = super().create_request(scope, body_file)
        request = created[0]
        if request is not None and "CONTENT_LENGTH" not in request.META:
            request.META["CONTENT_LENGTH"] = str(body_file.seek(0, SEEK_END))
            body_file.seek(0)
        return created


class PooledSockets:
    """The same threads for the sync parts of WebSockets."""

    def __init__(self, application: Application, threads: WebThreads) -> None:
        self.application = application
        self.threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with ThreadSensitiveContext(executor=self.threads.least_busy()):
            await self.application(scope, receive, send)
