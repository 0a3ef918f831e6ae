"""Links to takes that are heard while they are made, from an order to the last sound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from django.utils import timezone

from generation.api.growing import GrowingStream
from generation.models import Job, Track
from generation.providers.base import ProviderError
from generation.services.hearing import Hearing
from generation.states import FINAL
from generation.waiting import waiting_room
from tests.generation.api.muse import MAAS, Form, asked, task_of
from tests.generation.houses import at_work, eventually
from tests.generation.previews import OnCommand, grown, on_command, pcm_piece
from tests.generation.shops import Shop
from tests.generation.worlds import wav
from tests.scenarios.playing import play

BASE = "http://127.0.0.1:8000"
SECONDS = 20
PIECES = [pcm_piece(1.0, part=part) for part in range(4)]
LIVE = grown(*PIECES)
"""What is heard of these pieces, one by one, and at their end."""


@dataclass
class Listener:
    """A player that has opened a link and takes what comes, as it comes."""

    answer: Any
    heard: bytearray = field(default_factory=bytearray)

    def __post_init__(self) -> None:
        self._chunks: AsyncIterator[bytes] = aiter(self.answer.streaming_content)

    async def next(self) -> bytes:
        async with asyncio.timeout(SECONDS):
            chunk = await anext(self._chunks, b"")
        self.heard += chunk
        return chunk

    async def to_the_end(self) -> bytes:
        while await self.next():
            pass
        self.answer.close()
        return bytes(self.heard)


async def opened(link: str, method: str = "GET", **headers: str) -> Any:
    """A plain call: no key, no cookie."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await AsyncClient().generic(method, link.removeprefix(BASE), headers=given)


async def listening(link: str) -> Listener:
    return Listener(await opened(link))


async def until(is_so: Any) -> None:
    await sync_to_async(eventually, thread_sensitive=False)(is_so)


@dataclass
class Studio:
    """The wire as a customer meets it, with a runner at work and an upstream that obeys the test."""

    shop: Shop
    upstream: OnCommand

    async def order(self, form: Form = MAAS, **more: Any) -> str:
        task_id, _ = await task_of(self.shop, form, stream=True, n=1, **more)
        await until(lambda: self.upstream.is_called)
        return task_id

    async def heard(self, task_id: str, form: Form = MAAS) -> list[str]:
        """The links of a song once it can be heard."""
        await until(lambda: Job.unscoped.get().streaming)
        task = await asked(self.shop, form, task_id)
        assert task["status"] == "streaming"
        return [choice["stream_url"] for choice in task["choices"]]

    async def ended(self) -> Job:
        await until(lambda: Job.unscoped.get().state in FINAL)
        return await self.shop.behind(Job.unscoped.get)


@pytest.fixture
def studio(muse: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    with on_command(monkeypatch) as upstream, at_work():
        yield Studio(muse, upstream)


async def test_a_song_is_heard_while_it_is_made_and_to_its_end(studio: Studio, form: Form) -> None:
    task_id = await studio.order(form)
    studio.upstream.give(PIECES[0])
    (link,) = await studio.heard(task_id, form)
    listener = await listening(link)
    first = await listener.next()
    assert (await studio.shop.behind(Job.unscoped.get)).state == "running"

    studio.upstream.give(PIECES[1])
    second = await listener.next()
    studio.upstream.give(*PIECES[2:])
    studio.upstream.deliver(wav(4.0))
    whole = await listener.to_the_end()

    assert (first, second) == (LIVE[0], LIVE[1])
    assert whole == b"".join(LIVE)
    assert round(play(whole).seconds) == 4
    answer = listener.answer
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "audio/mpeg")
    assert (answer.headers["Cache-Control"], answer.headers["x-ai-generated"]) == ("no-store", "true")
    assert "Content-Length" not in answer.headers
    assert (await studio.ended()).state == "succeeded"


async def test_every_listener_hears_the_same_whenever_it_comes(studio: Studio) -> None:
    task_id = await studio.order()
    studio.upstream.give(PIECES[0])
    (link,) = await studio.heard(task_id)
    early = await listening(link)
    await early.next()
    studio.upstream.give(PIECES[1], PIECES[2])
    await early.next()
    late = await listening((await studio.heard(task_id))[0])
    assert await late.next() == LIVE[0]

    studio.upstream.give(PIECES[3])
    studio.upstream.deliver(wav(4.0))

    assert await early.to_the_end() == await late.to_the_end() == b"".join(LIVE)


async def test_what_was_not_given_while_it_was_made_follows_at_the_end(studio: Studio) -> None:
    task_id = await studio.order()
    studio.upstream.give(PIECES[0])
    listener = await listening((await studio.heard(task_id))[0])
    await listener.next()
    studio.upstream.deliver(wav(4.0))

    whole = await listener.to_the_end()

    assert whole.startswith(LIVE[0])
    assert 3.8 < play(whole).seconds < 4.3


