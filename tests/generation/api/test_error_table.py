"""Each row of the error table that this wire can give: status, headers and the whole body, ids masked."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import ApiKey
from accounts.services.api_keys import issue_key, revoke_key
from billing.services.credits import set_available
from generation.api import orders
from generation.contract import Fault
from generation.dialects.base import Dialect, Refused
from generation.dialects.registry import CHAT, LYRIA, MUREKA_MAAS, MUREKA_OFFICIAL, MUSICGEN
from generation.services.cancel import CANCELLED
from generation.services.settle import settle
from generation.states import JobState
from tests.generation.api.test_songs import first_job
from tests.generation.shops import ORDER, SONGS, Shop

TELLING = ("Retry-After", "x-should-retry", "WWW-Authenticate", "Content-Type", "x-ai-generated")
MASKED = (
    (r"req_[0-9a-f]{24}", "req_MASKED"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "JOB"),
)


def told(answer: Any) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, the headers a client acts on, and the body with its ids masked."""
    text = answer.content.decode()
    for pattern, mask in MASKED:
        text = re.sub(pattern, mask, text)
    headers = {name: answer.headers[name] for name in TELLING if name in answer.headers}
    if answer.status_code == 405:
        headers["Allow"] = answer.headers["Allow"]
    assert headers.pop("Content-Type") == "application/json"
    assert json.loads(answer.content)["error"]["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, headers, json.loads(text)


def error(code: str, kind: str, message: str, param: str | None = None, **more: str) -> dict[str, Any]:
    return {
        "error": {"message": message, "type": kind, "param": param, "code": code, "request_id": "req_MASKED", **more}
    }


INVALID = "invalid_request_error"


async def test_missing_api_key(shop: Shop) -> None:
    answer = await shop.post(body=ORDER, headers={"authorization": ""})

    message = "No API key was given: send it as `Authorization: Bearer …` or as `x-api-key`."
    assert told(answer) == (403, {}, error("missing_api_key", "authentication_error", message))


async def test_sign_in_is_asked_for_before_the_body_is_read(shop: Shop) -> None:
    answer = await shop.post(body="{broken", headers={"authorization": ""})

    assert answer.json()["error"]["code"] == "missing_api_key"


@pytest.mark.parametrize("given", ["Bearer nonsense", "Bearer tt_live_" + "x" * 43, "Basic dXNlcjpwYXNz"])
async def test_invalid_api_key(shop: Shop, given: str) -> None:
    answer = await shop.post(body=ORDER, headers={"authorization": given})

    message = "The API key is not valid."
    assert told(answer) == (401, {}, error("invalid_api_key", "authentication_error", message))


async def test_revoked_api_key(shop: Shop) -> None:
    await shop.behind(lambda: revoke_key(key=ApiKey.unscoped.get()))

    answer = await shop.post(body=ORDER)

    assert told(answer)[0] == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


async def test_permission_denied_for_a_scope(shop: Shop) -> None:
    _, shop.secret = await shop.behind(
        issue_key,
        organization=shop.world.customer,
        member=shop.world.caller.member,
        name="reader",
        live=True,
        scopes=["generation.read"],
    )

    answer = await shop.post(body=ORDER)

    message = "This needs the permission `generation.create`, which the caller does not hold."
    assert told(answer) == (403, {}, error("permission_denied", "permission_error", message))


async def test_permission_denied_for_a_frozen_organization(shop: Shop) -> None:
    shop.world.customer.frozen_at = timezone.now()
    await shop.behind(shop.world.customer.save)

    answer = await shop.post(body=ORDER)

    assert told(answer) == (403, {}, error("permission_denied", "permission_error", "This organization is frozen."))


@pytest.mark.parametrize(
    "body", ["{broken", '{"n": NaN}', "[" * 100_000, '{"n": ' + "1" * 5000 + "}", b'{"a": "\xff"}']
)
async def test_malformed_json(shop: Shop, body: str | bytes) -> None:
    answer = await shop.post(body=body)

    assert told(answer) == (400, {}, error("malformed_json", INVALID, "The body is not valid JSON."))


@pytest.mark.parametrize("body", ["[]", '"text"', "7", "null"])
async def test_a_body_that_is_no_object(shop: Shop, body: str) -> None:
    answer = await shop.post(body=body)

    assert told(answer) == (400, {}, error("malformed_json", INVALID, "The body must be a JSON object."))


@pytest.mark.parametrize("value", ["absent", None, ""])
@pytest.mark.parametrize("name", ["model", "catelogid", "prompt", "lyrics"])
async def test_missing_parameter(shop: Shop, name: str, value: str | None) -> None:
    body = {key: given for key, given in ORDER.items() if key != name} | ({} if value == "absent" else {name: value})

    answer = await shop.post(body=body)

    message = f"Missing required parameter: {name}"
    assert told(answer) == (400, {}, error("missing_parameter", INVALID, message, name))


async def test_missing_parameters_are_named_in_the_order_of_the_wire(shop: Shop) -> None:
    assert (await shop.post(body={"n": "x"})).json()["error"]["param"] == "model"


async def test_invalid_parameter(shop: Shop) -> None:
    answer = await shop.post(body=ORDER | {"n": 1.5})

    message = "Invalid value for parameter n: it must be a whole number from 1 to 100."
    assert told(answer) == (400, {}, error("invalid_parameter", INVALID, message, "n"))


async def test_invalid_parameter_by_the_limits_of_the_model(shop: Shop) -> None:
    answer = await shop.post(body=ORDER | {"n": 4})

    message = "'n' must be 1-3 takes for test-song; this one is 4."
    assert told(answer) == (400, {}, error("invalid_parameter", INVALID, message, "n"))


async def test_unsupported_parameter_of_the_model(shop: Shop) -> None:
    answer = await shop.post(body=ORDER | {"mbd": True})

    message = "test-song does not take 'mbd'. No model on offer takes it."
    assert told(answer) == (400, {}, error("unsupported_parameter", INVALID, message, "mbd"))


async def test_unsupported_parameter_of_the_wire(shop: Shop) -> None:
    answer = await shop.post(body=ORDER | {"reference_id": "17"})

    message = "The parameter reference_id belongs to another API and cannot be conveyed here. Leave it out."
    assert told(answer) == (400, {}, error("unsupported_parameter", INVALID, message, "reference_id"))


async def test_model_not_found(shop: Shop) -> None:
    answer = await shop.post(body=ORDER | {"model": "nobody"})

    message = "There is no model 'nobody' in the catalog 'music_gen'."
    assert told(answer) == (400, {}, error("model_not_found", INVALID, message, "model"))


@pytest.mark.parametrize("job_id", ["6f3c", "01890a5d-ac96-774b-bcce-b302099a8057"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/events"), ("POST", "/cancel")], ids=["song", "events", "cancel"]
)
async def test_not_found(shop: Shop, method: str, path: str, job_id: str) -> None:
    answer = await shop.call(method, f"{SONGS}/{job_id}{path}")

    assert told(answer) == (404, {}, error("not_found", INVALID, "There is no such song."))


async def test_a_foreign_song_reads_as_a_missing_one(shop: Shop) -> None:
    job = await shop.ordered()
    _, shop.secret = await shop.behind(issue_key, organization=shop.world.seller, member=None, name="other", live=True)

    answers = [
        told(await shop.get(f"{SONGS}/{job.pk}")),
        told(await shop.get(f"{SONGS}/{job.pk}/events")),
        told(await shop.call("POST", f"{SONGS}/{job.pk}/cancel")),
    ]

    assert answers == 3 * [(404, {}, error("not_found", INVALID, "There is no such song."))]


async def test_unknown_path(shop: Shop) -> None:
    answer = await shop.get("/v1/musik/generations")

    assert told(answer) == (404, {}, error("not_found", INVALID, "There is nothing at this address."))


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/v1/ai/muse/mureka/song/describe", MUREKA_MAAS),
        ("/v1/song/stem", MUREKA_OFFICIAL),
        ("/v1beta/models/lyria-3-pro-preview:streamGenerateContent", LYRIA),
        ("/my/music/v1beta1/publishers/google/models/lyria:countTokens/", LYRIA),
        ("/v1beta/models", LYRIA),
        ("/api/v1/generate_sound", MUSICGEN),
        ("/v1/chat/completions", CHAT),
    ],
)
async def test_unknown_path_of_another_wire_is_told_in_its_words(shop: Shop, path: str, dialect: Dialect) -> None:
    answer = await shop.get(path)

    request_id = answer.headers["x-request-id"]
    refused = Refused(code="not_found", message="There is nothing at this address.", request_id=request_id)
    wanted = dialect.refused(refused)
    assert (answer.status_code, answer.json()) == (404, wanted.body)


