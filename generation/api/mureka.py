"""The routes of the wire `mureka`: an order is answered at once with its task, and the task is asked for by its id."""

from __future__ import annotations

from django.http import HttpResponse
from rest_framework.request import Request

from generation.api import mureka_shapes as shapes
from generation.api.answers import answer
from generation.api.base import WireView
from generation.api.errors import request_id
from generation.api.orders import OrderView
from generation.contract import Refusal
from generation.dialects.digits import id_of
from generation.dialects.mureka import Mureka
from generation.dialects.mureka_orders import EXTEND, GENERATE, INSTRUMENTAL
from generation.dialects.registry import MUREKA_MAAS, MUREKA_OFFICIAL


class TaskOrder(OrderView):
    """A route that orders, and waits for nothing."""

    dialect: Mureka

    def ordered(self, request: Request, **path: str) -> HttpResponse:
        taken = self.take(request, path)
        reply = self.dialect.accepted(self.reader().job(taken.job_id), request_id=request_id(request))
        return answer(reply, taken.headers)


class Task(WireView):
    """A route that tells how a task stands, whatever ordered it: the id decides, and nothing else in the address."""

    words = {"GET": "generation.read"}
    dialect: Mureka

    def told(self, request: Request, task_id: str) -> HttpResponse:
        job_id = id_of(task_id)
        if job_id is None:
            raise Refusal("not_found", "There is no such song.")
        return answer(self.dialect.finished(self.reader().job(job_id), request_id=request_id(request)))


class MaasSong(TaskOrder):
    dialect = MUREKA_MAAS

    @shapes.generate_at_endpoint
    def post(self, request: Request, endpoint: str) -> HttpResponse:
        return self.ordered(request, call=GENERATE, endpoint=endpoint)


class MaasExtension(TaskOrder):
    dialect = MUREKA_MAAS

    @shapes.extend_at_endpoint
    def post(self, request: Request, endpoint: str) -> HttpResponse:
        return self.ordered(request, call=EXTEND, endpoint=endpoint)


class MaasTask(Task):
    dialect = MUREKA_MAAS

    @shapes.query_at_endpoint
    def get(self, request: Request, endpoint: str, task_id: str) -> HttpResponse:
        return self.told(request, task_id)


class OfficialSong(TaskOrder):
    dialect = MUREKA_OFFICIAL

    @shapes.generate
    def post(self, request: Request) -> HttpResponse:
        return self.ordered(request, call=GENERATE)


class OfficialExtension(TaskOrder):
    dialect = MUREKA_OFFICIAL

    @shapes.extend
    def post(self, request: Request) -> HttpResponse:
        return self.ordered(request, call=EXTEND)


class OfficialInstrumental(TaskOrder):
    dialect = MUREKA_OFFICIAL

    @shapes.generate_instrumental
    def post(self, request: Request) -> HttpResponse:
        return self.ordered(request, call=INSTRUMENTAL)


class OfficialTask(Task):
    dialect = MUREKA_OFFICIAL

    @shapes.query
    def get(self, request: Request, task_id: str) -> HttpResponse:
        return self.told(request, task_id)


class OfficialInstrumentalTask(Task):
    dialect = MUREKA_OFFICIAL

    @shapes.query_instrumental
    def get(self, request: Request, task_id: str) -> HttpResponse:
        return self.told(request, task_id)
