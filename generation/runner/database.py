"""The few threads through which a runner's loop reaches the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connections

from accounts.tenancy import system_scope

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


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
        for _ in range(self._count):
            self._threads.submit(connections.close_all)
        self._threads.shutdown()
