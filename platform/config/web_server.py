"""daphne's server with what it lacks: it can stop listening without stopping, it tells of a failure, and it waits.

Under daphne alone `await send(...)` returns at once, whatever the client reads: a whole file or a whole log would pile
up in memory for one that reads nothing, and nobody could tell that it does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from daphne.server import Server
from twisted.internet import reactor as _reactor
from twisted.internet.defer import maybeDeferred
from twisted.python.failure import Failure

# Its type depends on the operating system; daphne has installed the one that runs an asyncio loop.
reactor: Any = _reactor
logger = logging.getLogger("tutti.serve")

BACKLOG = 2_048  # a thousand clients may knock in the same moment


class Outlet:
    """A push producer between a connection and Twisted's channel on it.

    Hears when the connection is full, and when it is empty again. Full is more than the transport's `bufferSize`,
    64 KiB.
    """

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._has_room = asyncio.Event()
        self._has_room.set()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._has_room.clear()
        self._channel.pauseProducing()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._has_room.set()
        self._channel.resumeProducing()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._has_room.set()
        self._channel.stopProducing()

    def give_up(self) -> None:
        """Nothing is sent any more: nobody need wait."""
        self._has_room.set()

    async def room(self) -> None:
        await self._has_room.wait()


class WebServer(Server):
    """Runs on the main thread until `stop`. `has_failed`: it never listened."""

    def __init__(self, application: Any, *, host: str, port: int) -> None:
        endpoint = f"tcp:port={port}:interface={host}:backlog={BACKLOG}"
        super().__init__(application, endpoints=[endpoint], signal_handlers=False, verbosity=0)
        self.has_failed = False
        self._ports: list[Any] = []
        self._outlets: WeakKeyDictionary[Any, Outlet] = WeakKeyDictionary()  # by transport

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

    def protocol_connected(self, protocol: Any) -> None:
        super().protocol_connected(protocol)
        if protocol.transport not in self._outlets:
            self._outlets[protocol.transport] = outlet = Outlet(protocol.transport.producer)
            protocol.transport.unregisterProducer()
            protocol.transport.registerProducer(outlet, streaming=True)

    def protocol_disconnected(self, protocol: Any) -> None:
        super().protocol_disconnected(protocol)
        if protocol.transport in self._outlets:
            self._outlets[protocol.transport].give_up()

    async def handle_reply(self, protocol: Any, message: Any) -> None:
        """Returns when the connection can take more, or will take nothing more."""
        transport = protocol.transport
        await super().handle_reply(protocol, message)
        if transport in self._outlets and message["type"] != "websocket.close" and not self._is_over(protocol):
            await self._outlets[transport].room()

    def _is_over(self, protocol: Any) -> bool:
        return "disconnected" in self.connections.get(protocol, {"disconnected": True})

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
