"""POST /v1/music/generations and what belongs to one song."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from generation.api import shapes
from generation.api.answers import answer, with_headers
from generation.api.awaited import Waiting
from generation.api.base import MusicView
from generation.api.bodies import json_object, whole_number
from generation.api.errors import failure
from generation.api.offers import quoted
from generation.api.orders import OrderView
from generation.api.prefer import preference
from generation.api.streams import event_stream
from generation.contract import Refusal
from generation.dialects import openai_answers
from generation.dialects.base import ignored_header
from generation.dialects.reading import Fields
from generation.services.cancel import cancel_job
from generation.services.queries import jobs_page
from generation.services.quoting import quote_order
from generation.services.reading import Reader
from generation.states import JobState

LONGEST_LOG: Final = 2**31 - 1
LONGEST_END_SECONDS: Final = 60.0


class Generations(OrderView, MusicView):
    words = {"GET": "generation.read", "POST": "generation.create"}

    @shapes.order_song
    def post(self, request: Request) -> HttpResponseBase:
        taken = self.take(request)
        if taken.order.wire["stream"]:
            stream = event_stream(self.reader(with_audio=_wants_audio(request)), taken.job_id, word=self.words["POST"])
            return with_headers(stream, taken.headers)
        wish = preference(request.headers.get("prefer", ""))
        return self.answer_to(taken, wait_seconds=wish.wait_seconds, headers=wish.headers)

    @shapes.list_songs
    def get(self, request: Request) -> HttpResponse:
        query = request.query_params
        page = jobs_page(
            limit=whole_number(request, "limit", plain=20, low=1, high=100),
            after=query.get("after") or None,
            state=_state(query.get("status", "")),
            model=Fields(query).text("model"),
            live=self.caller.live,
            base_url=settings.BASE_URL,
            link_life=self.dialect.link_life,
        )
        return answer(openai_answers.page(page.jobs, following=page.following))


class Generation(MusicView):
    words = {"GET": "generation.read"}

    @shapes.read_song
    def get(self, request: Request, job_id: str) -> HttpResponse:
        return answer(self.dialect.view(self.reader().job(job_id)))


class GenerationEvents(MusicView):
    words = {"GET": "generation.read"}

    @shapes.follow_song
    def get(self, request: Request, job_id: str) -> HttpResponseBase:
        reader = self.reader(with_audio=_wants_audio(request))
        reached, after = reader.position(job_id), _last_event(request)
        if reached.is_final and reached.seq <= after:
            return HttpResponse(status=204)  # the one answer at which a browser's EventSource stops coming back
        if request.method == "HEAD":
            return HttpResponse(content_type="text/event-stream")
        return event_stream(reader, reached.job_id, word=self.words["GET"], after=after)


class GenerationCancel(MusicView):
    words = {"POST": "generation.cancel"}

    @shapes.cancel_song
    def post(self, request: Request, job_id: str) -> HttpResponse:
        found = self.reader().position(job_id)
        cancel_job(found.job_id, caller=self.caller)
        render = partial(_view_now, self.reader(), found.job_id, self.request)
        if self.reader().position(found.job_id).is_final:
            return render()
        # What was heard of the song is made into a file that is kept: the job ends with that.
        return Waiting(found.job_id, seconds=LONGEST_END_SECONDS, render=render)


class Quotes(MusicView):
    words = {"POST": "generation.create"}

    @shapes.quote_song
    def post(self, request: Request) -> HttpResponse:
        order = self.dialect.parse(json_object(request), {})
        offer = quote_order(order, caller=self.caller)
        return answer(quoted(order, offer), ignored_header(order))


class Tasks(MusicView):
    words = {"GET": "generation.read"}

    @shapes.read_task
    def get(self, request: Request) -> HttpResponse:
        task_id = request.query_params.get("taskid", "")
        if not task_id:
            return answer(openai_answers.task_not_found("Missing required parameter: taskid"))
        try:
            return answer(openai_answers.task(self.reader().job(task_id)))
        except Refusal as refusal:
            return answer(openai_answers.task_not_found(refusal.message))


def _state(status: str) -> JobState | None:
    if not status:
        return None
    if status not in openai_answers.STATE:
        known = ", ".join(openai_answers.STATE)
        raise Refusal(
            "invalid_parameter", f"Invalid value for parameter status: it must be one of {known}.", param="status"
        )
    return openai_answers.STATE[status]


def _wants_audio(request: Request) -> bool:
    return request.query_params.get("audio") == "1"


def _view_now(reader: Reader, job_id: uuid.UUID, request: HttpRequest) -> HttpResponse:
    try:
        return answer(reader.dialect.view(reader.job(job_id)))
    except Exception as exc:  # noqa: BLE001 - the view has ended: nobody above would word it
        return failure(exc, request, reader.dialect)


def _last_event(request: Request) -> int:
    """The number a reader has seen already; what is no number begins at the start, as browsers may send anything."""
    text = request.headers.get("last-event-id", "")
    return min(int(text), LONGEST_LOG) if text.isascii() and text.isdigit() and len(text) <= 12 else 0  # noqa: PLR2004
