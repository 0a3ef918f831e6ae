from __future__ import annotations

import asyncio
import json

import pytest

from accounts.services.api_keys import issue_key
from generation.models import Job
from generation.services.cancel import cancel_job
from generation.services.settle import settle
from generation.states import JobState
from generation.waiting import waiting_room
from tests.generation.shops import ORDER, SONGS, Shop
from tests.generation.worlds import SONG_PRICE, wav

pytestmark = pytest.mark.both_databases


async def test_a_song_is_waited_for_and_answered_whole(shop: Shop) -> None:
    waiting = asyncio.create_task(shop.post(body=ORDER))
    job = await first_job(shop)
    await shop.finished(job)

    answer = await waiting

    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["x-ai-generated"] == "true"
    assert answer.headers["x-request-id"].startswith("req_")
    assert body["audio"] == body["audios"][0]["audio"]
    assert body["audio"].endswith("/test-song-1.mp3")
    assert {name: body[name] for name in ("id", "object", "model", "status", "created", "duration", "usage")} == {
        "id": str(job.pk),
        "object": "music.generation",
        "model": "test-song",
        "status": "SUCCEEDED",
        "created": int(job.created_at.timestamp()),
        "duration": body["audios"][0]["duration"],
        "usage": {"price": "2.50", "currency": "credits", "micro_credits": SONG_PRICE},
    }


async def first_job(shop: Shop) -> Job:
    async with asyncio.timeout(10):
        while (job := await shop.behind(Job.unscoped.first)) is None:
            await asyncio.sleep(0.01)
    return job


async def test_an_order_that_is_not_awaited_is_answered_at_once(shop: Shop) -> None:
    answer = await shop.post(body=ORDER, headers={"prefer": "respond-async"})

    body = answer.json()
    assert (answer.status_code, body["status"], body["audio"], body["usage"]) == (202, "PENDING", None, None)
    assert answer.headers["preference-applied"] == "respond-async"
    assert answer.headers["location"] == body["urls"]["get"]


async def test_a_wait_that_is_over_answers_with_the_present_state(shop: Shop) -> None:
    answer = await shop.post(body=ORDER, headers={"prefer": "wait=1"})

    assert (answer.status_code, answer.json()["status"]) == (202, "PENDING")
    assert answer.headers["preference-applied"] == "wait=1"


async def test_a_song_is_read_whatever_its_state(shop: Shop) -> None:
    job = await shop.ordered()

    before = await shop.get(f"{SONGS}/{job.pk}")
    await shop.behind(settle, job.pk, token=None, state=JobState.EXPIRED)
    after = await shop.get(f"{SONGS}/{job.pk}")

    assert (before.status_code, before.json()["status"], before.json()["progress"]) == (200, "PENDING", None)
    assert (after.status_code, after.json()["status"], after.json()["error"]["code"]) == (
        200,
        "EXPIRED",
        "upstream_error",
    )


async def test_audio_in_the_answer_is_hex_when_ordered_so(shop: Shop) -> None:
    job = await shop.ordered(output_format="hex")
    await shop.finished(job)

    body = (await shop.get(f"{SONGS}/{job.pk}")).json()

    audio = bytes.fromhex(body["audio"])
    assert len(audio) == body["audios"][0]["size"]
    assert audio.startswith(b"ID3")


async def test_every_delivered_take_is_listed_and_charged(shop: Shop) -> None:
    job = await shop.ordered(n=2)
    await shop.finished(job, wav(), wav(1.5))

    body = (await shop.get(f"{SONGS}/{job.pk}")).json()

    assert [take["take"] for take in body["audios"]] == [0, 1]
    assert body["usage"]["micro_credits"] == 2 * SONG_PRICE


async def test_the_same_key_and_body_is_the_same_song(shop: Shop) -> None:
    given = {"prefer": "respond-async", "idempotency-key": "order-1"}

    first = await shop.post(body=ORDER, headers=given)
    again = await shop.post(body=ORDER, headers=given)

    assert first.json()["id"] == again.json()["id"]
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")


async def test_a_finished_song_is_replayed_without_waiting(shop: Shop) -> None:
    first = await shop.post(body=ORDER | {"transno": "order-1"}, headers={"prefer": "respond-async"})
    await shop.finished(await shop.job(first.json()["id"]))

    again = await shop.post(body=ORDER | {"transno": "order-1"})

    assert (again.status_code, again.json()["status"], again.json()["id"]) == (200, "SUCCEEDED", first.json()["id"])


async def test_the_header_wins_over_the_body(shop: Shop) -> None:
    body = ORDER | {"transno": "order-1"}

    first = await shop.post(body=body, headers={"prefer": "respond-async", "idempotency-key": "a"})
    other = await shop.post(body=body, headers={"prefer": "respond-async", "idempotency-key": "b"})

    assert first.json()["id"] != other.json()["id"]


async def test_unknown_names_are_ignored_and_listed(shop: Shop) -> None:
    body = ORDER | {"mood": "blue", "audio_setting": {"depth": 24}}

    answer = await shop.post(body=body, headers={"prefer": "respond-async"})

    assert answer.headers["x-tutti-ignored"] == "mood, audio_setting.depth"


async def test_a_wish_is_listed_as_approximated(shop: Shop) -> None:
    llm = shop.world.mapping.llm
    llm.capabilities = {"lyrics": "optional", "duration": "wish"}
    await shop.behind(llm.save)

    answer = await shop.post(body=ORDER | {"duration": 30}, headers={"prefer": "respond-async"})

    assert answer.headers["x-tutti-approximated"] == "duration"


