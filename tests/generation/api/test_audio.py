from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.http import StreamingHttpResponse
from django.test import AsyncClient
from django.utils import timezone

from generation.api.audio import FilePart
from generation.api.ranges import Part
from generation.models import Track
from tests.generation.shops import SONGS, Shop


@pytest.fixture
async def link(shop: Shop) -> str:
    """The path of a finished song's audio."""
    job = await shop.finished(await shop.ordered())
    return (await shop.get(f"{SONGS}/{job.pk}")).json()["audio"].removeprefix("http://127.0.0.1:8000")


_answers: list[Any] = []


@pytest.fixture(autouse=True)
def as_the_server_ends_answers() -> Iterator[None]:
    """A server closes each answer when it is sent, and with it the file."""
    yield
    while _answers:
        _answers.pop().close()


async def opened(link: str, method: str = "GET", **headers: str) -> Any:
    """A plain call: no key, no cookie."""
    answer = await AsyncClient().generic(method, link, headers={k.replace("_", "-"): v for k, v in headers.items()})
    _answers.append(answer)
    return answer


async def body_of(answer: Any) -> bytes:
    return b"".join([piece async for piece in answer.streaming_content])


@pytest.fixture
async def track(shop: Shop, link: str) -> Track:
    return await shop.behind(Track.unscoped.get)


async def test_a_link_opens_with_a_plain_get(link: str, track: Track) -> None:
    answer = await opened(link)
    body = await body_of(answer)

    assert answer.status_code == 200
    assert (len(body), hashlib.sha256(body).hexdigest()) == (track.size, track.sha256)
    expected = {
        "Content-Type": "audio/mpeg",
        "Content-Length": str(track.size),
        "Accept-Ranges": "bytes",
        "ETag": f'"{track.sha256}"',
        "Cache-Control": "private, max-age=86400",
        "Content-Disposition": 'inline; filename="test-song-1.mp3"',
        "X-Content-Type-Options": "nosniff",
        "x-ai-generated": "true",
    }
    assert {name: answer.headers[name] for name in expected} == expected


async def test_a_link_opens_with_a_slash_at_its_end(link: str) -> None:
    assert (await opened(f"{link}/")).status_code == 200


async def test_a_link_opens_for_one_with_a_stale_key(link: str) -> None:
    assert (await opened(link, authorization="Bearer tt_live_gone")).status_code == 200


async def test_head_tells_what_get_would_send(link: str, track: Track) -> None:
    answer = await opened(link, "HEAD")

    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, str(track.size), b"")


@pytest.mark.parametrize(
    ("asked", "first", "last"), [("bytes=0-99", 0, 99), ("bytes=100-", 100, None), ("bytes=-50", -50, None)]
)
async def test_a_part_of_a_file_is_sent(link: str, track: Track, asked: str, first: int, last: int | None) -> None:
    whole = await body_of(await opened(link))

    answer = await opened(link, range=asked)
    part = await body_of(answer)

    assert answer.status_code == 206
    assert part == whole[first : None if last is None else last + 1]
    start = first % track.size
    assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{track.size}"
    assert answer.headers["Content-Length"] == str(len(part))


async def test_a_part_beyond_the_end_is_refused(link: str, track: Track) -> None:
    answer = await opened(link, range=f"bytes={track.size}-")

    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{track.size}")


@pytest.mark.parametrize("asked", ["bytes=0-1,5-9", "items=0-1", "bytes=9-1", "bytes=-"])
async def test_what_is_no_single_range_sends_the_whole_file(link: str, asked: str) -> None:
    assert (await opened(link, range=asked)).status_code == 200


async def test_a_range_of_another_version_sends_the_whole_file(link: str, track: Track) -> None:
    other = await opened(link, range="bytes=0-9", if_range='"other"')
    same = await opened(link, range="bytes=0-9", if_range=f'"{track.sha256}"')

    assert (other.status_code, same.status_code) == (200, 206)


async def test_an_unchanged_file_is_not_sent_again(link: str, track: Track) -> None:
    assert (await opened(link, if_none_match=f'"{track.sha256}"')).status_code == 304


@pytest.mark.parametrize("change", [("/v1/audio/", "/v1/audio/x"), ("test-song-1.mp3", "other-1.mp3")])
async def test_a_changed_link_is_not_found(link: str, change: tuple[str, str]) -> None:
    answer = await opened(link.replace(*change))

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_a_link_ends_after_a_week(link: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1), tick=False):
        answer = await opened(link)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_a_file_that_is_gone_is_not_found(link: str, track: Track) -> None:
    default_storage.delete(track.file)

    assert (await opened(link)).status_code == 404


async def test_a_reader_that_leaves_closes_the_file(link: str, track: Track) -> None:
    part = FilePart(default_storage.open(track.file), Part(0, track.size - 1))
    answer = StreamingHttpResponse(part)

    await anext(aiter(answer))
    answer.close()

    assert part.file.closed


async def test_pcm_says_its_rate_and_channels(shop: Shop) -> None:
    job = await shop.finished(await shop.ordered(audio_setting={"format": "pcm", "sample_rate": 16000, "channel": 1}))
    link = (await shop.get(f"{SONGS}/{job.pk}")).json()["audio"].removeprefix("http://127.0.0.1:8000")

    assert (await opened(link)).headers["Content-Type"] == "audio/L16;rate=16000;channels=1"
