"""From an order to the answer at its end, the same on every wire: read, take, wait, word."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request

from generation.api.answers import answer
from generation.api.awaited import Waiting
from generation.api.base import WireView
from generation.api.bodies import idempotency_key, json_object
from generation.api.errors import failure, request_id
from generation.contract import Order
from generation.dialects.base import ignored_header
from generation.models import Job
from generation.services.reading import Reader
from generation.services.submit import Submitted, submit

MARGIN_SECONDS: Final = 60
"""How long after its deadline a job is ended by those who watch over it, at the latest."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An order that became a job; `headers` belong to whatever answers it."""

    order: Order
    job_id: uuid.UUID
    headers: Mapping[str, str] = field(default_factory=dict)


class OrderView(WireView):
    """A route that orders a song in the words of its `dialect`; serve it through `awaited`."""

    words = {"POST": "generation.create"}

    def order_of(self, body: Mapping[str, Any], path: Mapping[str, str]) -> Order:
        """What was ordered; `path` holds what the address says of it. Raises Refusal."""
        return self.dialect.parse(body, path)

    def take(self, request: Request, path: Mapping[str, str] | None = None) -> Taken:
        """Read the body and order what it says; `path` is what the address says. Raises Refusal."""
        body = json_object(request)
        order = self.order_of(body, path or {})
        # The same words at another address are another order.
        told = {"path": path, "body": body} if path else body
        taken = self.submitted(order, idempotency_key(request, order.transno), told)
        replayed = {"Idempotent-Replayed": "true"} if taken.is_replay else {}
        return Taken(order, taken.job_id, ignored_header(order) | replayed)

    def submitted(self, order: Order, key: str | None, body: Mapping[str, Any]) -> Submitted:
        """The job that this order stands for. Raises Refusal."""
        return submit(order, caller=self.caller, dialect=self.dialect.slug, idempotency_key=key, body=body)

    def answer_to(
        self, taken: Taken, *, wait_seconds: float | None = None, headers: Mapping[str, str] | None = None
    ) -> HttpResponseBase:
        """What the job has come to after `wait_seconds`, or at its end if that comes first; None: at its end."""
        render = partial(
            render_end, self.reader(), taken.job_id, self.request, headers={**(headers or {}), **taken.headers}
        )
        job = Job.objects.only("state", "deadline").get(pk=taken.job_id)
        if job.is_final or wait_seconds == 0:
            return render()
        left = (job.deadline - timezone.now()).total_seconds() + MARGIN_SECONDS
        return Waiting(taken.job_id, seconds=left if wait_seconds is None else wait_seconds, render=render)


def render_end(reader: Reader, job_id: uuid.UUID, request: HttpRequest, *, headers: Mapping[str, str]) -> HttpResponse:
    """The answer to one who waited, on whichever thread, in a scope of its own."""
    try:
        return answer(reader.dialect.finished(reader.job(job_id), request_id=request_id(request)), headers)
    except Exception as exc:  # noqa: BLE001 - the view has ended: nobody above would word it in the caller's wire
        return failure(exc, request, reader.dialect)
