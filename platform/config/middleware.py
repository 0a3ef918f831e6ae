"""The project's own middleware, all async: a sync-only one would hold a thread for every request that waits."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import closing

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.responders import StaticFile

from config.logs import current_request_id

logger = logging.getLogger("tutti.access")

Answer = HttpResponseBase | Awaitable[HttpResponseBase]
GetResponse = Callable[[HttpRequest], Answer]


class RequestIdMiddleware:
    """Names every request: `request.request_id`, the header `x-request-id` and each log line carry the same id."""

    sync_capable = async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        if self.is_async:
            return self._answer_later(request)
        started = self._begin(request)
        return self._end(request, self.get_response(request), started)  # type: ignore[arg-type]

    async def _answer_later(self, request: HttpRequest) -> HttpResponseBase:
        started = self._begin(request)
        return self._end(request, await self.get_response(request), started)  # type: ignore[misc]

    def _begin(self, request: HttpRequest) -> float:
        request.request_id = f"req_{secrets.token_hex(12)}"  # type: ignore[attr-defined]
        current_request_id.set(request.request_id)  # type: ignore[attr-defined]
        return time.perf_counter()

    def _end(self, request: HttpRequest, response: HttpResponseBase, started: float) -> HttpResponseBase:
        response["x-request-id"] = request.request_id  # type: ignore[attr-defined]
        route = request.resolver_match.route if request.resolver_match else "-"
        milliseconds = (time.perf_counter() - started) * 1000
        logger.info("%s %s %s %.0f ms", request.method, route, response.status_code, milliseconds)
        return response


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """WhiteNoise without a thread per request: a known file is read and answered, everything else is awaited."""

    sync_capable = async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        super().__init__(get_response)
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Answer:
        file = self.find_file(request.path_info) if self.autorefresh else self.files.get(request.path_info)
        if file is None:
            return self.get_response(request)  # type: ignore[no-any-return]
        return sync_to_async(whole_file)(file, request) if self.is_async else whole_file(file, request)


def whole_file(file: StaticFile, request: HttpRequest) -> HttpResponse:
    """The file in one piece: a streamed one would hold a thread until a slow reader has it all."""
    answer = file.get_response(request.method, request.META)
    body = b""
    if answer.file:
        with closing(answer.file) as opened:
            body = opened.read()
    headers = dict(answer.headers)
    response = HttpResponse(body, status=int(answer.status), headers=headers)
    if "Content-Type" not in headers:
        del response["Content-Type"]
    return response