async def test_a_listener_that_leaves_costs_nothing(studio: Studio) -> None:
    task_id = await studio.order()
    studio.upstream.give(PIECES[0])
    (link,) = await studio.heard(task_id)
    leaving = GrowingStream(Hearing((await studio.shop.behind(Job.unscoped.get)).pk, 0), "mp3")
    async with aclosing(leaving.chunks()) as chunks, asyncio.timeout(SECONDS):
        assert await anext(chunks) == LIVE[0]
        waiting = asyncio.ensure_future(anext(chunks))
        await asyncio.sleep(0.05)
        assert len(waiting_room()._watchers) == 1
        waiting.cancel()
        await asyncio.wait([waiting])
    assert (waiting_room()._watchers, waiting_room()._to_tell) == ({}, set())

    staying = await listening(link)
    studio.upstream.give(*PIECES[1:])
    studio.upstream.deliver(wav(4.0))

    assert await staying.to_the_end() == b"".join(LIVE)
    job = await studio.ended()
    assert (job.state, job.attempt) == ("succeeded", 1)


async def test_a_stream_ends_when_its_song_fails(studio: Studio) -> None:
    task_id = await studio.order()
    studio.upstream.give(PIECES[0])
    (link,) = await studio.heard(task_id)
    listener = await listening(link)
    await listener.next()
    studio.upstream.give(ProviderError("upstream_error", "It broke.", seen="unknown"))

    assert await listener.to_the_end() == LIVE[0]
    assert (await studio.ended()).state == "failed"
    assert (await opened(link)).status_code == 404


async def test_a_stream_ends_with_its_attempt_and_begins_anew_with_the_next(studio: Studio) -> None:
    task_id = await studio.order()
    studio.upstream.give(PIECES[0])
    (link,) = await studio.heard(task_id)
    listener = await listening(link)
    await listener.next()
    busy = ProviderError("busy", "Later.", seen="not_made", retryable=True, retry_after=0.01)
    studio.upstream.give(busy)

    assert await listener.to_the_end() == LIVE[0]
    other = pcm_piece(1.0, pitch=330.0)
    again = await listening(link)
    studio.upstream.give(other)
    studio.upstream.deliver(wav(1.0))

    assert await again.to_the_end() == b"".join(grown(other))


async def test_afterwards_the_link_brings_the_file(studio: Studio) -> None:
    task_id = await studio.order()
    studio.upstream.give(*PIECES)
    (link,) = await studio.heard(task_id)
    studio.upstream.deliver(wav(4.0))
    await studio.ended()
    track = await studio.shop.behind(Track.unscoped.get)

    answer = await opened(link)
    part = await opened(link, range="bytes=0-99")

    assert len(await Listener(answer).to_the_end()) == track.size
    assert (answer.headers["ETag"], part.status_code) == (f'"{track.sha256}"', 206)
    assert len(await Listener(part).to_the_end()) == 100


async def test_takes_are_heard_each_by_its_own_link(studio: Studio) -> None:
    task_id, _ = await task_of(studio.shop, MAAS, stream=True, n=2)
    others = [pcm_piece(1.0, take=1, pitch=330.0)]
    studio.upstream.give(PIECES[0], *others)
    first, second = [await listening(link) for link in await studio.heard(task_id)]
    studio.upstream.deliver(wav(1.0), wav(1.0))

    assert await first.to_the_end() == b"".join(grown(PIECES[0]))
    assert await second.to_the_end() == b"".join(grown(*others))


async def test_head_tells_of_the_stream_and_gives_none(studio: Studio) -> None:
    task_id = await studio.order()
    studio.upstream.give(PIECES[0])
    (link,) = await studio.heard(task_id)

    answer = await opened(link, "HEAD")

    assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, b"", "audio/mpeg")


async def test_a_link_lives_as_long_as_its_wire_promises(studio: Studio) -> None:
    task_id = await studio.order()
    studio.upstream.give(PIECES[0])
    (link,) = await studio.heard(task_id)
    studio.upstream.deliver(wav(1.0))
    await studio.ended()
    now = timezone.now()

    with time_machine.travel(now + timedelta(days=30)):
        alive = await opened(link)
        alive.close()
    with time_machine.travel(now + timedelta(days=32)):
        ended = await opened(link)

    assert (alive.status_code, ended.status_code) == (200, 404)


async def test_a_changed_link_is_not_found(studio: Studio) -> None:
    task_id = await studio.order()
    studio.upstream.give(PIECES[0])
    (link,) = await studio.heard(task_id)
    token, name = link.split("/")[-2:]
    changed = ("B" if token[20] != "B" else "C").join([token[:20], token[21:]])

    answers = [
        await opened(link.replace(token, changed)),
        await opened(link.replace(name, "other.mp3")),
        await opened(link.replace("/stream/", "/")),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_a_stream_ends_when_the_process_stops(studio: Studio) -> None:
    task_id = await studio.order()
    studio.upstream.give(PIECES[0])
    listener = await listening((await studio.heard(task_id))[0])
    await listener.next()
    waiting_room().close_all()

    assert await listener.to_the_end() == LIVE[0]
