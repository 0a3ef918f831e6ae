"""The few threads that run the sync parts of all requests."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from operator import attrgetter
from typing import Any, TypeVar

from django.db import close_old_connections

Result = TypeVar("Result")


class WebThread(ThreadPoolExecutor):
    """One thread that many requests share; their calls on it run one after the other."""

    def __init__(self, number: int) -> None:
        super().__init__(max_workers=1, thread_name_prefix=f"web-{number}")
        self._unfinished: set[Future[Any]] = set()

    @property
    def load(self) -> int:
        """Calls that wait, and the one that runs: a queue's length alone would take a blocked thread for idle."""
        return len(self._unfinished)

    def submit(self, function: Callable[..., Result], /, *args: Any, **kwargs: Any) -> Future[Result]:
        call = super().submit(_without_keeping_connections, function, *args, **kwargs)
        self._unfinished.add(call)
        call.add_done_callback(self._unfinished.discard)
        return call


class WebThreads:
    """All of them. A request stays on the one it was given, so what Django keeps per thread stays its own."""

    def __init__(self, count: int) -> None:
        self._threads = deque(WebThread(number) for number in range(count))

    def __iter__(self) -> Iterator[WebThread]:
        return iter(self._threads)

    def least_busy(self) -> WebThread:
        self._threads.rotate(-1)  # equals take turns
        return min(self._threads, key=attrgetter("load"))


def _without_keeping_connections(function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """A request that waits keeps no connection of the pool; SQLite's own are kept, by CONN_MAX_AGE."""
    try:
        return function(*args, **kwargs)
    finally:
        close_old_connections()