async def test_method_not_allowed(shop: Shop) -> None:
    answer = await shop.call("DELETE", SONGS)

    message = 'Method "DELETE" not allowed.'
    assert told(answer) == (405, {"Allow": "GET, POST, HEAD, OPTIONS"}, error("method_not_allowed", INVALID, message))


async def test_body_too_large(shop: Shop) -> None:
    answer = await shop.post(body=ORDER | {"prompt": "x" * (1024 * 1024)})

    message = "The body of a call may have at most 1 MiB."
    assert told(answer) == (413, {}, error("body_too_large", INVALID, message))


async def test_idempotency_conflict(shop: Shop) -> None:
    given = {"prefer": "respond-async", "idempotency-key": "order-1"}
    await shop.post(body=ORDER, headers=given)

    answer = await shop.post(body=ORDER | {"seed": 7}, headers=given)

    message = "This idempotency key was used for another order. Use a new key."
    assert told(answer) == (409, {}, error("idempotency_conflict", INVALID, message))


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
async def test_an_idempotency_key_of_another_form(shop: Shop, key: str) -> None:
    answer = await shop.post(body=ORDER, headers={"idempotency-key": key})

    message = "Invalid value for Idempotency-Key: it must have 1 to 255 printable characters."
    assert told(answer) == (400, {}, error("invalid_parameter", INVALID, message, "Idempotency-Key"))


