"""Each row of the error table on the wire `musicgen`: status, headers and whole body, before any stream opens."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import AsyncClient
from django.utils import timezone

from accounts.models import ApiKey
from accounts.services.api_keys import issue_key, revoke_key
from billing.services.credits import set_available
from generation.api import orders
from generation.contract import Fault, Refusal
from generation.dialects.base import CAUSES
from generation.models import Job, Track
from generation.services.cancel import CANCELLED
from generation.services.settle import settle
from generation.states import JobState
from tests.generation.api.test_songs import first_job
from tests.generation.shops import Shop

PATH = "/api/v1/generate_music"
ORDER = {"description": "a quiet song", "model": "test-song"}
TELLING = ("Retry-After", "x-should-retry", "WWW-Authenticate", "x-ai-generated")


def told(answer: Any) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, the headers a client acts on, and the error without the id of the request."""
    body = answer.json()
    assert list(body) == ["error"]
    assert body["error"].pop("request_id") == answer.headers["x-request-id"]
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, {name: answer.headers[name] for name in TELLING if name in answer.headers}, body["error"]


def refused(status: int, code: str, message: str, **headers: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, named, {"message": message, "code": code}


async def events_of(answer: Any) -> list[dict[str, Any]]:
    """The events of a stream that ends by itself, each exactly as the wire has it."""
    async with asyncio.timeout(10):
        text = b"".join([piece async for piece in answer.streaming_content]).decode()
    frames = text.split("\n\n")
    assert (frames.pop(), "\r" in text) == ("", False)
    events = [frame for frame in frames if frame != ": ping"]
    assert all(frame.startswith('data: {"event": "') and "\n" not in frame for frame in events)
    return [json.loads(frame.removeprefix("data: ")) for frame in events]


async def test_missing_api_key(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER, headers={"authorization": ""})

    message = "No API key was given: send it as `Authorization: Bearer …` or as `x-api-key`."
    assert told(answer) == refused(401, "missing_api_key", message)


async def test_sign_in_is_asked_for_before_the_body_is_read(shop: Shop) -> None:
    answer = await shop.post(PATH, "{broken", headers={"authorization": ""})

    assert told(answer)[2]["code"] == "missing_api_key"


@pytest.mark.parametrize("given", ["Bearer nonsense", "Bearer tt_live_" + "x" * 43, "Basic dXNlcjpwYXNz"])
async def test_invalid_api_key(shop: Shop, given: str) -> None:
    answer = await shop.post(PATH, ORDER, headers={"authorization": given})

    assert told(answer) == refused(401, "invalid_api_key", "The API key is not valid.")


async def test_revoked_api_key(shop: Shop) -> None:
    await shop.behind(lambda: revoke_key(key=ApiKey.unscoped.get()))

    assert told(await shop.post(PATH, ORDER)) == refused(401, "invalid_api_key", "The API key is not valid.")


async def test_permission_denied_for_a_scope(shop: Shop) -> None:
    member = shop.world.caller.member
    _, shop.secret = await shop.behind(
        issue_key, organization=shop.world.customer, member=member, name="reader", live=True, scopes=["generation.read"]
    )

    message = "This needs the permission `generation.create`, which the caller does not hold."
    assert told(await shop.post(PATH, ORDER)) == refused(403, "permission_denied", message)


async def test_permission_denied_for_a_frozen_organization(shop: Shop) -> None:
    shop.world.customer.frozen_at = timezone.now()
    await shop.behind(shop.world.customer.save)

    assert told(await shop.post(PATH, ORDER)) == refused(403, "permission_denied", "This organization is frozen.")


@pytest.mark.parametrize("body", ["{broken", '{"n": NaN}', "[" * 100_000, b'{"a": "\xff"}'])
async def test_malformed_json(shop: Shop, body: str | bytes) -> None:
    assert told(await shop.post(PATH, body)) == refused(400, "malformed_json", "The body is not valid JSON.")


@pytest.mark.parametrize("body", ["[]", '"text"', "7", "null"])
async def test_a_body_that_is_no_object(shop: Shop, body: str) -> None:
    assert told(await shop.post(PATH, body)) == refused(400, "malformed_json", "The body must be a JSON object.")


@pytest.mark.parametrize("body", ["", "{}"])
async def test_missing_parameter(shop: Shop, body: str) -> None:
    message = "Missing required parameter: description"
    assert told(await shop.post(PATH, body)) == refused(400, "missing_parameter", message)


@pytest.mark.parametrize("value", ["1e400", "-1e400", '"NaN"'])
async def test_number_beyond_all_numbers_is_refused(shop: Shop, value: str) -> None:
    answer = await shop.post(PATH, '{"description": "a", "temperature": ' + value + "}")

    message = "Invalid value for parameter temperature: it must be a finite number from 0."
    assert told(answer) == refused(400, "invalid_parameter", message)


async def test_invalid_parameter_by_the_limits_of_the_model(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER | {"description": "风" * 101})

    message = "'description' must be 1-100 characters for test-song; this one is 101."
    assert told(answer) == refused(400, "invalid_parameter", message)


async def test_stereo_needs_a_model_that_has_two_channels(shop: Shop) -> None:
    llm = shop.world.mapping.llm
    llm.capabilities |= {"stereo": False}
    await shop.behind(llm.save)

    answer = await shop.post(PATH, ORDER | {"stereo": True})

    message = "test-song does not take 'stereo'. No model on offer takes it."
    assert told(answer) == refused(400, "unsupported_parameter", message)


@pytest.mark.parametrize("field", ["mbd", "top_k"])
async def test_unsupported_parameter_of_the_model(shop: Shop, field: str) -> None:
    answer = await shop.post(PATH, ORDER | {field: True if field == "mbd" else 10})

    message = f"test-song does not take '{field}'. No model on offer takes it."
    assert told(answer) == refused(400, "unsupported_parameter", message)


async def test_unsupported_parameter_of_the_wire(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER | {"reference_id": "17"})

    message = "The parameter reference_id belongs to another API and cannot be conveyed here. Leave it out."
    assert told(answer) == refused(400, "unsupported_parameter", message)


async def test_model_not_found(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER | {"model": "nobody"})

    message = "There is no model 'nobody' in the catalog 'music_gen'."
    assert told(answer) == refused(404, "model_not_found", message)


@pytest.mark.parametrize("model", [{}, {"model": ""}, {"model": "auto"}])
async def test_model_not_found_where_the_wire_has_no_default(shop: Shop, model: dict[str, str]) -> None:
    answer = await shop.post(PATH, {"description": "a quiet song", **model})

    assert told(answer)[0] == 404
    assert told_code(answer) == "model_not_found"


def told_code(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


async def test_method_not_allowed(shop: Shop) -> None:
    answer = await shop.call("GET", PATH)

    assert told(answer) == refused(405, "method_not_allowed", 'Method "GET" not allowed.')
    assert answer.headers["Allow"] == "POST, OPTIONS"


async def test_body_too_large(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER | {"description": "x" * (1024 * 1024)})

    assert told(answer) == refused(413, "body_too_large", "The body of a call may have at most 1 MiB.")


async def test_idempotency_conflict(shop: Shop) -> None:
    key = {"idempotency-key": "order-1"}
    await shop.post(PATH, ORDER, headers=key)

    answer = await shop.post(PATH, ORDER | {"description": "another song"}, headers=key)

    message = "This idempotency key was used for another order. Use a new key."
    assert told(answer) == refused(409, "idempotency_conflict", message)


async def test_insufficient_quota(shop: Shop) -> None:
    await shop.behind(set_available, organization_id=shop.world.customer.pk, live=True, amount_micro=1, reason="test")

    message = "This order needs 2.50 credits, more than are available. Add credits and order again."
    assert told(await shop.post(PATH, ORDER)) == refused(429, "insufficient_quota", message, x_should_retry="false")


async def test_busy(shop: Shop, settings: Any) -> None:
    settings.TUTTI_QUEUE_LIMIT = 0

    answer = await shop.post(PATH, ORDER)

    message = "Too many songs are waiting already. Try again shortly."
    assert told(answer) == (503, {"Retry-After": "30"}, {"message": message, "code": "busy"})


def refusing(refusal: Exception) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise refusal

    return refuse


@pytest.mark.parametrize("code", sorted(CAUSES))
async def test_an_order_that_is_turned_down(shop: Shop, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(orders, "submit", refusing(Refusal(code, "no")))

    status, headers, error = told(await shop.post(PATH, ORDER))

    assert (status, error) == (STATUS[code], {"message": "no", "code": code})
    assert ("Retry-After" in headers) == (code in ("rate_limit_exceeded", "concurrency_limit_exceeded", "busy"))
    assert ("x-should-retry" in headers) == (status == 429 and "Retry-After" not in headers)


STATUS = {
    **dict.fromkeys(("missing_api_key", "invalid_api_key"), 401),
    "permission_denied": 403,
    **dict.fromkeys(("malformed_json", "missing_parameter", "invalid_parameter", "unsupported_parameter"), 400),
    **dict.fromkeys(("model_not_found", "not_found"), 404),
    "method_not_allowed": 405,
    "body_too_large": 413,
    **dict.fromkeys(("idempotency_conflict", "already_final", "cancelled"), 409),
    **dict.fromkeys(("insufficient_quota", "key_limit_exceeded", "member_limit_exceeded", "org_limit_exceeded"), 429),
    **dict.fromkeys(("rate_limit_exceeded", "concurrency_limit_exceeded"), 429),
    "busy": 503,
    "content_policy": 400,
    **dict.fromkeys(("upstream_error", "bad_audio"), 502),
    "deadline_exceeded": 504,
    "internal_error": 500,
}


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Fault("content_policy", "no"), JobState.FAILED),
        (Fault("upstream_error", "no"), JobState.FAILED),
        (Fault("bad_audio", "no"), JobState.FAILED),
        (Fault("deadline_exceeded", "no"), JobState.EXPIRED),
        (CANCELLED, JobState.CANCELLED),
        (Fault("internal_error", "no"), JobState.FAILED),
    ],
    ids=lambda value: value.code if isinstance(value, Fault) else "",
)
async def test_a_job_that_ends_badly_is_told_in_its_stream(shop: Shop, fault: Fault, state: JobState) -> None:
    answer = await shop.post(PATH, ORDER)
    reading = asyncio.create_task(events_of(answer))
    await shop.behind(settle, (await first_job(shop)).pk, token=None, fault=fault, state=state)

    assert await reading == [{"event": "error", "message": fault.message}]
    assert answer.status_code == 200


