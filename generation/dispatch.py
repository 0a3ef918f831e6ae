"""Hints to the workers. A lost hint is sent again by the sweep; the job row is the truth."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger("tutti.jobs")


def send_run_on_commit(job_id: uuid.UUID, *, after: timedelta = timedelta()) -> None:
    """Ask a runner to take the job, once this transaction is committed and `after` has passed."""
    transaction.on_commit(partial(_send, "generation.tasks.run_job", (str(job_id),), after))


def send_finish(token: uuid.UUID) -> None:
    """Ask an audio worker to check, store and settle what the upstream gave to the attempt with this token."""
    _send("generation.tasks.finish_audio", (str(token),), timedelta())


def send_rendition(rendition_id: uuid.UUID) -> None:
    """Ask an audio worker for a delivered take in another format."""
    _send("generation.tasks.make_rendition", (str(rendition_id),), timedelta())


def _send(task: str, args: tuple[str, ...], after: timedelta) -> None:
    try:
        current_app.send_task(task, args, countdown=after.total_seconds() or None, retry=False)
    except OperationalError:
        logger.warning("The queue took no message for %s; it will be sent again.", args[0])
