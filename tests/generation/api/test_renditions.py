"""A song in a format beside the ordered one, opened by a link that another wire signed: made when it is asked for."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest
from django.test import AsyncClient

from generation import dispatch
from generation.api import audio
from generation.audio.label import read_label
from generation.dialects.digits import digits_of
from generation.models import Rendition
from generation.services.renditions import make_rendition
from generation.waiting import waiting_room
from tests.generation.api.muse import MAAS, asked
from tests.generation.houses import at_work
from tests.generation.shops import Shop
from tests.generation.worlds import wav
from tests.scenarios.playing import play

BUSY = "This format of the song is still being made. Ask again shortly."


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The renditions that audio workers were told to make; none of them works."""
    sent: list[str] = []
    monkeypatch.setattr(dispatch, "_send", lambda task, args, after: sent.append(args[0]))
    return sent


async def links_of(shop: Shop, audio_format: str = "mp3") -> dict[str, str]:
    """The paths to a finished song of another wire, by format."""
    job = await shop.ordered(lyrics="la", audio_setting={"format": audio_format})
    await shop.finished(job, wav(2.0))
    (choice,) = (await asked(shop, MAAS, digits_of(str(job.pk))))["choices"]
    return {name: choice[name].removeprefix("http://127.0.0.1:8000") for name in ("url", "wav_url", "flac_url")}


async def opened(path: str, method: str = "GET", **headers: str) -> tuple[Any, bytes]:
    answer: Any = await AsyncClient().generic(
        method, path, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )
    body = b"".join([piece async for piece in answer.streaming_content]) if answer.streaming else answer.content
    answer.close()
    return answer, body


async def worked(shop: Shop) -> None:
    """An audio worker makes whatever was asked for."""
    for pk in await shop.behind(lambda: list(Rendition.unscoped.values_list("pk", flat=True))):
        await shop.behind(make_rendition, pk)


async def until_asked(shop: Shop, count: int = 1) -> None:
    async with asyncio.timeout(10):
        while await shop.behind(Rendition.unscoped.count) < count:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("ordered", ["mp3", "wav", "flac", "opus", "m4a", "pcm"])
async def test_every_order_can_be_had_in_each_format(muse: Shop, ordered: str) -> None:
    links = await links_of(muse, ordered)

    with at_work():
        for name, media_type in (("url", "audio/mpeg"), ("wav_url", "audio/wav"), ("flac_url", "audio/flac")):
            answer, body = await opened(links[name])

            assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)
            assert (round(play(body).seconds, 1), play(body).channels) == (2.0, 2)
            assert read_label(body) is not None


async def test_whoever_asks_waits_until_it_is_made(muse: Shop, told: list[str]) -> None:
    links = await links_of(muse)
    told.clear()

    waiting = [asyncio.create_task(opened(links["flac_url"])) for _ in range(3)]
    await until_asked(muse)
    await worked(muse)
    answers = await asyncio.gather(*waiting)

    rendition = await muse.behind(Rendition.unscoped.get)
    assert told == [str(rendition.pk)]
    assert {(answer.status_code, hashlib.sha256(body).hexdigest()) for answer, body in answers} == {
        (200, rendition.sha256)
    }


async def test_it_is_made_once(muse: Shop, told: list[str]) -> None:
    links = await links_of(muse)
    waiting = asyncio.create_task(opened(links["wav_url"]))
    await until_asked(muse)
    await worked(muse)
    first = await waiting
    told.clear()

    second = await opened(links["wav_url"])
    await worked(muse)
    third = await opened(links["wav_url"])

    assert told == []
    assert first[1] == second[1] == third[1]


async def test_ranges_and_heads_are_those_of_the_format(muse: Shop, told: list[str]) -> None:
    links = await links_of(muse)
    waiting = asyncio.create_task(opened(links["wav_url"], range="bytes=0-11"))
    await until_asked(muse)
    await worked(muse)

    part, piece = await waiting
    head, nothing = await opened(links["wav_url"], "HEAD")
    beyond, _ = await opened(links["wav_url"], range="bytes=99999999-")
    same, _ = await opened(links["wav_url"], if_none_match=head.headers["ETag"])

    rendition = await muse.behind(Rendition.unscoped.get)
    assert (part.status_code, piece[:4], piece[8:]) == (206, b"RIFF", b"WAVE")
    assert part.headers["Content-Range"] == f"bytes 0-11/{rendition.size}"
    assert (head.status_code, nothing, head.headers["Content-Length"]) == (200, b"", str(rendition.size))
    assert head.headers["ETag"] == f'"{rendition.sha256}"'
    assert (beyond.status_code, same.status_code) == (416, 304)


async def test_one_whose_format_is_not_made_in_time_is_told_to_come_back(
    muse: Shop, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    links = await links_of(muse)
    monkeypatch.setattr(audio, "LONGEST_WAIT_SECONDS", 0.05)

    answer, _ = await opened(links["flac_url"])

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["error"]["message"] == BUSY


async def test_one_who_waits_is_told_to_come_back_when_the_process_stops(muse: Shop, told: list[str]) -> None:
    links = await links_of(muse)
    waiting = asyncio.create_task(opened(links["flac_url"]))
    async with asyncio.timeout(10):
        while not waiting_room()._to_tell:
            await asyncio.sleep(0.01)
    waiting_room().close_all()

    answer, _ = await waiting

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "busy")


async def test_a_format_that_was_not_signed_is_none(muse: Shop, told: list[str]) -> None:
    links = await links_of(muse)
    told.clear()

    answers = [await opened(links["url"].replace(".mp3", f".{name}")) for name in ("wav", "opus", "exe")]

    assert [answer.status_code for answer, _ in answers] == [404, 404, 404]
    assert told == []
