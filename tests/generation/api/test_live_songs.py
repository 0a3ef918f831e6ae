"""Songs that are heard while they are made, on the wires that answer with streams: a runner at work, an upstream that
gives what the test tells it to."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from accounts.tenancy import system_scope
from generation.audio.growing import joined
from generation.audio.wav_heads import Shape, open_head
from generation.models import Event, Job
from generation.providers.base import ProviderError
from generation.services.pieces import discard_pieces
from generation.states import FINAL
from tests.generation.api.test_minimax_errors import ORDER as MINIMAX_ORDER
from tests.generation.api.test_minimax_errors import PATH
from tests.generation.houses import at_work, eventually
from tests.generation.previews import RATE, OnCommand, grown, let_be_heard, on_command, pcm, pcm_piece
from tests.generation.shops import ORDER, SONGS, Shop
from tests.generation.worlds import SONG_PRICE, wav
from tests.scenarios.playing import play

SECONDS = 20
PIECES = [pcm_piece(1.0, part=part) for part in range(4)]
LIVE = grown(*PIECES)
STREAMED = MINIMAX_ORDER | {"stream": True}


@dataclass
class Reader:
    """Takes the frames of a stream one by one, as they come; comments are left out."""

    answer: Any

    def __post_init__(self) -> None:
        self._chunks = aiter(self.answer.streaming_content)

    async def next(self) -> dict[str, Any] | None:
        async with asyncio.timeout(SECONDS):
            async for frame in self._chunks:
                lines = [line for line in frame.decode().splitlines() if line.startswith("data: ")]
                if lines:
                    return json.loads(lines[0].removeprefix("data: "))
        return None

    async def until(self, kind: str) -> dict[str, Any]:
        while event := await self.next():
            if event["type"] == kind:
                return event
        raise AssertionError(f"the stream ended without {kind}")

    async def rest(self) -> list[dict[str, Any]]:
        events = []
        while event := await self.next():
            events.append(event)
        return events


def sound(body: dict[str, Any] | None) -> bytes:
    """The piece in an event of status 1."""
    assert body is not None
    assert (body["data"]["status"], body["extra_info"], body["base_resp"]["status_code"]) == (1, None, 0)
    return bytes.fromhex(body["data"]["audio"])


@dataclass
class Studio:
    shop: Shop
    upstream: OnCommand

    async def streamed(self, **more: Any) -> Reader:
        reader = Reader(await self.shop.post(PATH, STREAMED | more))
        await sync_to_async(eventually, thread_sensitive=False)(lambda: self.upstream.is_called)
        return reader

    async def job(self) -> Job:
        return await self.shop.behind(Job.unscoped.get)

    async def ended(self) -> Job:
        await sync_to_async(eventually, thread_sensitive=False)(lambda: Job.unscoped.get().state in FINAL)
        return await self.job()

    async def until_heard(self, pieces: int = 1) -> None:
        await sync_to_async(eventually, thread_sensitive=False)(
            lambda: Event.unscoped.filter(type="audio").count() >= pieces
        )


@pytest.fixture
def studio(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    with system_scope():
        let_be_heard(shop.world)
    with on_command(monkeypatch) as upstream, at_work():
        yield Studio(shop, upstream)


# --- the wire minimax ---------------------------------------------------------------------------------------------


async def test_pieces_come_before_the_song_is_made_and_then_the_whole(studio: Studio) -> None:
    reader = await studio.streamed()
    studio.upstream.give(PIECES[0])
    assert sound(await reader.next()) == LIVE[0]
    assert (await studio.job()).state == "running"

    studio.upstream.give(*PIECES[1:])
    studio.upstream.deliver(wav(4.0))
    *pieces, last = await reader.rest()

    assert b"".join([LIVE[0], *map(sound, pieces)]) == b"".join(LIVE)
    assert last["data"]["status"] == 2
    delivered = bytes.fromhex(last["data"]["audio"])
    assert last["extra_info"]["music_size"] == len(delivered)
    assert round(play(delivered).seconds) == round(play(b"".join(LIVE)).seconds) == 4
    assert "x-tutti-approximated" not in reader.answer.headers


@pytest.mark.parametrize("audio_format", ["wav", "pcm"])
async def test_pieces_come_in_the_ordered_format(studio: Studio, audio_format: str) -> None:
    reader = await studio.streamed(audio_setting={"format": audio_format})
    studio.upstream.give(*PIECES)
    studio.upstream.deliver(wav(4.0))
    *pieces, last = await reader.rest()

    whole = b"".join(map(sound, pieces))
    assert whole == (open_head(Shape(RATE, 2)) if audio_format == "wav" else b"") + 4 * pcm(1.0)
    assert len(bytes.fromhex(last["data"]["audio"])) >= len(joined([whole], "pcm", Shape(RATE, 2))) - 88


async def test_two_readers_are_given_the_same_pieces_whenever_they_come(studio: Studio) -> None:
    headers = {"idempotency-key": "order-1"}
    early = Reader(await studio.shop.post(PATH, STREAMED, headers=headers))
    studio.upstream.give(*PIECES[:2])
    await studio.until_heard(2)
    late = Reader(await studio.shop.post(PATH, STREAMED, headers=headers))
    assert sound(await late.next()) == LIVE[0]
    studio.upstream.give(*PIECES[2:])
    studio.upstream.deliver(wav(4.0))

    *first, last = await early.rest()
    *second, again = await late.rest()

    assert list(map(sound, first)) == [LIVE[0], *map(sound, second)]
    assert last["data"] == again["data"]
    assert late.answer.headers["Idempotent-Replayed"] == "true"


async def test_what_broke_off_is_completed_from_the_finished_song(studio: Studio) -> None:
    reader = await studio.streamed()
    studio.upstream.give(PIECES[0])
    studio.upstream.deliver(wav(4.0))

    *pieces, last = await reader.rest()

    assert sound(pieces[0]) == LIVE[0]
    assert 3.8 < play(b"".join(map(sound, pieces))).seconds < 4.3
    assert last["data"]["status"] == 2


async def test_after_a_retry_nobody_is_given_two_songs(studio: Studio) -> None:
    reader = await studio.streamed()
    studio.upstream.give(PIECES[0])
    assert sound(await reader.next()) == LIVE[0]
    busy = ProviderError("busy", "Later.", seen="not_made", retryable=True, retry_after=0.01)
    studio.upstream.give(busy, pcm_piece(1.0, pitch=330.0))
    studio.upstream.deliver(wav(1.0))

    (last,) = await reader.rest()

    assert last["data"]["status"] == 2
    assert round(play(bytes.fromhex(last["data"]["audio"])).seconds) == 1


async def test_after_a_retry_before_the_first_sound_the_next_attempt_is_heard(studio: Studio) -> None:
    reader = await studio.streamed()
    busy = ProviderError("busy", "Later.", seen="not_made", retryable=True, retry_after=0.01)
    studio.upstream.give(busy, *PIECES)
    studio.upstream.deliver(wav(4.0))

    *pieces, _ = await reader.rest()

    assert b"".join(map(sound, pieces)) == b"".join(LIVE)


async def test_a_song_that_fails_after_its_first_sound_says_why(studio: Studio) -> None:
    reader = await studio.streamed()
    studio.upstream.give(PIECES[0], ProviderError("content_policy", "Not this.", seen="not_made"))

    piece, last = await reader.rest()

    assert sound(piece) == LIVE[0]
    assert (last["data"], last["base_resp"]["status_code"]) == (None, 1026)
    assert (await studio.ended()).charged_micro == 0


async def test_a_reader_that_leaves_costs_nothing(studio: Studio) -> None:
    reader = await studio.streamed()
    studio.upstream.give(PIECES[0])
    await reader.next()
    reader.answer.close()
    studio.upstream.give(*PIECES[1:])
    studio.upstream.deliver(wav(4.0))

    assert (await studio.ended()).state == "succeeded"


async def test_a_model_that_is_heard_afterwards_is_not_asked_to_stream_and_no_wish_is_told(shop: Shop) -> None:
    answer = await shop.post(PATH, STREAMED)
    answer.close()

    assert not (await shop.behind(Job.unscoped.get)).song.partial_audio
    assert "x-tutti-approximated" not in answer.headers


async def test_a_model_that_streams_nothing_is_refused_by_name(shop: Shop) -> None:
    await shop.behind(let_be_heard, shop.world, streaming="refused")

    refused = (await shop.post(PATH, STREAMED)).json()["base_resp"]

    assert refused["status_code"] == 2013
    assert "'stream'" in refused["status_msg"]
    assert await shop.behind(Job.unscoped.count) == 0


# --- the events of a job ------------------------------------------------------------------------------------------


async def test_events_bring_the_sound_to_those_who_ask(studio: Studio) -> None:
    answer = await studio.shop.post(f"{SONGS}?audio=1", ORDER | {"stream": True})
    reader = Reader(answer)
    studio.upstream.give(PIECES[0])
    event = await reader.until("audio")
    job = await studio.job()
    song = (await studio.shop.get(f"{SONGS}/{job.pk}")).json()
    studio.upstream.deliver(wav(1.0))

    assert base64.b64decode(event.pop("data")) == LIVE[0]
    assert {name: event[name] for name in ("attempt", "take", "part", "format", "sample_rate", "channels")} == {
        "attempt": 1,
        "take": 0,
        "part": 0,
        "format": "mp3",
        "sample_rate": 44_100,
        "channels": 2,
    }
    assert "file" not in event
    assert (song["status"], song["streaming"]) == ("RUNNING", True)
    assert (await reader.rest())[-1]["type"] == "succeeded"


async def test_events_without_sound_have_no_gap_but_the_sound(studio: Studio) -> None:
    reader = Reader(await studio.shop.post(SONGS, ORDER | {"stream": True}))
    studio.upstream.give(*PIECES)
    studio.upstream.deliver(wav(4.0))

    kinds = [event["type"] for event in await reader.rest()]

    assert kinds == ["queued", "started", "take", "succeeded"]


async def test_events_are_given_for_a_model_that_streams_nothing(shop: Shop) -> None:
    await shop.behind(let_be_heard, shop.world, streaming="refused")

    answer = await shop.post(SONGS, ORDER | {"stream": True})
    answer.close()

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/event-stream")
    assert "x-tutti-approximated" not in answer.headers
    assert not (await shop.behind(Job.unscoped.get)).song.partial_audio


async def test_many_pieces_are_read_a_few_at_a_time_and_all_given(studio: Studio) -> None:
    answer = await studio.shop.post(SONGS, ORDER | {"stream": True})
    answer.close()
    studio.upstream.give(*(pcm_piece(0.5, part=part) for part in range(20)))
    studio.upstream.deliver(wav(10.0))
    job = await studio.ended()

    reader = Reader(await studio.shop.get(f"{SONGS}/{job.pk}/events?audio=1"))
    events = await reader.rest()

    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    parts = [event["part"] for event in events if event["type"] == "audio"]
    assert parts == list(range(len(parts)))
    assert len(parts) >= 20


async def test_sound_that_is_discarded_leaves_an_event_that_says_so(studio: Studio) -> None:
    answer = await studio.shop.post(SONGS, ORDER | {"stream": True})
    answer.close()
    studio.upstream.give(PIECES[0])
    studio.upstream.deliver(wav(1.0))
    job = await studio.ended()
    assert await studio.shop.behind(discard_pieces, job.pk)

    events = await Reader(await studio.shop.get(f"{SONGS}/{job.pk}/events?audio=1")).rest()

    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert {(event["data"], event["expired"]) for event in events if event["type"] == "audio"} == {("", True)}


# --- cancel -------------------------------------------------------------------------------------------------------


async def test_cancel_of_a_song_that_was_heard_answers_when_that_is_delivered(studio: Studio) -> None:
    answer = await studio.shop.post(SONGS, ORDER | {"stream": True, "duration": 4})
    answer.close()
    studio.upstream.give(*PIECES[:3])
    await studio.until_heard(3)
    job = await studio.job()

    song = (await studio.shop.post(f"{SONGS}/{job.pk}/cancel", {})).json()

    assert (song["status"], song["error"]["code"], len(song["audios"])) == ("CANCELLED", "cancelled", 1)
    assert song["usage"]["micro_credits"] == SONG_PRICE
    assert 2.9 < song["audios"][0]["duration"] < 3.2
    await sync_to_async(eventually, thread_sensitive=False)(lambda: studio.upstream.was_stopped)


async def test_cancel_of_a_song_that_was_not_heard_enough_is_free(studio: Studio) -> None:
    answer = await studio.shop.post(SONGS, ORDER | {"stream": True, "duration": 4})
    answer.close()
    studio.upstream.give(PIECES[0])
    await studio.until_heard()
    job = await studio.job()

    song = (await studio.shop.post(f"{SONGS}/{job.pk}/cancel", {})).json()

    assert (song["status"], song["audios"], song["usage"]["micro_credits"]) == ("CANCELLED", [], 0)
