"""Each row of the error table on the wire `mureka`, in both its envelopes: the whole body is compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import AsyncClient
from django.utils import timezone

from accounts.models import ApiKey
from accounts.services.api_keys import issue_key, revoke_key
from accounts.tenancy import system_scope
from billing.services.credits import set_available
from generation.api import orders
from generation.contract import Fault, Refusal
from generation.dialects.digits import digits_of
from generation.models import Job
from generation.services.cancel import CANCELLED
from generation.services.settle import settle
from generation.states import JobState
from tests.generation.api.muse import FORMS, MAAS, OFFICIAL, ORDER, Form, asked, refused, task_of
from tests.generation.shops import Shop
from tests.generation.worlds import caller_of

NOBODY = digits_of("01890a5d-ac96-774b-bcce-b302099a8057")
ROUTES = [
    *((form, "POST", path) for form in FORMS for path in (form.generate, form.extend)),
    *((form, "GET", f"{form.query}/{NOBODY}") for form in FORMS),
    (OFFICIAL, "POST", "/v1/instrumental/generate"),
    (OFFICIAL, "GET", f"/v1/instrumental/query/{NOBODY}"),
]
NO_KEY = "No API key was given: send it as `Authorization: Bearer …` or as `x-api-key`."
OUR_FAULT = "Something went wrong on our side. Tell us the request id and we find it."


@pytest.mark.parametrize(("form", "method", "path"), ROUTES)
async def test_missing_api_key(muse: Shop, form: Form, method: str, path: str) -> None:
    answer = await muse.call(method, path, headers={"authorization": ""}, data="{broken")

    assert form.told(answer) == refused(401, NO_KEY)


@pytest.mark.parametrize(("form", "method", "path"), ROUTES)
async def test_invalid_api_key(muse: Shop, form: Form, method: str, path: str) -> None:
    answer = await muse.call(method, path, headers={"authorization": "Bearer tt_live_" + "x" * 43})

    assert form.told(answer) == refused(401, "The API key is not valid.")


async def test_revoked_api_key(muse: Shop, form: Form) -> None:
    await muse.behind(lambda: revoke_key(key=ApiKey.unscoped.get()))

    assert form.told(await muse.post(form.generate, ORDER)) == refused(401, "The API key is not valid.")


async def test_permission_denied_for_a_scope(muse: Shop, form: Form) -> None:
    member = muse.world.caller.member
    _, muse.secret = await muse.behind(
        issue_key, organization=muse.world.customer, member=member, name="reader", live=True, scopes=["catalog.read"]
    )

    told = [
        form.told(await muse.post(form.generate, ORDER)),
        form.told(await muse.get(f"{form.query}/{NOBODY}")),
    ]

    message = "This needs the permission `{}`, which the caller does not hold."
    assert told == [
        refused(403, message.format("generation.create")),
        refused(403, message.format("generation.read")),
    ]


async def test_permission_denied_for_a_frozen_organization(muse: Shop, form: Form) -> None:
    muse.world.customer.frozen_at = timezone.now()
    await muse.behind(muse.world.customer.save)

    assert form.told(await muse.post(form.generate, ORDER)) == refused(403, "This organization is frozen.")


@pytest.mark.parametrize("body", ["{broken", '{"n": NaN}', b'{"a": "\xff"}'])
async def test_malformed_json(muse: Shop, form: Form, body: str | bytes) -> None:
    assert form.told(await muse.post(form.generate, body)) == refused(400, "The body is not valid JSON.")


async def test_a_body_that_is_no_object(muse: Shop, form: Form) -> None:
    assert form.told(await muse.post(form.extend, "[]")) == refused(400, "The body must be a JSON object.")


@pytest.mark.parametrize("value", ["absent", None, ""])
async def test_missing_parameter(muse: Shop, form: Form, value: str | None) -> None:
    body = {"prompt": "x"} | ({} if value == "absent" else {"lyrics": value})

    assert form.told(await muse.post(form.generate, body)) == refused(400, "Missing required parameter: lyrics")


async def test_invalid_parameter(muse: Shop, form: Form) -> None:
    answer = await muse.post(form.generate, ORDER | {"n": 4})

    assert form.told(answer) == refused(400, "Invalid value for parameter n: it must be a whole number from 1 to 3.")


async def test_invalid_parameter_by_the_limits_of_the_model(muse: Shop, form: Form) -> None:
    # Code points after NFC: each of these is two before it.
    fits = await muse.post(form.generate, ORDER | {"prompt": "e\u0301" * 1024})
    long = await muse.post(form.generate, ORDER | {"prompt": "风" * 1025})

    assert fits.status_code == 200
    assert form.told(long) == refused(400, "'prompt' must be 0-1024 characters for test-song; this one is 1025.")


async def test_exclusion_names_both_fields(muse: Shop, form: Form) -> None:
    answer = await muse.post(form.generate, ORDER | {"melody_id": "17"})

    message = "The parameters prompt and melody_id exclude each other. Leave out one of them."
    assert form.told(answer) == refused(400, message)


async def test_unsupported_parameter_of_the_model(muse: Shop, form: Form) -> None:
    llm = muse.world.mapping.llm
    llm.capabilities = llm.capabilities | {"streaming": "refused"}
    await muse.behind(llm.save)

    answer = await muse.post(form.generate, ORDER | {"stream": True})

    assert form.told(answer) == refused(400, "test-song does not take 'stream'. No model on offer takes it.")


async def test_unsupported_parameter_of_the_wire(muse: Shop, form: Form) -> None:
    answer = await muse.post(form.generate, ORDER | {"duration": 15})

    message = "The parameter duration belongs to another API and cannot be conveyed here. Leave it out."
    assert form.told(answer) == refused(400, message)


async def test_a_model_that_continues_nothing_is_told_by_the_field(muse: Shop) -> None:
    llm = muse.world.mapping.llm
    llm.capabilities = llm.capabilities | {"extend": False}
    await muse.behind(llm.save)
    body = {"lyrics": "la", "extend_at": "8000"}

    told = [MAAS.told(await muse.post(MAAS.extend, body | {name: "17"})) for name in ("song_id", "upload_audio_id")]

    message = "test-song does not take '{}'. No model on offer takes it."
    assert told == [refused(400, message.format("song_id")), refused(400, message.format("upload_audio_id"))]


async def test_another_model_than_the_endpoints(muse: Shop) -> None:
    answer = await muse.post(MAAS.generate, ORDER | {"model": "mureka-9"})

    message = "The endpoint 'corner' is for test-song, not for 'mureka-9'."
    assert MAAS.told(answer) == refused(400, message)


async def test_endpoint_not_found(muse: Shop) -> None:
    answer = await muse.post("/v1/ai/nowhere/mureka/song/generate", ORDER)

    assert MAAS.told(answer) == refused(404, "There is no endpoint 'nowhere'.")


async def test_model_not_found(muse: Shop) -> None:
    answer = await muse.post(OFFICIAL.generate, ORDER | {"model": "nobody"})

    assert OFFICIAL.told(answer) == refused(404, "There is no model 'nobody' in the catalog 'music_gen'.")


async def test_no_model_is_the_wires_own(muse: Shop) -> None:
    mapping = muse.world.mapping
    mapping.default_for_wires = ["musicgen"]
    await muse.behind(mapping.save)

    answer = await muse.post(OFFICIAL.generate, ORDER)

    assert OFFICIAL.told(answer) == refused(404, "There is no model '' in the catalog 'music_gen'.")


@pytest.mark.parametrize("task_id", [NOBODY, "0", "-1", "abc", "1.5", "01", "9" * 39, "1" * 5000, "%EF%BC%91"])
async def test_not_found(muse: Shop, form: Form, task_id: str) -> None:
    assert form.told(await muse.get(f"{form.query}/{task_id}")) == refused(404, "There is no such song.")


async def test_the_id_of_another_wire_is_none_here(muse: Shop, form: Form) -> None:
    _, job = await task_of(muse, form)

    assert form.told(await muse.get(f"{form.query}/{job.pk}")) == refused(404, "There is no such song.")


async def test_a_foreign_task_reads_as_a_missing_one(muse: Shop, form: Form) -> None:
    task_id, _ = await task_of(muse, form)
    with system_scope():
        stranger = await muse.behind(foreign_key, muse)

    foreign = await muse.get(f"{form.query}/{task_id}", headers={"authorization": f"Bearer {stranger}"})

    assert form.told(foreign) == refused(404, "There is no such song.")


def foreign_key(shop: Shop) -> str:
    caller = caller_of(shop.world.seller)
    _, secret = issue_key(organization=shop.world.seller, member=caller.member, name="foreign", live=True)
    return secret


async def test_a_task_of_a_test_key_is_none_of_a_live_one(muse: Shop, form: Form) -> None:
    task_id, _ = await task_of(muse, form)
    member = muse.world.caller.member
    _, muse.secret = await muse.behind(
        issue_key, organization=muse.world.customer, member=member, name="test", live=False
    )

    assert form.told(await muse.get(f"{form.query}/{task_id}")) == refused(404, "There is no such song.")


@pytest.mark.parametrize(("form", "method", "path"), ROUTES)
async def test_method_not_allowed(muse: Shop, form: Form, method: str, path: str) -> None:
    other = "GET" if method == "POST" else "POST"

    answer = await muse.call(other, path)

    assert form.told(answer) == refused(405, f'Method "{other}" not allowed.')
    assert answer.headers["Allow"] == f"{method}, OPTIONS".replace("GET,", "GET, HEAD,")


async def test_body_too_large(muse: Shop, form: Form) -> None:
    answer = await muse.post(form.generate, ORDER | {"prompt": "x" * (1024 * 1024)})

    assert form.told(answer) == refused(413, "The body of a call may have at most 1 MiB.")


async def test_idempotency_conflict(muse: Shop, form: Form) -> None:
    await task_of(muse, form, transno="order-1")

    answer = await muse.post(form.generate, ORDER | {"transno": "order-1", "n": 2})

    assert form.told(answer) == refused(409, "This idempotency key was used for another order. Use a new key.")


async def test_insufficient_quota(muse: Shop, form: Form) -> None:
    await muse.behind(set_available, organization_id=muse.world.customer.pk, live=True, amount_micro=1, reason="test")

    message = "This order needs 2.50 credits, more than are available. Add credits and order again."
    assert form.told(await muse.post(form.generate, ORDER)) == refused(429, message, x_should_retry="false")


async def test_busy(muse: Shop, form: Form, settings: Any) -> None:
    settings.TUTTI_QUEUE_LIMIT = 0

    answer = await muse.post(form.generate, ORDER)

    message = "Too many songs are waiting already. Try again shortly."
    assert form.told(answer) == (503, {"Retry-After": "30"}, message)


def refusing(refusal: Exception) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise refusal

    return refuse


@pytest.mark.parametrize(
    ("code", "status", "headers"),
    [
        ("key_limit_exceeded", 429, {"x-should-retry": "false"}),
        ("member_limit_exceeded", 429, {"x-should-retry": "false"}),
        ("org_limit_exceeded", 429, {"x-should-retry": "false"}),
        ("rate_limit_exceeded", 429, {"Retry-After": "1"}),
        ("concurrency_limit_exceeded", 429, {"Retry-After": "5"}),
        ("not_found", 404, {}),
        ("already_final", 409, {}),
        ("content_policy", 400, {}),
    ],
)
async def test_an_order_that_is_turned_down(
    muse: Shop, form: Form, monkeypatch: pytest.MonkeyPatch, code: str, status: int, headers: dict[str, str]
) -> None:
    monkeypatch.setattr(orders, "submit", refusing(Refusal(code, "no")))

    assert form.told(await muse.post(form.generate, ORDER)) == (status, headers, "no")


@pytest.mark.parametrize(
    ("fault", "state", "status"),
    [
        (Fault("content_policy", "no"), JobState.FAILED, "failed"),
        (Fault("content_policy", "no", "audio"), JobState.FAILED, "failed"),
        (Fault("upstream_error", "no"), JobState.FAILED, "failed"),
        (Fault("bad_audio", "no"), JobState.FAILED, "failed"),
        (Fault("internal_error", "no"), JobState.FAILED, "failed"),
        (Fault("deadline_exceeded", "no"), JobState.EXPIRED, "timeouted"),
        (CANCELLED, JobState.CANCELLED, "cancelled"),
    ],
    ids=lambda value: value.code if isinstance(value, Fault) else "",
)
async def test_a_song_that_failed_is_no_failed_call(
    muse: Shop, form: Form, fault: Fault, state: JobState, status: str
) -> None:
    task_id, job = await task_of(muse, form)
    await muse.behind(settle, job.pk, token=None, fault=fault, state=state)
    ended = await muse.job(str(job.pk))
    assert ended.finished_at is not None

    task = await asked(muse, form, task_id)

    assert task == {
        "id": task_id,
        "created_at": int(job.created_at.timestamp()),
        "finished_at": int(ended.finished_at.timestamp()),
        "model": "test-song",
        "status": status,
        "failed_reason": fault.message,
        "watermarked": None,
        "choices": None,
    }


async def test_internal_error_tells_nothing_of_itself(
    muse: Shop, form: Form, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(orders, "submit", refusing(RuntimeError("the secret of the house")))

    answer = await muse.post(form.generate, ORDER)

    assert form.told(answer) == refused(500, OUR_FAULT)
    assert f"request {answer.headers['x-request-id']} failed" in caplog.text


async def test_what_is_refused_leaves_nothing_behind(muse: Shop, form: Form) -> None:
    for body in ({}, ORDER | {"n": 4}, ORDER | {"melody_id": "17"}, ORDER | {"mbd": True}):
        await muse.post(form.generate, body, headers={"idempotency-key": "order-1"})

    assert await muse.behind(Job.unscoped.count) == 0


async def test_what_django_itself_refuses_is_worded_by_the_envelope_of_the_address(form: Form, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["tutti.example"]

    answer = await AsyncClient().post(form.generate, ORDER, content_type="application/json")

    assert form.told(answer) == refused(400, "The request could not be understood.")
