"""The wire `minimax` from end to end: songs, links, replays."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import AsyncClient
from django.utils import timezone
from jsonschema import Draft202012Validator

from generation.api.published import schema
from generation.models import Job, Track
from tests.generation.api.test_minimax_errors import ORDER, PATH
from tests.generation.api.test_songs import first_job
from tests.generation.shops import SONGS, Shop
from tests.generation.worlds import wav
from tests.scenarios.playing import play

BASE = "http://127.0.0.1:8000"
SUCCESS = {"status_code": 0, "status_msg": "success"}


async def song_of(shop: Shop, *takes: bytes, headers: dict[str, str] | None = None, **more: Any) -> Any:
    """The answer to an order whose song is made meanwhile."""
    waiting = asyncio.create_task(shop.post(PATH, ORDER | more, headers=headers))
    await shop.finished(await first_job(shop), *takes)
    return await waiting


async def test_a_song_is_answered_as_hex_with_what_was_measured(shop: Shop) -> None:
    answer = await song_of(shop, wav(2.0))

    body = answer.json()
    audio = bytes.fromhex(body["data"]["audio"])
    track = await shop.behind(Track.unscoped.get)
    assert (answer.status_code, answer.headers["x-ai-generated"]) == (200, "true")
    assert body == {
        "data": {"audio": body["data"]["audio"], "status": 2},
        "trace_id": answer.headers["x-request-id"],
        "extra_info": {
            "music_duration": track.duration_ms,
            "music_sample_rate": 44_100,
            "music_channel": 2,
            "bitrate": 256_000,
            "music_size": len(audio),
        },
        "analysis_info": None,
        "base_resp": SUCCESS,
    }
    assert answer.headers["Trace-Id"] == body["trace_id"]
    assert hashlib.sha256(audio).hexdigest() == track.sha256
    assert (round(play(audio).seconds, 1), play(audio).channels) == (2.0, 2)


@pytest.mark.parametrize("path", [PATH, f"{PATH}/"])
async def test_the_route_is_served_with_and_without_a_slash(shop: Shop, path: str) -> None:
    waiting = asyncio.create_task(shop.post(path, ORDER))
    await shop.finished(await first_job(shop))

    assert (await waiting).json()["base_resp"] == SUCCESS


async def test_the_key_may_stand_in_its_own_header(shop: Shop) -> None:
    answer = await song_of(shop, headers={"authorization": "", "x-api-key": shop.secret})

    assert answer.json()["base_resp"] == SUCCESS


async def test_a_link_stands_in_both_places_and_lives_a_day(shop: Shop) -> None:
    answer = await song_of(shop, output_format="url")
    data = answer.json()["data"]
    now, path = timezone.now(), data["audio"].removeprefix(BASE)

    opened: list[Any] = []
    for after in (timedelta(0), timedelta(hours=23, minutes=59), timedelta(hours=25)):
        with time_machine.travel(now + after, tick=False):
            opened.append(await AsyncClient().get(path))
    whole = b"".join([piece async for piece in opened[1].streaming_content])
    for one in opened:
        one.close()

    assert data == {"audio": data["audio"], "audio_url": data["audio"], "status": 2}
    assert path.endswith("/test-song-1.mp3")
    assert [one.status_code for one in opened] == [200, 200, 404]
    assert len(whole) == answer.json()["extra_info"]["music_size"]


@pytest.mark.parametrize(
    ("audio_setting", "measured"),
    [
        ({"format": "wav", "sample_rate": 16_000, "channel": 1}, (16_000, 1, 256_000)),
        ({"format": "pcm", "sample_rate": 24_000}, (24_000, 2, 768_000)),
        ({"format": "mp3", "sample_rate": 32_000, "bitrate": 64_000}, (32_000, 2, 64_000)),
    ],
)
async def test_audio_comes_as_it_was_ordered(
    shop: Shop, audio_setting: dict[str, Any], measured: tuple[int, int, int]
) -> None:
    body = (await song_of(shop, audio_setting=audio_setting)).json()

    extra = body["extra_info"]
    assert (extra["music_sample_rate"], extra["music_channel"], extra["bitrate"]) == measured
    assert (await shop.behind(Track.unscoped.get)).format == audio_setting["format"]
    assert extra["music_size"] == len(bytes.fromhex(body["data"]["audio"]))


async def test_an_instrumental_needs_no_lyrics(shop: Shop) -> None:
    waiting = asyncio.create_task(
        shop.post(PATH, {"model": "test-song", "prompt": "a walk", "is_instrumental": True, "mood": "blue"})
    )
    job = await first_job(shop)
    await shop.finished(job)

    answer = await waiting

    assert (answer.json()["base_resp"], answer.headers["x-tutti-ignored"]) == (SUCCESS, "mood")
    assert (job.song.instrumental, job.song.lyrics, job.dialect) == (True, None, "minimax")


async def test_a_wish_is_listed_as_approximated(shop: Shop) -> None:
    llm = shop.world.mapping.llm
    llm.capabilities = {"lyrics": "optional", "instrumental": "wish"}
    await shop.behind(llm.save)

    answer = await song_of(shop, is_instrumental=True)

    assert (answer.headers["x-tutti-approximated"], answer.headers["x-tutti-ignored"]) == ("is_instrumental", "lyrics")


@pytest.mark.parametrize("by", ["header", "body"])
async def test_the_same_key_and_body_is_the_same_song(shop: Shop, by: str) -> None:
    headers = {"idempotency-key": "order-1"} if by == "header" else None
    more = {"transno": "order-1"} if by == "body" else {}
    first = await song_of(shop, headers=headers, output_format="url", **more)

    again = await shop.post(PATH, ORDER | {"output_format": "url"} | more, headers=headers)

    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.json()["extra_info"] == first.json()["extra_info"]
    assert again.json()["trace_id"] == again.headers["x-request-id"] != first.json()["trace_id"]
    assert await shop.behind(Job.unscoped.count) == 1


async def test_an_order_that_still_runs_is_joined(shop: Shop) -> None:
    headers = {"idempotency-key": "order-1"}
    first = asyncio.create_task(shop.post(PATH, ORDER, headers=headers))
    job = await first_job(shop)
    second = asyncio.create_task(shop.post(PATH, ORDER, headers=headers))
    await shop.finished(job)

    answers = await first, await second

    assert answers[0].json()["data"] == answers[1].json()["data"]
    assert await shop.behind(Job.unscoped.count) == 1


async def test_a_song_of_this_wire_is_read_over_the_other_as_a_link(shop: Shop) -> None:
    await song_of(shop)

    listed = (await shop.get(SONGS)).json()["data"]
    read = (await shop.get(f"{SONGS}/{listed[0]['id']}")).json()

    assert (read["status"], read["audio"].startswith(f"{BASE}/v1/audio/")) == ("SUCCEEDED", True)


@pytest.mark.parametrize("more", [{}, {"output_format": "url"}, {"lyrics": ""}], ids=["hex", "link", "refused"])
async def test_what_is_answered_fits_the_schema(shop: Shop, more: dict[str, Any]) -> None:
    answer = await (shop.post(PATH, ORDER | more) if "lyrics" in more else song_of(shop, **more))

    whole = {"$ref": "#/components/schemas/MiniMaxAnswer", "components": schema()["components"]}
    Draft202012Validator(whole).validate(answer.json())
