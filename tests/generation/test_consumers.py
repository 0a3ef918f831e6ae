from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
import time_machine
from channels.testing import WebsocketCommunicator
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey, Membership, Role
from accounts.services.api_keys import issue_key, revoke_key
from generation import consumers
from generation.consumers import LARGEST_FRAME, Jobs
from generation.services.cancel import cancel_job
from generation.waiting import waiting_room
from tests.generation.shops import Shop
from tests.generation.worlds import claimed, finished

pytestmark = pytest.mark.both_databases

SECONDS = 10
Socket: TypeAlias = Any  # Channels has no types


@asynccontextmanager
async def socket(
    shop: Shop, *, headers: dict[str, str] | None = None, query: str = "", application: Any = None
) -> AsyncIterator[Socket]:
    """An open socket; signed in with the shop's key unless other headers are given."""
    given = {"host": "testserver", **(shop.headers if headers is None else headers)}
    raw = [(name.encode(), value.encode()) for name, value in given.items()]
    communicator = WebsocketCommunicator(application or Jobs.as_asgi(), f"/ws/v1/jobs?{query}", headers=raw)
    assert (await communicator.connect())[0]
    yield communicator
    await communicator.disconnect()


async def close_code(communicator: Socket) -> int:
    closed = await communicator.receive_output(timeout=SECONDS)
    assert closed["type"] == "websocket.close"
    return closed["code"]


async def say(communicator: Socket, **message: Any) -> None:
    await communicator.send_json_to(message)


async def heard(communicator: Socket) -> dict[str, Any]:
    return await communicator.receive_json_from(timeout=SECONDS)


async def follow(communicator: Socket, job_id: object, **more: Any) -> dict[str, Any]:
    await say(communicator, type="subscribe", id=str(job_id), **more)
    return await heard(communicator)


# --- Sign-in --------------------------------------------------------------------------------------------------------


async def is_signed_in(communicator: Socket) -> bool:
    await say(communicator, type="ping")
    answer = await communicator.receive_output(timeout=SECONDS)
    return answer["type"] == "websocket.send" and json.loads(answer["text"]) == {"type": "pong"}


async def test_a_key_in_a_header_signs_in(shop: Shop) -> None:
    async with socket(shop) as bearer, socket(shop, headers={"x-api-key": shop.secret}) as plain:
        assert await is_signed_in(bearer)
        assert await is_signed_in(plain)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer tt_live_no"}, {"cookie": "sessionid=nobody"}])
async def test_no_sign_in_that_holds_is_closed_with_4401(shop: Shop, headers: dict[str, str]) -> None:
    async with socket(shop, headers=headers) as communicator:
        assert await close_code(communicator) == 4401


async def test_a_caller_who_may_not_read_is_closed_with_4403(shop: Shop) -> None:
    _, shop.secret = await shop.behind(
        issue_key,
        organization=shop.world.customer,
        member=None,
        name="orders only",
        live=True,
        scopes=["generation.create"],
    )
    async with socket(shop) as communicator:
        assert await close_code(communicator) == 4403


async def ticket(shop: Shop) -> str:
    return (await shop.post("/v1/ws_tickets")).json()["ticket"]


async def test_a_ticket_signs_in_once(shop: Shop) -> None:
    query = f"ticket={await ticket(shop)}"
    async with socket(shop, headers={}, query=query) as first, socket(shop, headers={}, query=query) as second:
        assert await is_signed_in(first)
        assert await close_code(second) == 4401


async def test_a_ticket_ends_after_a_minute(shop: Shop) -> None:
    query = f"ticket={await ticket(shop)}"
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        async with socket(shop, headers={}, query=query) as communicator:
            assert await close_code(communicator) == 4401


async def test_a_ticket_of_a_revoked_key_is_worth_nothing(shop: Shop) -> None:
    query = f"ticket={await ticket(shop)}"
    await shop.behind(lambda: revoke_key(key=ApiKey.unscoped.get()))
    async with socket(shop, headers={}, query=query) as communicator:
        assert await close_code(communicator) == 4401


@pytest.mark.parametrize(
    ("origin", "is_let_in"),
    [
        ("http://testserver", True),
        ("http://127.0.0.1:8000", True),
        ("http://testserver.example.org", False),
        ("null", False),
        ("", False),
    ],
)
async def test_a_session_signs_in_from_our_own_pages_only(shop: Shop, origin: str, is_let_in: bool) -> None:
    client = Client()
    await shop.behind(client.force_login, shop.user)
    headers = {"cookie": f"sessionid={client.cookies['sessionid'].value}", "origin": origin}
    async with socket(shop, headers=headers) as communicator:
        if is_let_in:
            assert await is_signed_in(communicator)
        else:
            assert await close_code(communicator) == 4401


