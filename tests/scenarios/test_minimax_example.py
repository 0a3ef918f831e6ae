"""The documented example of MiniMax's music API, as it stands there: only the address and the key are others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from pytest_django import Settings

from accounts.tenancy import system_scope
from billing.services.books import Drift, check_books
from generation.services.demo import prepare_demo
from tests.generation.houses import at_work
from tests.scenarios.playing import play

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLE = {
    "model": "music-2.5",
    "prompt": "独立民谣,忧郁,内省,渴望,独自漫步,咖啡馆",
    "lyrics": (
        "[verse]\n街灯微亮晚风轻抚\n影子拉长独自漫步\n旧外套裹着深深忧郁\n不知去向渴望何处\n"
        "[chorus]\n推开木门香气弥漫\n熟悉的角落陌生人看"
    ),
    "audio_setting": {"sample_rate": 44100, "bitrate": 256000, "format": "mp3"},
}
SUCCESS = {"status_code": 0, "status_msg": "success"}


@pytest.fixture
def key(settings: Settings, tmp_path: Path) -> Iterator[str]:
    """A key that can pay, of a demo whose songs are really made."""
    settings.MEDIA_ROOT = tmp_path
    funded = prepare_demo(reset=False)["keys"]["funded"]
    with at_work():
        yield funded


async def order(key: str, **more: Any) -> Any:
    return await AsyncClient().post(
        "/v1/music_generation",
        json.dumps({**EXAMPLE, **more}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )


def books() -> list[Drift]:
    with system_scope():
        return check_books()


async def test_the_documented_example_ends_with_audio_that_plays(key: str) -> None:
    body = (await order(key)).json()

    assert (body["base_resp"], body["data"]["status"], body["analysis_info"]) == (SUCCESS, 2, None)
    audio = bytes.fromhex(body["data"]["audio"])
    played = play(audio)
    extra = body["extra_info"]
    assert abs(extra["music_duration"] / 1000 - played.seconds) < 0.1
    assert played.seconds > 10
    assert extra == {
        "music_duration": extra["music_duration"],
        "music_sample_rate": 44_100,
        "music_channel": played.channels,
        "bitrate": 256_000,
        "music_size": len(audio),
    }
    assert await sync_to_async(books)() == []


async def test_the_documented_example_as_a_link_opens_with_a_plain_get(key: str) -> None:
    body = (await order(key, output_format="url")).json()

    path = body["data"]["audio_url"].removeprefix("http://127.0.0.1:8000")
    answer: Any = await AsyncClient().get(path)
    audio = b"".join([piece async for piece in answer.streaming_content])
    answer.close()
    assert (answer.status_code, answer["Content-Type"]) == (200, "audio/mpeg")
    assert play(audio).channels == body["extra_info"]["music_channel"] == 2


async def test_the_documented_example_as_a_stream_ends_with_the_whole_song(key: str) -> None:
    answer = await order(key, stream=True)
    text = b"".join([piece async for piece in answer.streaming_content]).decode()
    frames = [frame for frame in text.split("\n\n") if frame.startswith("data: ")]

    *pieces, last = [json.loads(frame.removeprefix("data: ")) for frame in frames]
    whole = last["data"]["audio"]
    assert {piece["data"]["status"] for piece in pieces} == {1}
    assert "".join(piece["data"]["audio"] for piece in pieces) == whole
    assert len(pieces) >= 4 * last["extra_info"]["music_duration"] / 30_000
    assert play(bytes.fromhex(whole)).seconds > 10
