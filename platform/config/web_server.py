"""daphne's server with the two things it lacks: it can stop listening without stopping, and it tells of a failure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from daphne.server import Server
from twisted.internet import reactor as _reactor
from twisted.internet.defer import maybeDeferred
from twisted.python.failure import Failure

# Its type depends on the operating system; daphne has installed the one that runs an asyncio loop.
reactor: Any = _reactor
logger = logging.getLogger("tutti.serve")

BACKLOG = 2_048  # a thousand clients may knock in the same moment


class WebServer(Server):
    """Runs on the main thread until `stop`. `has_failed`: it never listened."""

    def __init__(self, application: Any, *, host: str, port: int) -> None:
        endpoint = f"tcp:port={port}:interface={host}:backlog={BACKLOG}"
        super().__init__(application, endpoints=[endpoint], signal_handlers=False, verbosity=0)
        self.has_failed = False
        self._ports: list[Any] = []

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        self._ports.append(port)

    def listen_error(self, failure: Failure) -> None:
        self.has_failed = True
        logger.critical("Cannot listen: %s", failure.getErrorMessage())
        self.stop()

    def call_once_running(self, callback: Callable[[], None]) -> None:
        """Twisted's own hook for it comes before the loop runs."""
        reactor.callLater(0, callback)

    async def stop_listening(self) -> None:
        """Refuse new connections; those that are open stay."""
        for port in self._ports:
            await maybeDeferred(port.stopListening).asFuture(asyncio.get_running_loop())

    async def answer_all(self, within_seconds: float) -> None:
        """Let every request that has an answer send it; cut the rest."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within_seconds
        applications = self._applications()
        if applications:
            await asyncio.wait(applications, timeout=within_seconds)
        while reactor.getWriters() and loop.time() < end:  # noqa: ASYNC110 (the reactor tells nobody)
            await asyncio.sleep(0.05)
        for application in self._applications():
            application.cancel()

    def _applications(self) -> list[asyncio.Future[Any]]:
        found = (details.get("application_instance") for details in self.connections.values())
        return [application for application in found if application is not None and not application.done()]
