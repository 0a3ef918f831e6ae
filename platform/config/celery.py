"""The Celery application, and the runner's life inside a worker of the queue `upstream`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from celery import Celery
from celery.apps.worker import Worker
from celery.signals import worker_init, worker_shutdown, worker_shutting_down

if TYPE_CHECKING:
    from generation.runner import RunnerProcess

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("tutti")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

_runner: RunnerProcess | None = None


@worker_init.connect
def begin_running(sender: object, **_: Any) -> None:
    """Workers inside `manage.py serve` are no programs of their own: there the one process holds the runner."""
    global _runner  # noqa: PLW0603
    if isinstance(sender, Worker) and "upstream" in sender.app.amqp.queues.consume_from:
        from generation.runner import start_runner  # noqa: PLC0415 (models load after the application)

        _runner = start_runner()


@worker_shutting_down.connect
def stop_taking(**_: Any) -> None:
    """At the signal, not after the pool has ended: freed slots would go to new jobs meanwhile."""
    if _runner is not None:
        _runner.stop_taking()


@worker_shutdown.connect
def finish_what_is_in_hand(**_: Any) -> None:
    from django.conf import settings  # noqa: PLC0415 (the application is made before the settings load)

    if _runner is not None:
        _runner.drain(settings.TUTTI_STOP_GRACE_SECONDS)
