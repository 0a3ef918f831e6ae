"""A reply of a dialect as an HTTP response."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from generation.contract import Reply


def answer(reply: Reply, extra: Mapping[str, str] | None = None) -> HttpResponse:
    # A message may quote what no encoding has: it is shown with a question mark there.
    body = json.dumps(reply.body, ensure_ascii=False, allow_nan=False).encode(errors="replace")
    headers = {**reply.headers, **(extra or {})}
    return HttpResponse(body, status=reply.status, content_type="application/json", headers=headers)


def with_headers(response: HttpResponseBase, headers: Mapping[str, str]) -> HttpResponseBase:
    for name, value in headers.items():
        response.headers[name] = value
    return response
