"""A Celery worker that lives in a thread of this process."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

from celery import Celery, signals
from celery.exceptions import WorkerShutdown
from celery.worker import WorkController
from django.db import close_old_connections, connections

logger = logging.getLogger("tutti.serve")


class QueueWorker:
    """Takes the messages of one queue with a few threads, until it is closed.

    Each has an application of its own, because Celery keeps the choice of queues on the application; the tasks and
    the broker are the same. `on_death` is called from the worker's thread when it ends without being asked.
    """

    def __init__(self, queue: str, *, threads: int, on_death: Callable[[], None]) -> None:
        self._queue = queue
        self._on_death = on_death
        self._is_closing = False
        self._controller: Any = WorkController(
            app=_application(),
            hostname=f"{queue}@{socket.gethostname()}",
            queues=[queue],
            pool="threads",
            concurrency=threads,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
        )
        self._thread = threading.Thread(target=self._work, name=f"queue-{queue}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Take no more messages; what is being worked on is finished."""
        self._is_closing = True
        self._controller.consumer.call_soon(_end_this_worker)

    def join(self, timeout_seconds: float) -> bool:
        """True when the worker has ended."""
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            self._controller.start()
        finally:
            connections.close_all()
            if not self._is_closing:
                logger.critical("The worker of queue %r ended by itself.", self._queue)
                self._on_death()


def _end_this_worker() -> None:
    # Run in the worker's own thread. Celery's flag for it would end every worker of the process.
    raise WorkerShutdown(0)


def _application() -> Celery:
    # Without fixups: Celery's own for Django would run the system checks once more for every worker.
    application = Celery("tutti", set_as_current=False, fixups=[])
    application.config_from_object("django.conf:settings", namespace="CELERY")
    return application


@signals.task_postrun.connect
def release_connections(**_: Any) -> None:
    close_old_connections()