async def test_insufficient_quota(shop: Shop) -> None:
    await shop.behind(set_available, organization_id=shop.world.customer.pk, live=True, amount_micro=1, reason="test")

    answer = await shop.post(body=ORDER)

    message = "This order needs 2.50 credits, more than are available. Add credits and order again."
    assert told(answer) == (
        429,
        {"x-should-retry": "false"},
        error("insufficient_quota", "insufficient_quota", message),
    )


async def test_busy(shop: Shop, settings: Any) -> None:
    settings.TUTTI_QUEUE_LIMIT = 0
    await shop.behind(lambda: None)

    answer = await shop.post(body=ORDER)

    assert told(answer)[:2] == (503, {"Retry-After": "30"})
    assert (answer.json()["error"]["code"], answer.json()["error"]["type"]) == ("busy", "api_error")


@pytest.mark.parametrize(
    ("fault", "state", "status", "kind", "headers"),
    [
        (Fault("content_policy", "no"), JobState.FAILED, 400, INVALID, {}),
        (Fault("content_policy", "no", "lyrics"), JobState.FAILED, 400, INVALID, {}),
        (Fault("upstream_error", "no"), JobState.FAILED, 502, "api_error", {"x-should-retry": "false"}),
        (Fault("bad_audio", "no"), JobState.FAILED, 502, "api_error", {"x-should-retry": "false"}),
        (Fault("deadline_exceeded", "no"), JobState.EXPIRED, 504, "api_error", {"x-should-retry": "false"}),
        (CANCELLED, JobState.CANCELLED, 409, INVALID, {"x-should-retry": "false"}),
        (Fault("internal_error", "no"), JobState.FAILED, 500, "api_error", {"x-should-retry": "false"}),
    ],
    ids=lambda value: value.code if isinstance(value, Fault) else "",
)
async def test_a_job_that_ends_badly(
    shop: Shop, fault: Fault, state: JobState, status: int, kind: str, headers: dict[str, str]
) -> None:
    waiting = asyncio.create_task(shop.post(body=ORDER))
    job = await first_job(shop)
    await shop.behind(settle, job.pk, token=None, fault=fault, state=state)

    assert told(await waiting) == (status, headers, error(fault.code, kind, fault.message, fault.param, id="JOB"))


async def test_already_final(shop: Shop) -> None:
    job = await shop.finished(await shop.ordered())

    answer = await shop.call("POST", f"{SONGS}/{job.pk}/cancel")

    message = "The song has succeeded already; it can no longer be cancelled."
    assert told(answer) == (409, {}, error("already_final", INVALID, message))


async def test_internal_error_tells_nothing_of_itself(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(orders, "submit", broken)

    answer = await shop.post(body=ORDER)

    message = "Something went wrong on our side. Tell us the request id and we find it."
    assert told(answer) == (500, {}, error("internal_error", "api_error", message))
    assert f"request {answer.headers['x-request-id']} failed" in caplog.text


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("status=done", "status"),
        ("model=%00", "model"),
    ],
)
async def test_a_list_with_an_unsound_query(shop: Shop, query: str, param: str) -> None:
    answer = await shop.get(f"{SONGS}?{query}")

    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["param"]) == (
        400,
        "invalid_parameter",
        param,
    )


async def test_unknown_model_on_its_own_address(shop: Shop) -> None:
    answer = await shop.get("/v1/models/nobody")

    assert told(answer) == (404, {}, error("model_not_found", INVALID, "There is no model 'nobody'.", "model"))
