from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from accounts.models import ApiKey
from accounts.services.api_keys import authenticate_key, revoke_key
from generation.admission import admissions
from generation.api.streams import PING, Stream
from generation.contract import Piece
from generation.dialects.registry import OPENAI_MUSIC
from generation.models import Event
from generation.services.events import Entry, record
from generation.services.finish import finish
from generation.services.note import note_piece
from generation.services.pieces import keep_piece
from generation.services.reading import Reader
from generation.waiting import waiting_room
from tests.generation.shops import ORDER, SONGS, Shop
from tests.generation.worlds import claimed, received, wav

pytestmark = pytest.mark.both_databases

SECONDS = 10


async def frames_of(answer: Any) -> list[dict[str, Any]]:
    """The frames of a stream that ends by itself."""
    async with asyncio.timeout(SECONDS):
        text = b"".join([piece async for piece in answer.streaming_content]).decode()
    return [parsed(frame) for frame in text.split("\n\n") if frame]


def parsed(frame: str) -> dict[str, Any]:
    lines = dict(line.split(": ", 1) for line in frame.strip("\n").split("\n"))
    assert list(lines) == ["id", "event", "data"]
    event = json.loads(lines["data"])
    assert (str(event["seq"]), event["type"]) == (lines["id"], lines["event"])
    return event


async def stream_of(
    shop: Shop, job_id: Any, *, ping_seconds: float = SECONDS, after: int = 0
) -> AsyncGenerator[bytes, None]:
    caller = await shop.behind(authenticate_key, shop.secret)
    return Stream(Reader(caller, OPENAI_MUSIC), job_id, "generation.read", after).frames(ping_seconds=ping_seconds)


async def test_a_finished_song_tells_its_whole_log_and_ends(shop: Shop) -> None:
    job = await shop.finished(await shop.ordered())

    answer = await shop.get(f"{SONGS}/{job.pk}/events")
    events = await frames_of(answer)

    assert answer.headers["content-type"] == "text/event-stream"
    assert [(event["seq"], event["type"]) for event in events] == [
        (1, "queued"),
        (2, "started"),
        (3, "take"),
        (4, "succeeded"),
    ]
    assert events[2]["audio"].startswith("http://127.0.0.1:8000/v1/audio/")
    assert {**events[3], "audio": "", "audios": []}["status"] == "SUCCEEDED"


async def test_a_final_event_carries_the_song_as_it_is_read(shop: Shop) -> None:
    job = await shop.finished(await shop.ordered())

    last = (await frames_of(await shop.get(f"{SONGS}/{job.pk}/events")))[-1]
    song = (await shop.get(f"{SONGS}/{job.pk}")).json()

    assert {name: last[name] for name in song} == song


async def test_a_final_event_carries_links_though_the_answer_was_wanted_in_hex(shop: Shop) -> None:
    job = await shop.finished(await shop.ordered(output_format="hex", n=2), wav(1.0), wav(1.0))

    last = (await frames_of(await shop.get(f"{SONGS}/{job.pk}/events")))[-1]
    song = (await shop.get(f"{SONGS}/{job.pk}")).json()

    told = [last["audio"], *(each["audio"] for each in last["audios"])]
    read = [song["audio"], *(each["audio"] for each in song["audios"])]
    assert [audio.startswith("http://127.0.0.1:8000/v1/audio/") for audio in told] == 3 * [True]
    assert all(bytes.fromhex(audio) for audio in read)


async def test_a_head_of_the_events_is_answered_at_once_without_a_body(shop: Shop) -> None:
    job = await shop.ordered()

    async with asyncio.timeout(SECONDS):
        answer = await shop.call("HEAD", f"{SONGS}/{job.pk}/events")

    told = (answer.status_code, answer.headers["content-type"], answer.streaming, answer.content)
    assert told == (200, "text/event-stream", False, b"")


async def test_a_stream_goes_on_after_the_last_event_that_was_seen(shop: Shop) -> None:
    job = await shop.finished(await shop.ordered())

    answer = await shop.get(f"{SONGS}/{job.pk}/events", headers={"last-event-id": "2"})

    assert [event["seq"] for event in await frames_of(answer)] == [3, 4]


@pytest.mark.parametrize("last", ["4", "5", "999999999999"])
async def test_a_reader_that_has_seen_the_end_is_told_not_to_come_back(shop: Shop, last: str) -> None:
    job = await shop.finished(await shop.ordered())

    answer = await shop.get(f"{SONGS}/{job.pk}/events", headers={"last-event-id": last})

    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_stream_that_is_at_the_end_of_a_finished_song_ends(shop: Shop) -> None:
    job = await shop.finished(await shop.ordered())
    async with aclosing(await stream_of(shop, job.pk, after=4)) as frames, asyncio.timeout(SECONDS):
        assert [frame async for frame in frames] == []


async def test_a_stream_that_was_begun_beyond_the_log_ends_with_the_song(shop: Shop) -> None:
    job = await shop.ordered()
    async with aclosing(await stream_of(shop, job.pk, ping_seconds=60, after=1000)) as frames, asyncio.timeout(SECONDS):
        ending = asyncio.ensure_future(anext(frames, None))
        await shop.finished(job)

        assert await ending is None


