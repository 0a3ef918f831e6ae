"""Each row of the error table on the wire `minimax`: always 200, the whole body compared, ids masked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import transaction
from django.test import AsyncClient
from django.utils import timezone

from accounts.models import ApiKey
from accounts.services.api_keys import issue_key, revoke_key
from billing.services.credits import set_available
from generation.api import orders
from generation.contract import Fault, Refusal
from generation.dialects.base import CAUSES
from generation.dialects.minimax_answers import STATUS_CODES
from generation.models import Job, Track
from generation.services.cancel import CANCELLED
from generation.services.settle import settle
from generation.states import JobState
from generation.waiting import waiting_room
from tests.generation.api.test_songs import first_job
from tests.generation.shops import Shop
from tests.generation.worlds import finished

PATH = "/v1/music_generation"
ORDER = {"model": "test-song", "prompt": "a quiet song", "lyrics": "[Verse]\nla la"}
TELLING = ("Retry-After", "x-should-retry", "WWW-Authenticate", "x-ai-generated")


def told(answer: Any) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Status, the headers a client acts on, and the body without the id of the request."""
    body = answer.json()
    request_id = body.pop("trace_id")
    assert re.fullmatch(r"req_[0-9a-f]{24}", request_id)
    assert request_id == answer.headers["Trace-Id"] == answer.headers["x-request-id"]
    assert answer.headers["Content-Type"] == "application/json"
    return answer.status_code, {name: answer.headers[name] for name in TELLING if name in answer.headers}, body


