"""Answers that are not known yet: the view ends, the wait holds no thread, a second short call renders."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from generation.waiting import RoomClosed, waiting_room

Answer = Callable[[], HttpResponseBase]


class Waiting(HttpResponse):
    """What a view returns while its job goes on; `render` is called on a thread once the wait is over.

    The wait ends with the job or after `seconds`. It ends early, without harm to the job, when the client leaves or
    the process stops.
    """

    def __init__(self, job_id: uuid.UUID, *, seconds: float, render: Answer) -> None:
        super().__init__(status=202)
        self.job_id, self.seconds, self.finish = job_id, seconds, render

    async def over(self) -> None:
        """Until the wait is over. Raises RoomClosed."""
        await waiting_room().wait_until_final(self.job_id, self.seconds)


def awaited(view: Any) -> Callable[..., Awaitable[HttpResponseBase]]:
    """Wrap `View.as_view()` of a view that may return `Waiting`."""

    async def patient(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = await sync_to_async(view, thread_sensitive=True)(request, *args, **kwargs)
        if not isinstance(response, Waiting):
            return response
        with suppress(RoomClosed):
            await response.over()
        return await sync_to_async(response.finish, thread_sensitive=True)()

    # What the schema and the table of permissions read of a DRF view.
    patient.cls = view.cls  # type: ignore[attr-defined]
    patient.initkwargs = view.initkwargs  # type: ignore[attr-defined]
    patient.csrf_exempt = True  # type: ignore[attr-defined]
    return patient
