"""The two envelopes of the wire `mureka`: what stands round a task, and round a refusal. They never mix.

The shared service (MaaS) wraps everything and says `code` 0 or the status; the vendor's own API answers flat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from generation.contract import Reply
from generation.dialects.base import CAUSES, Refused, retry_headers

HTTP_OK: Final = 200
SUCCESS: Final = 0


class Envelope(Protocol):
    """One form of the answers of this wire."""

    def task(self, task: Mapping[str, Any], *, task_id: str, request_id: str, headers: Mapping[str, str]) -> Reply:
        """A task, however it stands: the call has succeeded, whatever has become of the song."""

    def refused(self, refused: Refused) -> Reply:
        """A call that is turned down."""


class MaasEnvelope:
    """`{"code", "data", "code_msg", "trace_id"}`; the task's id is `taskId`."""

    def task(self, task: Mapping[str, Any], *, task_id: str, request_id: str, headers: Mapping[str, str]) -> Reply:
        data = {"taskId": task_id, "trace_id": request_id, **task}
        return _reply(_wrapped(SUCCESS, data, "success", request_id), HTTP_OK, request_id, headers)

    def refused(self, refused: Refused) -> Reply:
        status = status_of(refused)
        return _reply(
            _wrapped(status, None, refused.message, refused.request_id), status, refused.request_id, told(refused)
        )


class OfficialEnvelope:
    """The task itself, with `id`; errors are `{"error": {"message"}, "trace_id"}`."""

    def task(self, task: Mapping[str, Any], *, task_id: str, request_id: str, headers: Mapping[str, str]) -> Reply:
        return _reply({"id": task_id, **task, "trace_id": request_id}, HTTP_OK, request_id, headers)

    def refused(self, refused: Refused) -> Reply:
        body = {"error": {"message": refused.message}, "trace_id": refused.request_id}
        return _reply(body, status_of(refused), refused.request_id, told(refused))


def status_of(refused: Refused) -> int:
    """The HTTP status of a refusal, the same in both envelopes."""
    return CAUSES.get(refused.code, CAUSES["internal_error"]).status


def told(refused: Refused) -> dict[str, str]:
    """What an SDK reads before it tries again."""
    return retry_headers(CAUSES.get(refused.code, CAUSES["internal_error"]), refused)


def _wrapped(code: int, data: Mapping[str, Any] | None, message: str, request_id: str) -> dict[str, Any]:
    return {"code": code, "data": data, "code_msg": message, "trace_id": request_id}


def _reply(body: Mapping[str, Any], status: int, request_id: str, headers: Mapping[str, str]) -> Reply:
    return Reply(status=status, body=body, headers={"Trace-Id": request_id, **headers})