# --- Events ---------------------------------------------------------------------------------------------------------


async def test_a_job_is_followed_from_its_start(shop: Shop) -> None:
    job = await shop.finished(await shop.ordered())
    async with socket(shop) as communicator:
        assert await follow(communicator, job.pk) == {"type": "subscribed", "id": str(job.pk), "seq": 4}

        events = [await heard(communicator) for _ in range(4)]

    assert [(event["seq"], event["type"]) for event in events] == [
        (1, "queued"),
        (2, "started"),
        (3, "take"),
        (4, "succeeded"),
    ]
    assert events[-1]["status"] == "SUCCEEDED"


async def test_a_job_is_followed_after_what_was_seen(shop: Shop) -> None:
    job = await shop.finished(await shop.ordered())
    async with socket(shop) as communicator:
        await follow(communicator, job.pk, after=3)

        assert (await heard(communicator))["type"] == "succeeded"
        assert await communicator.receive_nothing()


async def test_events_of_a_job_that_is_followed_twice_arrive_in_order_and_once(shop: Shop) -> None:
    job = await shop.ordered()
    async with socket(shop) as communicator:
        await follow(communicator, job.pk)
        queued = await heard(communicator)
        await follow(communicator, "*")
        await shop.behind(finished, job)

        events = [queued, *[await heard(communicator) for _ in range(3)]]
        assert await communicator.receive_nothing(timeout=1.5)

    assert [event["seq"] for event in events] == [1, 2, 3, 4]


async def test_all_jobs_are_followed_from_now_on(shop: Shop) -> None:
    await shop.finished(await shop.ordered())
    running = await shop.ordered(prompt="under way")
    async with socket(shop) as communicator:
        assert await follow(communicator, "*") == {"type": "subscribed", "id": "*", "seq": 0}
        await shop.behind(cancel_job, running.pk, caller=shop.world.caller)
        assert (await heard(communicator))["type"] == "cancelled"

        after = await shop.ordered(prompt="new")
        event = await heard(communicator)
        assert (event["id"], event["type"]) == (str(after.pk), "queued")
        assert await communicator.receive_nothing(timeout=1.5)


async def test_jobs_of_others_are_not_among_all_jobs(shop: Shop) -> None:
    _, other = await shop.behind(issue_key, organization=shop.world.seller, member=None, name="other", live=True)
    async with socket(shop, headers={"authorization": f"Bearer {other}"}) as communicator:
        await follow(communicator, "*")
        await shop.ordered()

        assert await communicator.receive_nothing(timeout=1.5)


async def test_what_is_not_followed_any_more_is_not_told(shop: Shop) -> None:
    job = await shop.ordered()
    async with socket(shop) as communicator:
        await follow(communicator, job.pk)
        await heard(communicator)
        await say(communicator, type="unsubscribe", id=str(job.pk))
        await say(communicator, type="ping")
        assert await heard(communicator) == {"type": "pong"}
        await shop.behind(claimed, job)

        assert await communicator.receive_nothing(timeout=1.5)


async def test_all_jobs_are_forgotten_but_those_named(shop: Shop) -> None:
    named, other = await shop.ordered(), await shop.ordered()
    async with socket(shop) as communicator:
        await follow(communicator, "*")
        await follow(communicator, named.pk, after=1)
        await say(communicator, type="unsubscribe", id="*")
        await say(communicator, type="ping")
        await heard(communicator)
        await shop.behind(claimed, other)
        await shop.behind(claimed, named)

        event = await heard(communicator)
        assert (event["id"], event["type"]) == (str(named.pk), "started")
        assert await communicator.receive_nothing()


# --- Refusals -------------------------------------------------------------------------------------------------------