async def test_songs_are_listed_newest_first_page_by_page(shop: Shop) -> None:
    made = [str((await shop.ordered(prompt=f"song {number}")).pk) for number in range(3)]

    first = (await shop.get(f"{SONGS}?limit=2")).json()
    second = (await shop.get(f"{SONGS}?limit=2&after={first['next']}")).json()

    assert [song["id"] for song in first["data"]] == [made[2], made[1]]
    assert (first["object"], first["has_more"], first["next"]) == ("list", True, made[1])
    assert [song["id"] for song in second["data"]] == [made[0]]
    assert (second["has_more"], second["next"]) == (False, None)


async def test_songs_are_listed_by_status_and_model(shop: Shop) -> None:
    ended = await shop.finished(await shop.ordered())
    waiting = await shop.ordered()

    by_status = (await shop.get(f"{SONGS}?status=SUCCEEDED")).json()["data"]
    by_model = (await shop.get(f"{SONGS}?model=test-song")).json()["data"]
    by_other = (await shop.get(f"{SONGS}?model=other")).json()["data"]

    assert [song["id"] for song in by_status] == [str(ended.pk)]
    assert [song["id"] for song in by_model] == [str(waiting.pk), str(ended.pk)]
    assert by_other == []


async def test_a_test_key_sees_nothing_of_what_is_live(shop: Shop) -> None:
    job = await shop.ordered()
    _, shop.secret = await shop.behind(
        issue_key, organization=shop.world.customer, member=shop.world.caller.member, name="trial", live=False
    )

    read = await shop.get(f"{SONGS}/{job.pk}")
    events = await shop.get(f"{SONGS}/{job.pk}/events")
    cancelled = await shop.call("POST", f"{SONGS}/{job.pk}/cancel")
    listed = await shop.get(SONGS)

    assert [read.status_code, events.status_code, cancelled.status_code] == [404, 404, 404]
    assert listed.json()["data"] == []


async def test_a_song_is_cancelled_once_and_for_all(shop: Shop) -> None:
    job = await shop.ordered()

    first = await shop.call("POST", f"{SONGS}/{job.pk}/cancel")
    again = await shop.call("POST", f"{SONGS}/{job.pk}/cancel")

    assert (first.status_code, first.json()["status"]) == (200, "CANCELLED")
    assert (again.status_code, again.json()["status"]) == (200, "CANCELLED")
    assert first.json()["usage"]["micro_credits"] == 0


async def test_one_who_waits_is_told_of_a_cancel(shop: Shop) -> None:
    waiting = asyncio.create_task(shop.post(body=ORDER))
    job = await first_job(shop)
    await shop.behind(cancel_job, job.pk, caller=shop.world.caller)

    answer = await waiting

    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["id"]) == (
        409,
        "cancelled",
        str(job.pk),
    )
    assert answer.headers["x-should-retry"] == "false"


async def test_a_client_that_leaves_ends_its_wait_and_not_the_song(shop: Shop) -> None:
    waiting = asyncio.create_task(shop.post(body=ORDER))
    job = await first_job(shop)
    async with asyncio.timeout(10):
        while not waiting_room()._watchers:
            await asyncio.sleep(0.01)

    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert waiting_room()._watchers == {}
    assert (await shop.finished(job)).state == JobState.SUCCEEDED


async def test_a_quote_has_no_side_effect(shop: Shop) -> None:
    answer = await shop.post("/v1/music/quotes", ORDER | {"n": 2})

    body = answer.json()
    assert (answer.status_code, body["price"], body["micro_credits"]) == (200, "5.00", 2 * SONG_PRICE)
    assert (body["object"], body["limits"]["takes_max"]) == ("music.quote", 3)
    assert (await shop.get(SONGS)).json()["data"] == []


async def test_a_task_is_always_answered_200(shop: Shop) -> None:
    job = await shop.ordered()

    found = await shop.get(f"/v1/tasks?taskid={job.pk}")
    missing = await shop.get("/v1/tasks?taskid=6f3c")
    unnamed = await shop.get("/v1/tasks")

    assert (found.status_code, found.json()["status"], found.json()["data"]["id"]) == (200, "ok", str(job.pk))
    assert (missing.status_code, missing.json()) == (
        200,
        {"status": "error", "data": {"message": "There is no such song."}},
    )
    assert (unnamed.status_code, unnamed.json()["data"]["message"]) == (200, "Missing required parameter: taskid")


async def test_a_body_is_read_whatever_its_content_type(shop: Shop) -> None:
    answer = await shop.call(
        "POST",
        SONGS,
        data=json.dumps(ORDER),
        content_type="application/x-www-form-urlencoded",
        headers={"prefer": "respond-async"},
    )

    assert answer.status_code == 202


async def test_a_client_that_accepts_only_audio_is_answered(shop: Shop) -> None:
    answer = await shop.post(body=ORDER, headers={"prefer": "respond-async", "accept": "audio/mpeg"})

    assert answer.status_code == 202


async def test_every_route_is_served_with_a_slash_too(shop: Shop) -> None:
    job = await shop.ordered()

    statuses = {
        path: (await shop.get(path)).status_code
        for path in (
            f"{SONGS}/",
            f"{SONGS}/{job.pk}/",
            "/v1/models/",
            "/v1/models/catelog/",
            "/v1/models/test-song/",
            "/v1/pricing/",
            "/v1/tasks/",
        )
    }
    posted = await shop.post(f"{SONGS}/", ORDER, headers={"prefer": "respond-async"})

    assert set(statuses.values()) == {200}
    assert posted.status_code == 202
