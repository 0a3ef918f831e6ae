"""Ids in, a service called, nothing else."""

from __future__ import annotations

import uuid

from celery import shared_task
from celery.exceptions import Reject
from django.conf import settings

from accounts.tenancy import system_scope
from generation.runner import Stopping, current_runner
from generation.services.finish import finish
from generation.services.renditions import make_rendition as make


@shared_task(name="generation.tasks.run_job", acks_late=True, ignore_result=True)
def run_job(job_id: str) -> None:
    """Wait for a free slot of this process's runner and hand it the job."""
    try:
        current_runner().take(uuid.UUID(job_id))
    except Stopping:
        # A queue that dies with the process needs no message back: the job row still says `queued`.
        raise Reject("stopping", requeue=settings.TUTTI_QUEUE_OUTLIVES_PROCESS) from None


@shared_task(name="generation.tasks.finish_audio", acks_late=True, ignore_result=True)
def finish_audio(token: str) -> None:
    """Check, label, encode, store and settle what an upstream gave."""
    with system_scope():
        finish(uuid.UUID(token))


@shared_task(name="generation.tasks.make_rendition", acks_late=True, ignore_result=True)
def make_rendition(rendition_id: str) -> None:
    """Encode a delivered take in another format."""
    with system_scope():
        make(uuid.UUID(rendition_id))