def refused(status_code: int, message: str, **headers: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    body = {
        "data": None,
        "extra_info": None,
        "analysis_info": None,
        "base_resp": {"status_code": status_code, "status_msg": message},
    }
    return 200, {name.replace("_", "-"): value for name, value in headers.items()}, body


def test_every_code_has_its_number() -> None:
    assert list(STATUS_CODES) == list(CAUSES)


async def test_missing_api_key(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER, headers={"authorization": ""})

    message = "No API key was given: send it as `Authorization: Bearer …` or as `x-api-key`."
    assert told(answer) == refused(1004, message)


async def test_sign_in_is_asked_for_before_the_body_is_read(shop: Shop) -> None:
    answer = await shop.post(PATH, "{broken", headers={"authorization": ""})

    assert told(answer)[2]["base_resp"]["status_code"] == 1004


@pytest.mark.parametrize("given", ["Bearer nonsense", "Bearer tt_live_" + "x" * 43, "Basic dXNlcjpwYXNz"])
async def test_invalid_api_key(shop: Shop, given: str) -> None:
    assert told(await shop.post(PATH, ORDER, headers={"authorization": given})) == refused(
        2049, "The API key is not valid."
    )


async def test_revoked_api_key(shop: Shop) -> None:
    await shop.behind(lambda: revoke_key(key=ApiKey.unscoped.get()))

    assert told(await shop.post(PATH, ORDER)) == refused(2049, "The API key is not valid.")


async def test_permission_denied_for_a_scope(shop: Shop) -> None:
    member = shop.world.caller.member
    _, shop.secret = await shop.behind(
        issue_key, organization=shop.world.customer, member=member, name="reader", live=True, scopes=["generation.read"]
    )

    message = "This needs the permission `generation.create`, which the caller does not hold."
    assert told(await shop.post(PATH, ORDER)) == refused(1004, message)


async def test_permission_denied_for_a_frozen_organization(shop: Shop) -> None:
    shop.world.customer.frozen_at = timezone.now()
    await shop.behind(shop.world.customer.save)

    assert told(await shop.post(PATH, ORDER)) == refused(1004, "This organization is frozen.")


@pytest.mark.parametrize("body", ["{broken", '{"n": NaN}', "[" * 100_000, b'{"a": "\xff"}'])
async def test_malformed_json(shop: Shop, body: str | bytes) -> None:
    assert told(await shop.post(PATH, body)) == refused(2013, "The body is not valid JSON.")


@pytest.mark.parametrize("body", ["[]", '"text"', "7", "null"])
async def test_a_body_that_is_no_object(shop: Shop, body: str) -> None:
    assert told(await shop.post(PATH, body)) == refused(2013, "The body must be a JSON object.")


@pytest.mark.parametrize("value", ["absent", None, ""])
@pytest.mark.parametrize("name", ["model", "lyrics"])
async def test_missing_parameter(shop: Shop, name: str, value: str | None) -> None:
    body = {key: given for key, given in ORDER.items() if key != name} | ({} if value == "absent" else {name: value})

    assert told(await shop.post(PATH, body)) == refused(2013, f"Missing required parameter: {name}")


async def test_missing_prompt_by_the_row_of_the_model(shop: Shop) -> None:
    assert told(await shop.post(PATH, ORDER | {"prompt": ""})) == refused(2013, "Missing required parameter: prompt")


async def test_invalid_parameter(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER | {"audio_setting": {"sample_rate": 48_000}})

    message = "Invalid value for parameter audio_setting.sample_rate: it must be one of 16000, 24000, 32000, 44100."
    assert told(answer) == refused(2013, message)


async def test_invalid_parameter_by_the_limits_of_the_model(shop: Shop) -> None:
    llm = shop.world.mapping.llm
    llm.limits = {"prompt": [10, 2000], "lyrics": [10, 3500]}
    await shop.behind(llm.save)

    # Code points after NFC: each of these is two before it.
    short = await shop.post(PATH, ORDER | {"prompt": "e\u0301" * 9})
    long = await shop.post(PATH, ORDER | {"lyrics": "风" * 3501})

    assert told(short) == refused(2013, "'prompt' must be 10-2000 characters for test-song; this one is 9.")
    assert told(long) == refused(2013, "'lyrics' must be 10-3500 characters for test-song; this one is 3501.")


async def test_link_of_a_stream_is_refused(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER | {"stream": True, "output_format": "url"})

    message = "Invalid value for parameter output_format: it must be hex when `stream` is true."
    assert told(answer) == refused(2013, message)


async def test_unsupported_parameter_of_the_model(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER | {"lyrics_optimizer": True})

    message = "test-song does not take 'lyrics_optimizer'. No model on offer takes it."
    assert told(answer) == refused(2013, message)


async def test_unsupported_parameter_of_the_wire(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER | {"reference_id": "17"})

    message = "The parameter reference_id belongs to another API and cannot be conveyed here. Leave it out."
    assert told(answer) == refused(2013, message)


async def test_model_not_found(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER | {"model": "nobody"})

    assert told(answer) == refused(2013, "There is no model 'nobody' in the catalog 'music_gen'.")


async def test_method_not_allowed(shop: Shop) -> None:
    answer = await shop.call("GET", PATH)

    assert told(answer) == refused(2013, 'Method "GET" not allowed.')
    assert answer.headers["Allow"] == "POST, OPTIONS"


async def test_body_too_large(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER | {"prompt": "x" * (1024 * 1024)})

    assert told(answer) == refused(2013, "The body of a call may have at most 1 MiB.")


async def test_idempotency_conflict(shop: Shop) -> None:
    key = {"idempotency-key": "order-1"}
    waiting = asyncio.create_task(shop.post(PATH, ORDER, headers=key))
    job = await first_job(shop)

    answer = await shop.post(PATH, ORDER | {"prompt": "another song"}, headers=key)

    assert told(answer) == refused(2013, "This idempotency key was used for another order. Use a new key.")
    await shop.finished(job)
    await waiting


async def test_insufficient_quota(shop: Shop) -> None:
    await shop.behind(set_available, organization_id=shop.world.customer.pk, live=True, amount_micro=1, reason="test")

    message = "This order needs 2.50 credits, more than are available. Add credits and order again."
    assert told(await shop.post(PATH, ORDER)) == refused(1008, message, x_should_retry="false")


async def test_busy(shop: Shop, settings: Any) -> None:
    settings.TUTTI_QUEUE_LIMIT = 0

    answer = await shop.post(PATH, ORDER)

    assert told(answer) == (
        200,
        {"Retry-After": "30"},
        refused(1002, "Too many songs are waiting already. Try again shortly.")[2],
    )


def refusing(refusal: Exception) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise refusal

    return refuse


@pytest.mark.parametrize(
    ("code", "status_code", "headers"),
    [
        ("key_limit_exceeded", 1008, {"x-should-retry": "false"}),
        ("member_limit_exceeded", 1008, {"x-should-retry": "false"}),
        ("org_limit_exceeded", 1008, {"x-should-retry": "false"}),
        ("rate_limit_exceeded", 1002, {"Retry-After": "1"}),
        ("concurrency_limit_exceeded", 1002, {"Retry-After": "5"}),
        ("not_found", 2013, {}),
        ("already_final", 2013, {}),
        ("content_policy", 1026, {}),
    ],
)
async def test_an_order_that_is_turned_down(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, code: str, status_code: int, headers: dict[str, str]
) -> None:
    monkeypatch.setattr(orders, "submit", refusing(Refusal(code, "no")))

    assert told(await shop.post(PATH, ORDER)) == (200, headers, refused(status_code, "no")[2])


@pytest.mark.parametrize(
    ("fault", "state", "status_code", "headers"),
    [
        (Fault("content_policy", "no"), JobState.FAILED, 1026, {}),
        (Fault("content_policy", "no", "lyrics"), JobState.FAILED, 1026, {}),
        (Fault("content_policy", "no", "audio"), JobState.FAILED, 1027, {}),
        (Fault("upstream_error", "no"), JobState.FAILED, 1000, {"x-should-retry": "false"}),
        (Fault("bad_audio", "no"), JobState.FAILED, 1000, {"x-should-retry": "false"}),
        (Fault("deadline_exceeded", "no"), JobState.EXPIRED, 1001, {"x-should-retry": "false"}),
        (CANCELLED, JobState.CANCELLED, 1000, {"x-should-retry": "false"}),
        (Fault("internal_error", "no"), JobState.FAILED, 1033, {"x-should-retry": "false"}),
    ],
    ids=lambda value: value.code if isinstance(value, Fault) else "",
)
async def test_a_job_that_ends_badly(
    shop: Shop, fault: Fault, state: JobState, status_code: int, headers: dict[str, str]
) -> None:
    waiting = asyncio.create_task(shop.post(PATH, ORDER))
    job = await first_job(shop)
    await shop.behind(settle, job.pk, token=None, fault=fault, state=state)

    assert told(await waiting) == (200, headers, refused(status_code, fault.message)[2])


async def test_internal_error_tells_nothing_of_itself(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(orders, "submit", refusing(RuntimeError("the secret of the house")))

    answer = await shop.post(PATH, ORDER)

    message = "Something went wrong on our side. Tell us the request id and we find it."
    assert told(answer) == refused(1033, message)
    assert f"request {answer.headers['x-request-id']} failed" in caplog.text


async def test_a_failure_after_the_wait_is_told_in_the_words_of_the_wire(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    waiting = asyncio.create_task(shop.post(PATH, ORDER))
    job = await first_job(shop)
    await shop.behind(finished_without_file, job)

    answer = await waiting

    message = "Something went wrong on our side. Tell us the request id and we find it."
    assert told(answer) == refused(1033, message)
    assert f"request {answer.headers['x-request-id']} failed" in caplog.text


def finished_without_file(job: Job) -> None:
    """The song is delivered, and nobody hears of it before its file is gone."""
    with transaction.atomic():
        finished(job)
        default_storage.delete(Track.unscoped.get().file)


async def test_one_who_waits_is_told_to_come_back_when_the_process_stops(shop: Shop) -> None:
    waiting = asyncio.create_task(shop.post(PATH, ORDER))
    async with asyncio.timeout(10):
        while not waiting_room()._watchers:
            await asyncio.sleep(0.01)
    waiting_room().close_all()

    status, _, body = told(await waiting)

    assert (status, body["data"], body["extra_info"]) == (200, {"audio": "", "status": 1}, None)
    assert body["base_resp"]["status_code"] == 1001
    assert await shop.behind(lambda: Job.unscoped.get().state) == JobState.QUEUED


async def test_what_is_refused_leaves_nothing_behind(shop: Shop) -> None:
    for body in ({}, ORDER | {"n": 2}, ORDER | {"model": "nobody"}, ORDER | {"stream": True, "output_format": "url"}):
        await shop.post(PATH, body, headers={"idempotency-key": "order-1"})

    assert await shop.behind(Job.unscoped.count) == 0


async def test_what_django_itself_refuses_is_worded_by_the_wire_of_the_address(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["tutti.example"]

    on_the_wire = await AsyncClient().post(PATH, ORDER, content_type="application/json")
    elsewhere = await AsyncClient().get("/v1/nowhere")

    assert told(on_the_wire) == refused(2013, "The request could not be understood.")
    assert (elsewhere.status_code, elsewhere.json()["error"]["code"]) == (400, "malformed_json")
