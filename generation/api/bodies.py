"""Reading what a caller sent: one JSON object, whatever the content type says."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

from rest_framework.request import Request

from generation.api.errors import too_large
from generation.contract import Refusal

LARGEST: Final = 1024 * 1024
LONGEST_KEY: Final = 255


def json_object(request: Request) -> dict[str, Any]:
    """The body as an object; an empty body is an empty object. Raises Refusal."""
    # Not `request.data`: that takes a chunked body, which has no length, for an empty one.
    body = request._request.body  # noqa: SLF001 - DRF's request has no other way to the bytes
    if len(body) > LARGEST:
        raise too_large()
    try:
        read = json.loads(body or b"{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        # Bad JSON, bad UTF-8, NaN, a number of thousands of digits, brackets without end.
        raise Refusal("malformed_json", "The body is not valid JSON.") from None
    if not isinstance(read, dict):
        raise Refusal("malformed_json", "The body must be a JSON object.")
    return read


def idempotency_key(request: Request, transno: str | None) -> str | None:
    """The header, else what the body says. Raises Refusal for one that is no key."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return transno
    if not 1 <= len(key) <= LONGEST_KEY or not key.isprintable():
        rule = f"Invalid value for Idempotency-Key: it must have 1 to {LONGEST_KEY} printable characters."
        raise Refusal("invalid_parameter", rule, param="Idempotency-Key")
    return key


def whole_number(request: Request, name: str, *, plain: int, low: int, high: int) -> int:
    """A whole number of the query. Raises Refusal."""
    text = request.query_params.get(name, "")
    if text == "":
        return plain
    if not text.isascii() or not text.isdigit() or len(text) > 18 or not low <= int(text) <= high:  # noqa: PLR2004
        rule = f"Invalid value for parameter {name}: it must be a whole number from {low} to {high}."
        raise Refusal("invalid_parameter", rule, param=name)
    return int(text)


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(constant)
