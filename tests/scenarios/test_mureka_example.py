"""The documented examples of Mureka's API, bodies as they stand there: only the endpoint, the key and the id of the
song that is continued are others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from pytest_django import Settings

from accounts.tenancy import system_scope
from billing.services.books import check_books
from generation.services.demo import prepare_demo
from tests.generation.houses import at_work
from tests.scenarios.playing import play

pytestmark = pytest.mark.django_db(transaction=True)

SONG: Final[dict[str, Any]] = {
    "lyrics": "【Verse 1】\n青春如花绽放\n梦想在心中飞翔\n\n【Chorus】\n青春与梦想\n永远在心中",
    "n": 1,
    "stream": True,
    "prompt": "创作一首关于青春梦想的流行歌曲",
}
WORDS = "".join(SONG["lyrics"].replace("【Verse 1】", "").replace("【Chorus】", "").split())
EXTENSION = {
    "extend_at": "8000",
    "lyrics": (
        "[Verse]\nIn the stormy night, I wander alone\nLost in the rain, feeling like I have been thrown\n"
        "Memories of you, they flash before my eyes\nHoping for a moment, just to find some bliss"
    ),
}
TASK = ("taskId", "trace_id", "created_at", "finished_at", "model", "status", "failed_reason", "watermarked", "choices")
CHOICE = ("id", "index", "url", "wav_url", "flac_url", "stream_url", "duration", "lyrics_sections")


@pytest.fixture
def demo(settings: Settings, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """A demo whose songs are really made."""
    settings.MEDIA_ROOT = tmp_path
    described = prepare_demo(reset=False)
    with at_work():
        yield described


async def call(demo: dict[str, Any], method: str, path: str, body: Any = None, *, endpoint: str = "mureka") -> Any:
    headers = {"Authorization": f"Bearer {demo['keys']['funded']}", "Content-Type": "application/json"}
    answer: Any = await AsyncClient().generic(
        method, f"/v1/ai/{demo['endpoints'][endpoint]}/mureka/{path}", json.dumps(body), headers=headers
    )
    return answer.json()


async def states(demo: dict[str, Any], task_id: str, **more: str) -> AsyncIterator[dict[str, Any]]:
    """The task again and again, as a client asks for it, until it has ended."""
    async with asyncio.timeout(120):
        while True:
            body = await call(demo, "GET", f"song/query/{task_id}", **more)
            assert (body["code"], body["code_msg"]) == (0, "success")
            yield body["data"]
            if body["data"]["finished_at"] is not None:
                return
            await asyncio.sleep(0.2)


async def opened(link: str) -> bytes:
    answer: Any = await AsyncClient().get(link.removeprefix("http://127.0.0.1:8000"))
    audio = b"".join([piece async for piece in answer.streaming_content])
    answer.close()
    assert answer.status_code == 200
    return audio


def nothing_is_amiss() -> bool:
    with system_scope():
        return check_books() == []


@pytest.mark.parametrize(("endpoint", "model"), [("mureka", "MaaS_Mureka_v7.6"), ("mureka_o2", "MaaS_Mureka_o2")])
async def test_the_documented_song_ends_in_three_formats_that_play(
    demo: dict[str, Any], endpoint: str, model: str
) -> None:
    body = await call(demo, "POST", "song/generate", SONG, endpoint=endpoint)
    task = body["data"]
    assert (list(body), tuple(task)) == (["code", "data", "code_msg", "trace_id"], TASK)
    assert (body["code"], body["code_msg"], task["trace_id"]) == (0, "success", body["trace_id"])
    assert (task["model"], task["status"], task["finished_at"], task["choices"]) == (model, "preparing", None, None)
    assert task["taskId"].isdigit()

    seen = [state async for state in states(demo, task["taskId"], endpoint=endpoint)]

    assert {state["status"] for state in seen} <= {"queued", "running", "streaming", "succeeded"}
    ended = seen[-1]
    assert (ended["status"], ended["failed_reason"], ended["watermarked"]) == ("succeeded", None, None)
    (choice,) = ended["choices"]
    assert set(choice) == set(CHOICE)
    assert (choice["index"], choice["id"].isdigit(), choice["stream_url"]) == (0, True, None)
    for name in ("url", "wav_url", "flac_url"):
        assert abs(play(await opened(choice[name])).seconds - choice["duration"] / 1000) < 0.1
    sections = choice["lyrics_sections"]
    kinds = [section["section_type"] for section in sections]
    assert ("verse" in kinds, "chorus" in kinds) == (True, True)
    sung = [word for section in sections for line in section["lines"] for word in line["words"]]
    assert "".join(word["text"] for word in sung).replace(" ", "") == WORDS
    assert all(0 <= word["start"] < word["end"] <= choice["duration"] for word in sung)
    assert await sync_to_async(nothing_is_amiss)()


async def test_the_documented_continuation_is_taken_for_a_song_made_before(demo: dict[str, Any]) -> None:
    made = (await call(demo, "POST", "song/generate", SONG))["data"]
    *_, ended = [state async for state in states(demo, made["taskId"])]

    body = await call(demo, "POST", "song/extend", EXTENSION | {"song_id": ended["choices"][0]["id"]})

    task = body["data"]
    assert (body["code"], tuple(task), task["status"]) == (0, TASK, "preparing")
    assert task["model"] == "MaaS_Mureka_v7.6"
