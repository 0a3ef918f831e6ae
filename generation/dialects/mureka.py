"""The wire `mureka` as the shared service (MaaS) speaks it: the endpoint in the address decides the model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from generation.contract import JobView, Order, Reply
from generation.dialects.base import Refused, job_headers
from generation.dialects.digits import digits_of
from generation.dialects.mureka_envelopes import Envelope, MaasEnvelope
from generation.dialects.mureka_orders import WIRE, read_order
from generation.dialects.mureka_tasks import new_task, task

LINK_LIFE: Final = timedelta(days=31)


class Mureka:
    slug = WIRE
    link_life = LINK_LIFE
    envelope: Envelope = MaasEnvelope()

    def parse(self, body: Mapping[str, Any], path: Mapping[str, str]) -> Order:
        """Read an order; `call` in the path says which of this wire's. Raises Refusal."""
        return read_order(body, path)

    def accepted(self, job: JobView, *, request_id: str = "") -> Reply:
        """The answer to an order: its task, which is asked for from now on."""
        return self._worded(job, new_task(job), request_id)

    def finished(self, job: JobView, *, request_id: str) -> Reply:
        """The task as it stands: on this wire nobody waits, and a song that failed is no failed call."""
        return self._worded(job, task(job), request_id)

    def view(self, job: JobView) -> Reply:
        return self.finished(job, request_id=job.id)

    def refused(self, refused: Refused) -> Reply:
        return self.envelope.refused(refused)

    def _worded(self, job: JobView, words: Mapping[str, Any], request_id: str) -> Reply:
        return self.envelope.task(
            words, task_id=digits_of(job.id), request_id=request_id or job.id, headers=job_headers(job)
        )
