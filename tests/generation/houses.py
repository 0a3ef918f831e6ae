"""A process at work: a runner with real queue workers, as `manage.py serve` has them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from config.queue_worker import QueueWorker
from generation.runner import RunnerProcess, start_runner


@dataclass
class AtWork:
    """The runner may be exchanged for another while the workers go on."""

    runner: RunnerProcess
    workers: tuple[QueueWorker, ...]


@contextmanager
def at_work() -> Iterator[AtWork]:
    """Songs are made until the block ends."""
    workers = (QueueWorker("upstream", threads=4, on_death=_died), QueueWorker("audio", threads=1, on_death=_died))
    house = AtWork(start_runner(), workers)
    for worker in workers:
        worker.start()
    try:
        yield house
    finally:
        if house.runner.is_running:
            house.runner.drain(0)
        for worker in workers:
            worker.close()
        ended = [worker.join(20) for worker in workers]
    assert ended == [True, True]


def eventually(is_so: Callable[[], bool], *, within_seconds: float = 30) -> None:
    """Wait until it is so; fail if it never is."""
    end = time.monotonic() + within_seconds
    while not is_so():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.05)


def _died() -> None:
    raise AssertionError("a queue worker ended by itself")