async def test_internal_error_tells_nothing_of_itself(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(orders, "submit", refusing(RuntimeError("the secret of the house")))

    answer = await shop.post(PATH, ORDER)

    message = "Something went wrong on our side. Tell us the request id and we find it."
    assert told(answer) == refused(500, "internal_error", message)
    assert f"request {answer.headers['x-request-id']} failed" in caplog.text


async def test_a_song_that_cannot_be_read_is_our_fault(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    answer = await shop.post(PATH, ORDER)
    await shop.finished(await first_job(shop))
    await shop.behind(lambda: default_storage.delete(Track.unscoped.get().file))

    *_, last = await events_of(answer)

    message = "Something went wrong on our side. Tell us the request id and we find it."
    assert last == {"event": "error", "message": message}
    assert f"request {answer.headers['x-request-id']} failed" in caplog.text


async def test_what_is_refused_leaves_nothing_behind(shop: Shop) -> None:
    for body in ({}, ORDER | {"n": 2}, ORDER | {"model": "nobody"}, ORDER | {"duration": 61}):
        await shop.post(PATH, body, headers={"idempotency-key": "order-1"})

    assert await shop.behind(Job.unscoped.count) == 0


async def test_what_django_itself_refuses_is_worded_by_the_wire_of_the_address(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["tutti.example"]

    answer = await AsyncClient().post(PATH, ORDER, content_type="application/json")

    assert told(answer) == refused(400, "malformed_json", "The request could not be understood.")


# --- Who brings no key ------------------------------------------------------------------------------------------


async def test_call_without_a_key_acts_as_the_key_of_the_private_network(shop: Shop, settings: Any) -> None:
    settings.MUSICGEN_DEFAULT_KEY = shop.secret

    answer = await shop.post(PATH, ORDER, headers={"authorization": ""})

    assert answer.status_code == 200
    assert (await first_job(shop)).api_key_id == (await shop.behind(ApiKey.unscoped.get)).pk
    await shop.finished(await first_job(shop))
    assert (await events_of(answer))[-1]["event"] == "completed"


@pytest.mark.parametrize("name", ["authorization", "x-api-key"])
async def test_key_that_is_brought_goes_before_it(shop: Shop, settings: Any, name: str) -> None:
    settings.MUSICGEN_DEFAULT_KEY = shop.secret
    wrong = {"authorization": "Bearer nonsense"} if name == "authorization" else {"authorization": "", name: "nonsense"}

    assert told_code(await shop.post(PATH, ORDER, headers=wrong)) == "invalid_api_key"


async def test_key_of_the_private_network_opens_no_other_wire(shop: Shop, settings: Any) -> None:
    settings.MUSICGEN_DEFAULT_KEY = shop.secret

    answer = await shop.post("/v1/music/generations", {}, headers={"authorization": ""})

    assert told_code(answer) == "missing_api_key"


@pytest.mark.parametrize("key", ["not a key", "tt_live_" + "A" * 43])
async def test_key_of_the_private_network_that_is_none_is_told_to_us_alone(
    shop: Shop, settings: Any, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    settings.MUSICGEN_DEFAULT_KEY = key

    with caplog.at_level(logging.DEBUG):
        answer = await shop.post(PATH, ORDER, headers={"authorization": ""})

    assert told(answer) == refused(401, "invalid_api_key", "The API key is not valid.")
    assert "The key that stands in for callers without one is refused: PrivateNetworkKey" in caplog.text
    assert key not in caplog.text
