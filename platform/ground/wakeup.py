"""One bridge from any thread to the channel layer.

A wake-up carries no truth: a lost one costs its reader up to a second, never any news. Hence `announce` never raises
and never waits.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final

from channels.layers import InMemoryChannelLayer, get_channel_layer

logger = logging.getLogger(__name__)

REJOIN_SECONDS: Final = 3600
"""Channel layers forget members of a group after a day."""


class _Bridge:
    """The loop of this process that speaks to the channel layer, and what is under way there."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.Lock()
        self._sending: set[asyncio.Task[None]] = set()
        self._is_down = False

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop that sends; None when nobody outside this process could hear and nobody inside listens."""
        with self._starting:
            if self._loop is not None and not self._loop.is_closed():
                return self._loop
            layer = get_channel_layer()
            if layer is None or isinstance(layer, InMemoryChannelLayer):
                return None
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="wakeup", daemon=True).start()
            return self._loop

    def send_soon(self, group: str, message: Mapping[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._send(group, message))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, group: str, message: Mapping[str, Any]) -> None:
        try:
            await get_channel_layer().group_send(group, dict(message))
        except Exception as broken:  # noqa: BLE001 - whatever a layer's client raises, the sender is not to notice
            if not self._is_down:
                logger.warning("Wake-ups are not delivered; readers look once a second instead: %s", broken)
            self._is_down = True
        else:
            self._is_down = False


_bridge = _Bridge()


def _forget_the_parent() -> None:
    global _bridge  # noqa: PLW0603 - threads and loops do not live on in a forked child
    _bridge = _Bridge()


os.register_at_fork(after_in_child=_forget_the_parent)


def bind(loop: asyncio.AbstractEventLoop | None = None) -> None:
    """Name the loop that owns this process's channel layer: the server's. Listening does it too."""
    _bridge.bind(loop or asyncio.get_running_loop())


def announce(group: str, message: Mapping[str, Any]) -> None:
    """Wake everyone who listens to the group, in every process. From any thread; never raises, never waits."""
    try:
        loop = _bridge.loop()
        if loop is not None:
            loop.call_soon_threadsafe(_bridge.send_soon, group, message)
    except Exception:
        # The loop may close between the two lines; a settlement must not fail for that.
        logger.warning("A wake-up for %s was lost.", group, exc_info=True)


@asynccontextmanager
async def listening(group: str) -> AsyncIterator[AsyncIterator[Mapping[str, Any]]]:
    """What is announced to the group from now on, on this loop. Raises whatever the layer raises when it is down."""
    bind()
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(group, channel)
    try:
        async with aclosing(_messages(layer, group, channel)) as messages:
            yield messages
    finally:
        await layer.group_discard(group, channel)


async def _messages(layer: Any, group: str, channel: str) -> AsyncGenerator[Mapping[str, Any]]:
    loop = asyncio.get_running_loop()
    rejoin_at = loop.time() + REJOIN_SECONDS
    while True:
        receiving = loop.create_task(layer.receive(channel))
        try:
            while not receiving.done():
                if loop.time() >= rejoin_at:
                    await layer.group_add(group, channel)
                    rejoin_at = loop.time() + REJOIN_SECONDS
                await asyncio.wait({receiving}, timeout=rejoin_at - loop.time())
            yield receiving.result()
        finally:
            receiving.cancel()
