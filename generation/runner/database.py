"""The few threads through which a runner's loop reaches the database."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connections
from django.utils import timezone

from accounts.tenancy import system_scope

logger = logging.getLogger("tutti.jobs")
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0


class DatabaseThreads:
    """Runs sync calls, each one whole transaction, in system scope: a runner works for every organization."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="runner-db")

    async def run(self, call: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        def within() -> Result:
            close_old_connections()
            try:
                with system_scope():
                    return call(*args, **kwargs)
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._threads, within)

    def close(self) -> None:
        """End the threads and their connections."""
        all_here = threading.Barrier(self._count)  # or one thread would close twice, and another not at all
        for _ in range(self._count):
            self._threads.submit(_disconnect, all_here)
        self._threads.shutdown()


def _disconnect(all_here: threading.Barrier) -> None:
    all_here.wait()
    connections.close_all()


async def insist(step: Callable[[], Awaitable[Result]], *, until: datetime) -> Result:
    """Do a step that must not be lost, again after a growing pause while it fails, until the moment has come.

    A song that is made must survive a database that restarts or a storage that stumbles. Raises what the last try
    raised.
    """
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return await step()
        except Exception as broken:
            if timezone.now() >= until:
                raise
            logger.warning("A step of a job failed and is tried again in %s s: %r", pause, broken)
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
