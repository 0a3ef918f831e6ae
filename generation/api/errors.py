"""Every way a call can fail, in the words of the wire it came by."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.urls import Resolver404, resolve
from rest_framework import exceptions

from accounts.api.refusals import AccessRefused
from generation.api.answers import answer
from generation.contract import Refusal
from generation.dialects.base import Dialect, Refused
from generation.dialects.registry import LYRIA, MUREKA_MAAS, MUREKA_OFFICIAL, MUSICGEN, OPENAI_MUSIC

logger = logging.getLogger(__name__)


def handle(exc: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """DRF's exception handler: nothing passes it."""
    view, request = context["view"], context["request"]
    headers = {"Allow": ", ".join(view.allowed_methods)} if isinstance(exc, exceptions.MethodNotAllowed) else {}
    return failure(exc, request, getattr(view, "dialect", OPENAI_MUSIC), headers)


def failure(
    exc: Exception, request: HttpRequest, dialect: Dialect, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """The answer to a call that ended in an exception; one that is our fault is logged and tells nothing of itself."""
    return refused(told(exc, request), request, dialect, headers)


def told(exc: Exception, request: HttpRequest) -> Refusal:
    """What the caller is told of an exception; one that is our fault is logged."""
    refusal = as_refusal(exc)
    if refusal is None:
        logger.error("request %s failed", request_id(request), exc_info=exc)
        return _OUR_FAULT
    return refusal


def refused(
    refusal: Refusal, request: HttpRequest, dialect: Dialect = OPENAI_MUSIC, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    worded = dialect.refused(
        Refused(
            code=refusal.code,
            message=refusal.message,
            param=refusal.param,
            retry_after=refusal.retry_after,
            request_id=request_id(request),
        )
    )
    return answer(worded, headers)


def request_id(request: HttpRequest) -> str:
    return getattr(request, "request_id", "")


def as_refusal(exc: Exception) -> Refusal | None:
    """The refusal an exception stands for; None for one that is our fault."""
    if isinstance(exc, Refusal):
        return exc
    if isinstance(exc, AccessRefused):
        return Refusal(exc.code, exc.message)
    if isinstance(exc, exceptions.Throttled):
        wait = getattr(exc, "wait", None)
        return Refusal("rate_limit_exceeded", "Too many calls. Slow down.", retry_after=math.ceil(wait or 1))
    return next((worded(exc) for kind, worded in _WORDED if isinstance(exc, kind)), None)


_OUR_FAULT = Refusal("internal_error", "Something went wrong on our side. Tell us the request id and we find it.")
_NO_PATH = Refusal("not_found", "There is nothing at this address.")
_WORDED: tuple[tuple[type[Exception], Callable[[Any], Refusal]], ...] = (
    (RequestDataTooBig, lambda _: too_large()),
    (exceptions.ParseError, lambda exc: Refusal("malformed_json", str(exc.detail))),
    (exceptions.NotAuthenticated, lambda _: _at_the_door(AccessRefused.missing_key())),
    (exceptions.AuthenticationFailed, lambda _: _at_the_door(AccessRefused.invalid_key())),
    (exceptions.MethodNotAllowed, lambda exc: Refusal("method_not_allowed", str(exc.detail))),
    (Http404, lambda _: _NO_PATH),
    (exceptions.NotFound, lambda _: _NO_PATH),
    (exceptions.PermissionDenied, lambda exc: Refusal("permission_denied", str(exc.detail))),
    (PermissionDenied, lambda exc: Refusal("permission_denied", str(exc) or "This is not permitted.")),
    (exceptions.APIException, lambda exc: Refusal("malformed_json", str(exc.detail))),
    (SuspiciousOperation, lambda _: Refusal("malformed_json", "The request could not be understood.")),
    (MultiPartParserError, lambda _: Refusal("malformed_json", "The form could not be understood.")),
    (BadRequest, lambda _: Refusal("malformed_json", "The request could not be understood.")),
)


def too_large() -> Refusal:
    return Refusal("body_too_large", "The body of a call may have at most 1 MiB.")


def _at_the_door(turned_away: AccessRefused) -> Refusal:
    return Refusal(turned_away.code, turned_away.message)


# --- Where no view was reached, or what is round it failed: Django's own handlers, named in config.urls ------------


def dialect_at(request: HttpRequest) -> Dialect:
    """The wire the address belongs to; for an address that is nothing's, the one it is like."""
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        alike = (dialect for form, dialect in _ALIKE if re.search(form, request.path_info))
        return next(alike, OPENAI_MUSIC)
    dialect: Dialect = getattr(getattr(view, "cls", None), "dialect", OPENAI_MUSIC)
    return dialect


# What is not served of a vendor's API is asked for by that vendor's clients.
_ALIKE: tuple[tuple[str, Dialect], ...] = (
    (r"^/v1/ai/[^/]+/mureka/", MUREKA_MAAS),
    (r"^/v1/(song|instrumental|lyrics)/", MUREKA_OFFICIAL),
    (r"^/v1beta|/models/[^/]+:\w+/?$|/music/generateContent", LYRIA),
    (r"^/api/v1/", MUSICGEN),
)


def unknown_path(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refused(_NO_PATH, request, dialect_at(request))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refused(Refusal("permission_denied", "This is not permitted."), request, dialect_at(request))


def not_understood(request: HttpRequest, exception: Exception) -> HttpResponse:
    refusal = as_refusal(exception) or Refusal("malformed_json", "The request could not be understood.")
    return refused(refusal, request, dialect_at(request))


def failed(request: HttpRequest) -> HttpResponse:
    return refused(_OUR_FAULT, request, dialect_at(request))
