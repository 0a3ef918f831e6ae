"""A route to try every door on. Refusals are raised through, so that a test sees them as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.views import GatewayView
from accounts.caller import Caller
from accounts.models import ApiKey
from accounts.permissions import PUBLIC


class Probe(GatewayView):
    """Answers with the names of the keys in scope; `seen` is the caller of the last call."""

    words = {"GET": "generation.read", "POST": "generation.create"}
    seen: ClassVar[list[Caller]] = []

    def get_exception_handler(self) -> Callable[..., None]:
        return lambda exception, context: None

    def get(self, request: Request) -> Response:
        self.seen.append(self.caller)
        return Response(list(ApiKey.objects.values_list("name", flat=True)))

    post = get

    def put(self, request: Request) -> Response:
        raise AssertionError("a method without a word was let in")


class OpenProbe(Probe):
    words = {"GET": PUBLIC}

    def get(self, request: Request) -> Response:
        return Response("open")
