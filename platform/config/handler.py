"""Waiting holds no thread: requests and sockets share a few threads for their sync parts.

Django's own handler opens a thread for each request that meets sync code, and keeps it until the answer is sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from asgiref.sync import ThreadSensitiveContext
from django.core.handlers.asgi import ASGIHandler

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


class PooledSockets:
    """The same threads for the sync parts of WebSockets."""

    def __init__(self, application: Application, threads: WebThreads) -> None:
        self.application = application
        self.threads = threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with ThreadSensitiveContext(executor=self.threads.least_busy()):
            await self.application(scope, receive, send)
