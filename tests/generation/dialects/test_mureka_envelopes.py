"""Every cause of failure in both envelopes of the wire `mureka`."""

from __future__ import annotations

import pytest

from generation.contract import Reply
from generation.dialects.base import CAUSES, Refused
from generation.dialects.registry import MUREKA_MAAS, MUREKA_OFFICIAL

STATUS = {
    "missing_api_key": 401,
    "invalid_api_key": 401,
    "permission_denied": 403,
    "malformed_json": 400,
    "missing_parameter": 400,
    "invalid_parameter": 400,
    "unsupported_parameter": 400,
    "model_not_found": 404,
    "not_found": 404,
    "method_not_allowed": 405,
    "already_final": 409,
    "body_too_large": 413,
    "idempotency_conflict": 409,
    "insufficient_quota": 429,
    "key_limit_exceeded": 429,
    "member_limit_exceeded": 429,
    "org_limit_exceeded": 429,
    "rate_limit_exceeded": 429,
    "concurrency_limit_exceeded": 429,
    "busy": 503,
    "content_policy": 400,
    "upstream_error": 502,
    "bad_audio": 502,
    "deadline_exceeded": 504,
    "cancelled": 409,
    "internal_error": 500,
    "a word nobody knows": 500,
}
QUOTA = ("insufficient_quota", "key_limit_exceeded", "member_limit_exceeded", "org_limit_exceeded")
RETRY_AFTER = {"rate_limit_exceeded": "7", "concurrency_limit_exceeded": "7", "busy": "7"}


def headers_of(code: str) -> dict[str, str]:
    return (
        {"Trace-Id": "req_1"}
        | ({"Retry-After": RETRY_AFTER[code]} if code in RETRY_AFTER else {})
        | ({"x-should-retry": "false"} if code in QUOTA else {})
    )


def test_every_cause_has_its_status() -> None:
    assert set(CAUSES) | {"a word nobody knows"} == set(STATUS)


@pytest.mark.parametrize(("code", "status"), STATUS.items())
def test_a_refusal_is_worded_by_its_envelope(code: str, status: int) -> None:
    refused = Refused(code=code, message="no", param="n", retry_after=7, request_id="req_1")

    maas = {"code": status, "data": None, "code_msg": "no", "trace_id": "req_1"}
    assert MUREKA_MAAS.refused(refused) == Reply(status=status, body=maas, headers=headers_of(code))
    official = {"error": {"message": "no"}, "trace_id": "req_1"}
    assert MUREKA_OFFICIAL.refused(refused) == Reply(status=status, body=official, headers=headers_of(code))