async def test_foreign_and_missing_jobs_are_refused_alike(shop: Shop) -> None:
    job = await shop.ordered()
    _, other = await shop.behind(issue_key, organization=shop.world.seller, member=None, name="other", live=True)
    async with socket(shop, headers={"authorization": f"Bearer {other}"}) as communicator:
        foreign = await follow(communicator, job.pk)
        missing = await follow(communicator, "01890a5d-ac96-774b-bcce-b302099a8057")
        nonsense = await follow(communicator, "6f3c")

    assert [foreign.pop("id"), missing.pop("id"), nonsense.pop("id")] == [
        str(job.pk),
        "01890a5d-ac96-774b-bcce-b302099a8057",
        "6f3c",
    ]
    assert [foreign, missing, nonsense] == 3 * [
        {"type": "error", "code": "not_found", "message": "There is no such song."}
    ]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({}, "invalid_parameter"),
        ({"type": "dance"}, "invalid_parameter"),
        ({"type": "subscribe"}, "missing_parameter"),
        ({"type": "subscribe", "id": 7}, "missing_parameter"),
        ({"type": "subscribe", "id": "x", "after": -1}, "invalid_parameter"),
        ({"type": "subscribe", "id": "x", "after": "1"}, "invalid_parameter"),
    ],
)
async def test_what_is_not_understood_is_refused_and_the_socket_stays(
    shop: Shop, message: dict[str, Any], code: str
) -> None:
    async with socket(shop) as communicator:
        await say(communicator, **message)
        assert (await heard(communicator))["code"] == code
        assert await is_signed_in(communicator)


async def test_a_frame_over_64_kb_is_refused(shop: Shop) -> None:
    async with socket(shop) as communicator:
        await communicator.send_to(text_data=json.dumps({"type": "ping", "x": "y" * LARGEST_FRAME}))
        assert (await heard(communicator))["code"] == "body_too_large"
        assert await is_signed_in(communicator)


@pytest.mark.parametrize("frame", [{"text_data": "{broken"}, {"text_data": "[" * 60_000}, {"bytes_data": b"\x00"}])
async def test_what_is_no_json_closes_with_4400(shop: Shop, frame: dict[str, Any]) -> None:
    async with socket(shop) as communicator:
        await communicator.send_to(**frame)
        assert await close_code(communicator) == 4400


# --- Ends -----------------------------------------------------------------------------------------------------------


def revoke() -> None:
    revoke_key(key=ApiKey.unscoped.get())


def make_it_expire() -> None:
    ApiKey.unscoped.update(expires_at=timezone.now())


def take_the_member_out() -> None:
    ApiKey.unscoped.update(scopes=["generation.create"])


def freeze() -> None:
    key = ApiKey.unscoped.select_related("organization").get()
    key.organization.frozen_at = timezone.now()
    key.organization.save()


@pytest.mark.parametrize("lose", [revoke, make_it_expire, take_the_member_out, freeze])
async def test_a_right_that_is_lost_closes_with_4403_within_a_second(shop: Shop, lose: Callable[[], None]) -> None:
    async with socket(shop) as communicator:
        assert await is_signed_in(communicator)
        await shop.behind(lose)

        closed = await communicator.receive_output(timeout=1)
        assert (closed["type"], closed["code"]) == ("websocket.close", 4403)


async def test_a_session_of_a_member_who_left_is_closed(shop: Shop) -> None:
    client = Client()
    await shop.behind(client.force_login, shop.user)
    headers = {"cookie": f"sessionid={client.cookies['sessionid'].value}", "origin": "http://testserver"}
    async with socket(shop, headers=headers) as communicator:
        assert await is_signed_in(communicator)
        await shop.behind(lambda: Membership.unscoped.update(role=Role.VIEWER))
        await asyncio.sleep(0.6)
        assert await is_signed_in(communicator)
        await shop.behind(ApiKey.unscoped.all().delete)
        await shop.behind(Membership.unscoped.all().delete)

        assert await close_code(communicator) == 4403


async def test_a_process_that_stops_closes_with_1001(shop: Shop) -> None:
    async with socket(shop) as communicator:
        assert await is_signed_in(communicator)
        waiting_room().close_all()

        assert await close_code(communicator) == 1001


async def test_a_reader_that_does_not_read_is_closed_with_4408(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "SEND_SECONDS", 0.05)
    consumer = Jobs.as_asgi()

    async def with_a_full_pipe(scope: Any, receive: Any, send: Any) -> None:
        async def send_or_hang(message: dict[str, Any]) -> None:
            if message["type"] == "websocket.send":
                await asyncio.Event().wait()
            await send(message)

        await consumer(scope, receive, send_or_hang)

    async with socket(shop, application=with_a_full_pipe) as communicator:
        await say(communicator, type="ping")

        assert await close_code(communicator) == 4408
