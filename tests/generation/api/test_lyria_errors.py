"""The error table on the wires `lyria` and `chat`, row by row: status, the headers a client acts on, the whole body."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from accounts.services.api_keys import issue_key
from billing.services.credits import set_available
from generation.api import orders
from generation.contract import Fault, Refusal
from generation.dialects.base import CAUSES
from generation.services.cancel import CANCELLED
from generation.services.settle import settle
from generation.states import JobState
from tests.generation.api.test_error_table import MASKED, TELLING
from tests.generation.api.test_lyria import CHAT, CONTENT
from tests.generation.api.test_songs import first_job
from tests.generation.shops import Shop

INVALID = "invalid_request_error"
NO_RETRY = {"x-should-retry": "false"}
Told = tuple[int, dict[str, str], dict[str, Any]]
Form = Callable[..., dict[str, Any]]


def google(status: int, word: str, code: str, message: str, **_: Any) -> dict[str, Any]:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": code}
    return {"error": {"code": status, "message": message, "status": word, "details": [info]}}


def openai(kind: str, code: str, message: str, param: str | None = None, **more: str) -> dict[str, Any]:
    return {
        "error": {"message": message, "type": kind, "param": param, "code": code, "request_id": "req_MASKED", **more}
    }


def told(answer: Any) -> Told:
    """Status, the headers a client acts on, and the body with its ids masked."""
    body = answer.json()
    if "request_id" in body["error"]:
        assert body["error"]["request_id"] == answer.headers["x-request-id"]
        body["error"]["request_id"] = "req_MASKED"
    if "id" in body["error"]:
        body["error"]["id"] = re.sub(MASKED[1][0], MASKED[1][1], body["error"]["id"])
    headers = {name: answer.headers[name] for name in TELLING if name in answer.headers}
    assert headers.pop("Content-Type") == "application/json"
    return answer.status_code, headers, body


@dataclass(frozen=True)
class Row:
    """One cause: how either wire words it. `kind` is the type of the chat form, `word` the status of the other."""

    code: str
    lyria: int
    word: str
    chat: int
    kind: str
    headers: tuple[tuple[str, str], ...] = ()


QUOTA = (("x-should-retry", "false"),)
TABLE = [
    Row("missing_api_key", 401, "UNAUTHENTICATED", 401, "authentication_error"),
    Row("invalid_api_key", 401, "UNAUTHENTICATED", 401, "authentication_error"),
    Row("permission_denied", 403, "PERMISSION_DENIED", 403, "permission_error"),
    Row("malformed_json", 400, "INVALID_ARGUMENT", 400, INVALID),
    Row("missing_parameter", 400, "INVALID_ARGUMENT", 400, INVALID),
    Row("invalid_parameter", 400, "INVALID_ARGUMENT", 400, INVALID),
    Row("unsupported_parameter", 400, "INVALID_ARGUMENT", 400, INVALID),
    Row("model_not_found", 404, "NOT_FOUND", 404, INVALID),
    Row("not_found", 404, "NOT_FOUND", 404, INVALID),
    Row("method_not_allowed", 405, "UNIMPLEMENTED", 405, INVALID),
    Row("already_final", 409, "FAILED_PRECONDITION", 409, INVALID),
    Row("body_too_large", 413, "INVALID_ARGUMENT", 413, INVALID),
    Row("idempotency_conflict", 409, "ABORTED", 409, INVALID),
    Row("insufficient_quota", 429, "RESOURCE_EXHAUSTED", 429, "insufficient_quota", QUOTA),
    Row("key_limit_exceeded", 429, "RESOURCE_EXHAUSTED", 429, "insufficient_quota", QUOTA),
    Row("member_limit_exceeded", 429, "RESOURCE_EXHAUSTED", 429, "insufficient_quota", QUOTA),
    Row("org_limit_exceeded", 429, "RESOURCE_EXHAUSTED", 429, "insufficient_quota", QUOTA),
    Row("rate_limit_exceeded", 429, "RESOURCE_EXHAUSTED", 429, "rate_limit_error", (("Retry-After", "7"),)),
    Row("concurrency_limit_exceeded", 429, "RESOURCE_EXHAUSTED", 429, "rate_limit_error", (("Retry-After", "7"),)),
    Row("busy", 503, "UNAVAILABLE", 503, "api_error", (("Retry-After", "7"),)),
    Row("content_policy", 400, "INVALID_ARGUMENT", 400, INVALID),
    Row("upstream_error", 502, "UNAVAILABLE", 502, "api_error"),
    Row("bad_audio", 502, "UNAVAILABLE", 502, "api_error"),
    Row("deadline_exceeded", 504, "DEADLINE_EXCEEDED", 504, "api_error"),
    Row("cancelled", 499, "CANCELLED", 409, INVALID),
    Row("internal_error", 500, "INTERNAL", 500, "api_error"),
]


@dataclass(frozen=True)
class Wire:
    """Where one orders on a wire, with which body, and how it words an error."""

    path: str
    body: dict[str, Any]
    is_google: bool

    def expects(self, code: str, message: str, param: str | None = None, **more: Any) -> Told:
        row = next(row for row in TABLE if row.code == code)
        headers = more.pop("headers", dict(row.headers))
        if self.is_google:
            return row.lyria, headers, google(row.lyria, row.word, code, message)
        return row.chat, headers, openai(row.kind, code, message, param, **more)


LYRIA = Wire("/v1/ai/corner/music/generateContent", CONTENT, is_google=True)
MODEL = Wire("/v1beta/models/test-song:generateContent", CONTENT, is_google=True)
COMPLETIONS = Wire("/v1/music/chat/completions", CHAT, is_google=False)
BOTH = pytest.mark.parametrize("wire", [LYRIA, COMPLETIONS], ids=["lyria", "chat"])
EVERYWHERE = pytest.mark.parametrize(
    "wire",
    [LYRIA, MODEL, COMPLETIONS, Wire(LYRIA.path, CHAT, is_google=False)],
    ids=["lyria", "google", "chat", "chat at lyria"],
)


def test_every_cause_has_its_row() -> None:
    assert [row.code for row in TABLE] == list(CAUSES)


@EVERYWHERE
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.code)
async def test_whatever_is_refused_is_worded_as_its_row_says(
    corner: Shop, wire: Wire, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise Refusal(row.code, "Not so.", param="that", retry_after=7)

    monkeypatch.setattr(orders, "submit", refuse)

    assert told(await corner.post(wire.path, wire.body)) == wire.expects(row.code, "Not so.", "that")


@BOTH
async def test_missing_api_key(corner: Shop, wire: Wire) -> None:
    message = "No API key was given: send it as `Authorization: Bearer …` or as `x-api-key`."

    answer = await corner.post(wire.path, wire.body, headers={"authorization": ""})

    assert told(answer) == wire.expects("missing_api_key", message)


@BOTH
async def test_invalid_api_key(corner: Shop, wire: Wire) -> None:
    answer = await corner.post(wire.path, wire.body, headers={"authorization": "Bearer tt_live_" + "x" * 43})

    assert told(answer) == wire.expects("invalid_api_key", "The API key is not valid.")


@BOTH
async def test_permission_denied_for_a_scope(corner: Shop, wire: Wire) -> None:
    narrow = {"name": "reader", "live": True, "scopes": ["generation.read"]}
    world = corner.world
    _, corner.secret = await corner.behind(issue_key, organization=world.customer, member=world.caller.member, **narrow)

    message = "This needs the permission `generation.create`, which the caller does not hold."
    assert told(await corner.post(wire.path, wire.body)) == wire.expects("permission_denied", message)


@BOTH
async def test_permission_denied_for_a_frozen_organization(corner: Shop, wire: Wire) -> None:
    corner.world.customer.frozen_at = timezone.now()
    await corner.behind(corner.world.customer.save)

    answer = await corner.post(wire.path, wire.body)

    assert told(answer) == wire.expects("permission_denied", "This organization is frozen.")


@BOTH
async def test_malformed_json(corner: Shop, wire: Wire) -> None:
    answer = await corner.post(wire.path, "{broken")

    assert told(answer) == wire.expects("malformed_json", "The body is not valid JSON.")


@BOTH
async def test_missing_parameter(corner: Shop, wire: Wire) -> None:
    name = "contents" if wire.is_google else "model"

    answer = await corner.post(wire.path, {})

    assert told(answer) == wire.expects("missing_parameter", f"Missing required parameter: {name}", name)


@EVERYWHERE
async def test_invalid_parameter_by_the_limits_of_the_model(corner: Shop, wire: Wire) -> None:
    text = "x" * 101
    path = "contents[].parts[].text" if wire.is_google else "messages"
    body = (
        {"contents": [{"parts": [{"text": text}]}]}
        if wire.is_google
        else wire.body | {"messages": [{"role": "user", "content": text}]}
    )

    answer = await corner.post(wire.path, body)

    message = f"'{path}' must be 1-100 characters for test-song; this one is 101."
    assert told(answer) == wire.expects("invalid_parameter", message, path)


@pytest.mark.parametrize(
    "wire",
    [
        Wire(LYRIA.path, CONTENT | {"model": "other"}, is_google=True),
        Wire("/corner/music/v1beta1/publishers/google/models/other:generateContent", CONTENT, is_google=True),
        Wire("/v1/ai/corner/music/chat/completions", CHAT | {"model": "other"}, is_google=False),
        Wire("/v1/ai/corner/music/google/chat/completions", CHAT | {"model": "other"}, is_google=False),
        Wire(LYRIA.path, CHAT | {"model": "other"}, is_google=False),
    ],
    ids=["body", "address", "chat", "google chat", "chat at lyria"],
)
async def test_a_model_that_is_not_the_endpoint_s(corner: Shop, wire: Wire) -> None:
    message = "The endpoint 'corner' is for test-song, not for 'other'."

    assert told(await corner.post(wire.path, wire.body)) == wire.expects("invalid_parameter", message, "model")


@BOTH
async def test_unsupported_parameter_of_another_wire(corner: Shop, wire: Wire) -> None:
    answer = await corner.post(wire.path, wire.body | {"vocal_id": "12"})

    message = "The parameter vocal_id belongs to another API and cannot be conveyed here. Leave it out."
    assert told(answer) == wire.expects("unsupported_parameter", message, "vocal_id")


async def test_unsupported_parameter_of_the_model(corner: Shop) -> None:
    answer = await corner.post(COMPLETIONS.path, CHAT | {"temperature": 0.5})

    message = "test-song does not take 'temperature'. No model on offer takes it."
    assert told(answer) == COMPLETIONS.expects("unsupported_parameter", message, "temperature")


@pytest.mark.parametrize(("name", "value"), [("temperature", 0.5), ("topK", 40), ("topP", 0.9)])
async def test_unsupported_parameter_of_the_model_in_the_config(corner: Shop, name: str, value: float) -> None:
    answer = await corner.post(LYRIA.path, LYRIA.body | {"generationConfig": {name: value}})

    message = f"test-song does not take 'generationConfig.{name}'. No model on offer takes it."
    assert told(answer) == LYRIA.expects("unsupported_parameter", message, f"generationConfig.{name}")


@BOTH
async def test_lyrics_for_a_model_without_a_voice(corner: Shop, wire: Wire) -> None:
    llm = corner.world.mapping.llm
    llm.capabilities = {"lyrics": "none"}
    await corner.behind(llm.save)
    text = "a quiet song\n[Verse]\nla la"
    body = (
        {"contents": [{"parts": [{"text": text}]}]}
        if wire.is_google
        else CHAT | {"messages": [{"role": "user", "content": text}]}
    )

    message = "test-song does not take 'lyrics'. No model on offer takes it."
    assert told(await corner.post(wire.path, body)) == wire.expects("unsupported_parameter", message, "lyrics")


@pytest.mark.parametrize(
    "wire",
    [
        Wire("/v1beta/models/nobody:generateContent", CONTENT, is_google=True),
        Wire("/v1/models/nobody:generateContent", CONTENT, is_google=True),
        Wire(
            "/v1beta1/projects/p/locations/l/publishers/google/models/nobody:generateContent", CONTENT, is_google=True
        ),
        Wire(COMPLETIONS.path, CHAT | {"model": "nobody"}, is_google=False),
    ],
    ids=["v1beta", "v1", "project", "chat"],
)
async def test_model_not_found(corner: Shop, wire: Wire) -> None:
    message = "There is no model 'nobody' in the catalog 'music_gen'."

    assert told(await corner.post(wire.path, wire.body)) == wire.expects("model_not_found", message, "model")


@pytest.mark.parametrize(
    "wire",
    [
        Wire("/v1/ai/nowhere/music/generateContent", CONTENT, is_google=True),
        Wire("/nowhere/music/v1beta1/publishers/google/models/tune:generateContent", CONTENT, is_google=True),
        Wire("/v1/ai/nowhere/music/chat/completions", CHAT, is_google=False),
        Wire("/v1/ai/nowhere/music/google/chat/completions", CHAT, is_google=False),
    ],
    ids=["lyria", "model", "chat", "google chat"],
)
async def test_endpoint_not_found(corner: Shop, wire: Wire) -> None:
    answer = await corner.post(wire.path, wire.body)

    assert told(answer) == wire.expects("not_found", "There is no endpoint 'nowhere'.")


@BOTH
async def test_method_not_allowed(corner: Shop, wire: Wire) -> None:
    answer = await corner.get(wire.path)

    assert told(answer) == wire.expects("method_not_allowed", 'Method "GET" not allowed.')
    assert answer.headers["Allow"] == "POST, OPTIONS"


@BOTH
async def test_body_too_large(corner: Shop, wire: Wire) -> None:
    answer = await corner.post(wire.path, wire.body | {"pad": "x" * (1024 * 1024)})

    assert told(answer) == wire.expects("body_too_large", "The body of a call may have at most 1 MiB.")


@BOTH
async def test_idempotency_conflict(corner: Shop, wire: Wire) -> None:
    waiting = asyncio.create_task(corner.post(wire.path, wire.body | {"transno": "order-1"}))
    job = await first_job(corner)

    answer = await corner.post(wire.path, wire.body | {"transno": "order-1", "pad": 1})

    message = "This idempotency key was used for another order. Use a new key."
    assert told(answer) == wire.expects("idempotency_conflict", message)
    await corner.behind(settle, job.pk, token=None, fault=CANCELLED, state=JobState.CANCELLED)
    await waiting


@BOTH
async def test_insufficient_quota(corner: Shop, wire: Wire) -> None:
    customer = corner.world.customer
    await corner.behind(set_available, organization_id=customer.pk, live=True, amount_micro=1, reason="test")

    answer = await corner.post(wire.path, wire.body)

    message = "This order needs 2.50 credits, more than are available. Add credits and order again."
    assert told(answer) == wire.expects("insufficient_quota", message)


@BOTH
async def test_busy(corner: Shop, wire: Wire, settings: Any) -> None:
    settings.TUTTI_QUEUE_LIMIT = 0

    answer = await corner.post(wire.path, wire.body)

    message = "Too many songs are waiting already. Try again shortly."
    assert told(answer) == wire.expects("busy", message, headers={"Retry-After": "30"})


@BOTH
@pytest.mark.parametrize(
    ("fault", "state", "headers"),
    [
        (Fault("content_policy", "no"), JobState.FAILED, {}),
        (Fault("upstream_error", "no"), JobState.FAILED, NO_RETRY),
        (Fault("bad_audio", "no"), JobState.FAILED, NO_RETRY),
        (Fault("deadline_exceeded", "no"), JobState.EXPIRED, NO_RETRY),
        (CANCELLED, JobState.CANCELLED, NO_RETRY),
        (Fault("internal_error", "no"), JobState.FAILED, NO_RETRY),
    ],
    ids=lambda value: value.code if isinstance(value, Fault) else "",
)
async def test_a_job_that_ends_badly(
    corner: Shop, wire: Wire, fault: Fault, state: JobState, headers: dict[str, str]
) -> None:
    waiting = asyncio.create_task(corner.post(wire.path, wire.body))
    job = await first_job(corner)
    await corner.behind(settle, job.pk, token=None, fault=fault, state=state)

    assert told(await waiting) == wire.expects(fault.code, fault.message, headers=headers, id="JOB")


@BOTH
async def test_internal_error_tells_nothing_of_itself(
    corner: Shop, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(orders, "submit", broken)

    message = "Something went wrong on our side. Tell us the request id and we find it."
    assert told(await corner.post(wire.path, wire.body)) == wire.expects("internal_error", message)
