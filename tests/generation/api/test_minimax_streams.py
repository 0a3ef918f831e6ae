"""The wire `minimax` with `stream`: pieces, the whole, and what is said while there is neither."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.http import HttpRequest

from accounts.models import ApiKey
from accounts.services.api_keys import authenticate_key, revoke_key
from generation.admission import admissions
from generation.api.minimax import SongStream
from generation.api.streams import PING
from generation.contract import Fault
from generation.dialects.registry import MINIMAX
from generation.models import Job, Track
from generation.services.reading import Reader
from generation.services.settle import settle
from generation.waiting import waiting_room
from tests.generation.api.test_minimax_errors import ORDER, PATH
from tests.generation.api.test_songs import first_job
from tests.generation.shops import Shop
from tests.generation.worlds import wav
from tests.scenarios.playing import play

SECONDS = 10
SUCCESS = {"status_code": 0, "status_msg": "success"}


async def bodies_of(answer: Any) -> list[dict[str, Any]]:
    """The events of a stream that ends by itself; each is one line of JSON behind `data: `."""
    async with asyncio.timeout(SECONDS):
        text = b"".join([piece async for piece in answer.streaming_content]).decode()
    frames = [frame for frame in text.split("\n\n") if frame and not frame.startswith(":")]
    assert all(frame.startswith("data: {") and "\n" not in frame for frame in frames)
    return [json.loads(frame.removeprefix("data: ")) for frame in frames]


async def stream_of(shop: Shop, job: Job) -> SongStream:
    caller = await shop.behind(authenticate_key, shop.secret)
    return SongStream(Reader(caller, MINIMAX), job.pk, HttpRequest())


async def ordered(shop: Shop) -> Job:
    """A queued job, ordered over this wire by someone who reads no further."""
    answer = await shop.post(PATH, ORDER | {"stream": True})
    answer.close()
    return await first_job(shop)


async def test_a_stream_brings_each_piece_once_and_then_the_whole(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER | {"stream": True, "aigc_watermark": True})
    reading = asyncio.create_task(bodies_of(answer))
    await shop.finished(await first_job(shop), wav(31.0))

    *pieces, last = await reading

    request_id = answer.headers["x-request-id"]
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream")
    assert (answer.headers["Trace-Id"], answer.headers["x-ai-generated"]) == (request_id, "true")
    assert answer.headers["x-tutti-ignored"] == "aigc_watermark"
    assert len(pieces) >= 8  # four for every 30 seconds that have begun
    for piece in pieces:
        assert piece == {
            "data": {"audio": piece["data"]["audio"], "status": 1},
            "trace_id": request_id,
            "extra_info": None,
            "analysis_info": None,
            "base_resp": SUCCESS,
        }
    whole = last["data"]["audio"]
    assert "".join(piece["data"]["audio"] for piece in pieces) == whole
    assert (last["data"]["status"], last["trace_id"], last["base_resp"]) == (2, request_id, SUCCESS)
    assert last["extra_info"]["music_size"] == len(whole) // 2
    assert round(play(bytes.fromhex(whole)).seconds) == 31


async def test_no_piece_of_headerless_audio_ends_inside_a_sample(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER | {"stream": True, "audio_setting": {"format": "pcm"}})
    reading = asyncio.create_task(bodies_of(answer))
    await shop.finished(await first_job(shop), wav(1.00103))  # 44,145 frames: a fourth of its bytes is no whole frame

    sizes = [len(bytes.fromhex(body["data"]["audio"])) for body in await reading]

    assert [size % 4 for size in sizes] == 5 * [0]
    assert sum(sizes[:-1]) == sizes[-1] == 4 * 44_145


async def test_a_streamed_song_that_fails_says_why_in_one_event(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER | {"stream": True})
    reading = asyncio.create_task(bodies_of(answer))
    job = await first_job(shop)
    await shop.behind(settle, job.pk, token=None, fault=Fault("content_policy", "The model does not make this."))

    assert await reading == [
        {
            "data": None,
            "trace_id": answer.headers["x-request-id"],
            "extra_info": None,
            "analysis_info": None,
            "base_resp": {"status_code": 1026, "status_msg": "The model does not make this."},
        }
    ]


async def test_a_streamed_song_that_cannot_be_read_is_our_fault(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    job = await shop.finished(await ordered(shop))
    await shop.behind(lambda: default_storage.delete(Track.unscoped.get().file))
    async with aclosing((await stream_of(shop, job)).frames()) as frames, asyncio.timeout(SECONDS):
        told = [json.loads(frame.removeprefix(b"data: ")) async for frame in frames]

    assert [body["base_resp"]["status_code"] for body in told] == [1033]
    assert "failed" in caplog.text


async def test_a_finished_song_is_streamed_again_to_who_orders_it_again(shop: Shop) -> None:
    body, headers = ORDER | {"stream": True}, {"idempotency-key": "order-1"}
    (await shop.post(PATH, body, headers=headers)).close()
    await shop.finished(await first_job(shop))

    answer = await shop.post(PATH, body, headers=headers)

    assert answer.headers["Idempotent-Replayed"] == "true"
    assert [event["data"]["status"] for event in await bodies_of(answer)] == [1, 1, 1, 1, 2]


async def test_an_unsound_order_of_a_stream_is_refused_as_json(shop: Shop) -> None:
    answer = await shop.post(PATH, {"stream": True})

    assert (answer.headers["Content-Type"], answer.json()["base_resp"]["status_code"]) == ("application/json", 2013)


async def test_a_quiet_stream_is_kept_alive_by_comments(shop: Shop) -> None:
    job = await ordered(shop)
    async with aclosing((await stream_of(shop, job)).frames(ping_seconds=0.01)) as frames, asyncio.timeout(SECONDS):
        assert [await anext(frames), await anext(frames)] == [PING, PING]


async def test_a_stream_ends_when_its_key_is_revoked(shop: Shop) -> None:
    job = await ordered(shop)
    stream = await stream_of(shop, job)
    async with aclosing(stream.frames(ping_seconds=0.01)) as frames, asyncio.timeout(SECONDS):
        await anext(frames)
        await shop.behind(lambda: revoke_key(key=ApiKey.unscoped.get()))

        assert {frame async for frame in frames} <= {PING}


async def test_a_stream_says_that_the_song_is_still_being_made_when_the_process_stops(shop: Shop) -> None:
    job = await ordered(shop)
    async with aclosing((await stream_of(shop, job)).frames(ping_seconds=0.01)) as frames, asyncio.timeout(SECONDS):
        await anext(frames)
        waiting_room().close_all()
        told = [json.loads(frame.removeprefix(b"data: ")) async for frame in frames if frame != PING]

    assert [body["base_resp"]["status_code"] for body in told] == [1001]


async def test_a_listener_that_leaves_is_forgotten_and_the_song_is_made(shop: Shop) -> None:
    job = await ordered(shop)
    async with aclosing((await stream_of(shop, job)).frames(ping_seconds=0.01)) as frames, asyncio.timeout(SECONDS):
        await anext(frames)
        assert list(waiting_room()._watchers) == [job.pk]

    assert (waiting_room()._watchers, waiting_room()._to_tell, admissions()._admitted) == ({}, set(), set())
    assert (await shop.finished(job)).state == "succeeded"
