"""What a client wire is to the rest of the house: it reads orders and words answers.

Dialects are pure: plain functions and dataclasses, no Django, no queue, no money.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

from generation.contract import Fault, JobView, Order, Reply
from generation.dialects.vocabulary import as_header

ErrorType = str
INVALID, SIGN_IN, RIGHTS = "invalid_request_error", "authentication_error", "permission_error"
QUOTA, RATE, OURS = "insufficient_quota", "rate_limit_error", "api_error"


@dataclass(frozen=True, slots=True)
class Cause:
    """How the wires that speak HTTP statuses answer one cause of failure.

    `retry_after` is what is said, in seconds, when whoever refused named nothing; None: the header is not sent.
    `may_repeat` False tells SDKs not to send the same order again by themselves.
    """

    status: int
    type: ErrorType
    retry_after: int | None = None
    may_repeat: bool = True


CAUSES: Final[dict[str, Cause]] = {
    "missing_api_key": Cause(401, SIGN_IN),
    "invalid_api_key": Cause(401, SIGN_IN),
    "permission_denied": Cause(403, RIGHTS),
    "malformed_json": Cause(400, INVALID),
    "missing_parameter": Cause(400, INVALID),
    "invalid_parameter": Cause(400, INVALID),
    "unsupported_parameter": Cause(400, INVALID),
    "model_not_found": Cause(404, INVALID),
    "not_found": Cause(404, INVALID),
    "method_not_allowed": Cause(405, INVALID),
    "already_final": Cause(409, INVALID),
    "body_too_large": Cause(413, INVALID),
    "idempotency_conflict": Cause(409, INVALID),
    "insufficient_quota": Cause(429, QUOTA, may_repeat=False),
    "key_limit_exceeded": Cause(429, QUOTA, may_repeat=False),
    "member_limit_exceeded": Cause(429, QUOTA, may_repeat=False),
    "org_limit_exceeded": Cause(429, QUOTA, may_repeat=False),
    "rate_limit_exceeded": Cause(429, RATE, retry_after=1),
    "concurrency_limit_exceeded": Cause(429, RATE, retry_after=5),
    "busy": Cause(503, OURS, retry_after=5),
    "content_policy": Cause(400, INVALID),
    "upstream_error": Cause(502, OURS),
    "bad_audio": Cause(502, OURS),
    "deadline_exceeded": Cause(504, OURS),
    "cancelled": Cause(409, INVALID),
    "internal_error": Cause(500, OURS),
}
"""Every code that a refusal or a failed job may carry: the same words on all wires, in logs and in job rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A call that is turned down, before it is worded: see generation.contract.Refusal."""

    code: str
    message: str
    param: str | None = None
    retry_after: int | None = None
    request_id: str = ""
    job_id: str | None = None
    """Set when the answer is the end of a job, and not of the call alone."""


def failed(job_id: str, fault: Fault, *, request_id: str) -> Refused:
    """The end of a job as the answer to one who waited for it."""
    return Refused(code=fault.code, message=fault.message, param=fault.param, request_id=request_id, job_id=job_id)


class Dialect(Protocol):
    """One client wire."""

    slug: str
    link_life: timedelta
    """How long the audio links of an answer live, counted from the answer."""

    def parse(self, body: Mapping[str, Any], path: Mapping[str, str]) -> Order:
        """Read an order; `path` holds what the address says. Raises Refusal."""

    def accepted(self, job: JobView) -> Reply:
        """The answer to an order whose result is not awaited."""

    def finished(self, job: JobView, *, request_id: str) -> Reply:
        """The answer to one who waited for this job, well or badly ended."""

    def view(self, job: JobView) -> Reply:
        """The answer to one who asks how the job stands."""

    def refused(self, refused: Refused) -> Reply:
        """The answer to a call that is turned down."""


AI_GENERATED: Final = {"x-ai-generated": "true"}


def failure_of(job: JobView, *, request_id: str) -> Refused | None:
    """What one who waited for this job is told when it ended badly."""
    return None if job.error is None else failed(job.id, job.error, request_id=request_id)


def job_headers(job: JobView) -> dict[str, str]:
    """What an answer with a job says of its audio, and of the fields its model took as wishes."""
    return (AI_GENERATED if job.tracks else {}) | approximated_header(job.wire)


def approximated_header(wire: Mapping[str, Any]) -> dict[str, str]:
    """The header that names what a model took as wishes; none when it took nothing so."""
    approximated = wire.get("approximated")
    return {"x-tutti-approximated": as_header(approximated)} if approximated else {}


def ignored_header(order: Order) -> dict[str, str]:
    """The header that names what was not understood; none when all was."""
    return {"x-tutti-ignored": as_header(order.ignored)} if order.ignored else {}


def retry_headers(cause: Cause, refused: Refused) -> dict[str, str]:
    """What an SDK reads before it tries again."""
    headers = {}
    if cause.retry_after is not None:
        headers["Retry-After"] = str(refused.retry_after or cause.retry_after)
    # A second try of an order that ended would be a second song.
    ends_a_job = refused.job_id is not None and cause.status not in (400, 404)
    if not cause.may_repeat or ends_a_job:
        headers["x-should-retry"] = "false"
    return headers
