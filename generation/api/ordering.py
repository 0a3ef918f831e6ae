"""How an order goes its way on every wire: what was sent is read, becomes a job, and the end of that is answered."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request

from generation.api.answers import answer
from generation.api.awaited import Waiting
from generation.api.base import WireView
from generation.api.bodies import idempotency_key, json_object
from generation.api.errors import request_id
from generation.api.prefer import Preference
from generation.contract import Order
from generation.dialects.base import Dialect, ignored_header
from generation.models import Job
from generation.services.reading import Reader
from generation.services.submit import submit

MARGIN_SECONDS: Final = 60
"""How long after its deadline a job is ended by those who watch over it, at the latest."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An order that became a job; `headers` are on every answer to it."""

    job_id: uuid.UUID
    order: Order
    headers: Mapping[str, str]


class OrderingView(WireView):
    """A route by which songs are ordered. Its `as_view()` is wrapped in `awaited`, as `end_of` may wait."""

    words = {"POST": "generation.create"}

    def order_of(self, body: Mapping[str, Any], path: Mapping[str, str]) -> Order:
        """What was ordered; `path` holds what the address says of it. Raises Refusal."""
        return self.dialect.parse(body, path)

    def take(self, request: Request, path: Mapping[str, str]) -> Taken:
        """The job of an order, new or known by its key. Raises Refusal."""
        body = json_object(request)
        order = self.order_of(body, path)
        submitted = submit(
            order,
            caller=self.caller,
            dialect=self.dialect.slug,
            idempotency_key=idempotency_key(request, order.transno),
            # The same words at another address are another order.
            body={"path": path, "body": body} if path else body,
        )
        replayed = {"Idempotent-Replayed": "true"} if submitted.is_replay else {}
        return Taken(submitted.job_id, order, ignored_header(order) | replayed)

    def end_of(self, taken: Taken, wish: Preference = Preference()) -> HttpResponseBase:  # noqa: B008 - frozen
        """The answer to one who waits for the job, as long as it may take, or as was wished."""
        headers = {**wish.headers, **taken.headers}
        render = partial(render_end, self.reader(), self.dialect, taken.job_id, request_id(self.request), headers)
        job = Job.objects.only("state", "deadline").get(pk=taken.job_id)
        if job.is_final or wish.wait_seconds == 0:
            return render()
        left = (job.deadline - timezone.now()).total_seconds() + MARGIN_SECONDS
        return Waiting(taken.job_id, seconds=left if wish.wait_seconds is None else wish.wait_seconds, render=render)


def render_end(
    reader: Reader, dialect: Dialect, job_id: uuid.UUID, request_id: str, headers: Mapping[str, str]
) -> HttpResponse:
    """The answer to one who waited, on whichever thread, in a scope of its own."""
    return answer(dialect.finished(reader.job(job_id), request_id=request_id), headers)