async def test_a_batch_that_holds_the_end_is_final_whatever_follows(shop: Shop) -> None:
    job = await shop.finished(await shop.ordered())
    late = job.finished_at
    assert late is not None
    await shop.behind(
        lambda: Event.unscoped.create(
            organization_id=job.organization_id, job=job, seq=5, type="progress", data={}, at=late
        )
    )
    reader = Reader(await shop.behind(authenticate_key, shop.secret), OPENAI_MUSIC)

    batch = await shop.behind(reader.events, job.pk, 2)

    assert (len(batch.events), batch.seq, batch.is_final) == (3, 5, True)


async def test_a_last_event_that_is_no_number_begins_at_the_start(shop: Shop) -> None:
    job = await shop.finished(await shop.ordered())

    answer = await shop.get(f"{SONGS}/{job.pk}/events", headers={"last-event-id": "x1"})

    assert [event["seq"] for event in await frames_of(answer)] == [1, 2, 3, 4]


async def test_an_order_may_be_answered_with_its_events(shop: Shop) -> None:
    answer = await shop.post(body=ORDER | {"stream": True, "mood": "blue"})
    reading = asyncio.create_task(frames_of(answer))
    job_id = (await shop.get(SONGS)).json()["data"][0]["id"]
    await shop.finished(await shop.job(job_id))

    assert [event["type"] for event in await reading] == ["queued", "started", "take", "succeeded"]
    assert (answer.status_code, answer.headers["x-tutti-ignored"]) == (200, "mood")


async def test_events_arrive_while_the_stream_is_open(shop: Shop) -> None:
    job = await shop.ordered()
    async with aclosing(await stream_of(shop, job.pk)) as frames, asyncio.timeout(SECONDS):
        first = parsed((await anext(frames)).decode())
        coming = asyncio.ensure_future(anext(frames))
        await shop.behind(claimed, job)

        assert [first["type"], parsed((await coming).decode())["type"]] == ["queued", "started"]


async def test_events_arrive_though_their_wake_up_was_lost(shop: Shop, monkeypatch: Any) -> None:
    job = await shop.ordered()
    async with aclosing(await stream_of(shop, job.pk)) as frames, asyncio.timeout(SECONDS):
        await anext(frames)
        coming = asyncio.ensure_future(anext(frames))
        monkeypatch.setattr("ground.wakeup.announce", lambda group, message: None)
        await shop.behind(record, job.pk, Entry("progress", {"progress": 5.0, "phase": "compose"}))

        assert parsed((await coming).decode())["progress"] == 5.0


async def test_audio_events_go_only_to_those_who_asked(shop: Shop) -> None:
    job = await shop.ordered()
    piece = Piece(take=0, part=0, data=bytes(3), format="mp3", sample_rate=44_100, channels=2)
    work = await shop.behind(received, job)
    await shop.behind(lambda: note_piece(work, piece, keep_piece(work, piece), duration_seconds=1))
    await shop.behind(finish, work.token)

    plain = await frames_of(await shop.get(f"{SONGS}/{job.pk}/events"))
    asked = await frames_of(await shop.get(f"{SONGS}/{job.pk}/events?audio=1"))

    assert [event["seq"] for event in plain] == [1, 2, 4, 5]
    assert [event["seq"] for event in asked] == [1, 2, 3, 4, 5]
    assert {name: asked[2][name] for name in ("take", "part", "data")} == {"take": 0, "part": 0, "data": "AAAA"}


async def test_a_quiet_stream_is_kept_alive_by_comments(shop: Shop) -> None:
    job = await shop.ordered()
    async with aclosing(await stream_of(shop, job.pk, ping_seconds=0.01)) as frames, asyncio.timeout(SECONDS):
        await anext(frames)

        assert [await anext(frames), await anext(frames)] == [PING, PING]


async def test_a_stream_ends_when_its_key_is_revoked(shop: Shop) -> None:
    job = await shop.ordered()
    async with aclosing(await stream_of(shop, job.pk)) as frames, asyncio.timeout(SECONDS):
        await anext(frames)
        await shop.behind(lambda: revoke_key(key=ApiKey.unscoped.get()))

        assert [frame async for frame in frames] == []


async def test_a_reader_that_leaves_is_forgotten(shop: Shop) -> None:
    job = await shop.ordered()
    async with aclosing(await stream_of(shop, job.pk)) as frames, asyncio.timeout(SECONDS):
        await anext(frames)
        assert list(waiting_room()._watchers) == [job.pk]

    assert (waiting_room()._watchers, waiting_room()._to_tell, admissions()._admitted) == ({}, set(), set())


async def test_a_stream_ends_when_the_process_stops(shop: Shop) -> None:
    job = await shop.ordered()
    async with aclosing(await stream_of(shop, job.pk)) as frames, asyncio.timeout(SECONDS):
        await anext(frames)
        waiting_room().close_all()

        assert [frame async for frame in frames] == []


async def test_one_who_waits_is_told_how_far_the_song_is_when_the_process_stops(shop: Shop) -> None:
    waiting_for = asyncio.create_task(shop.post(body=ORDER))
    async with asyncio.timeout(SECONDS):
        while not waiting_room()._watchers:
            await asyncio.sleep(0.01)
    waiting_room().close_all()

    answer = await waiting_for

    assert (answer.status_code, answer.json()["status"]) == (202, "PENDING")
