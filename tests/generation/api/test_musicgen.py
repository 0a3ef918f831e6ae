"""The wire `musicgen`: what its stream says, in which order, and what a client does by leaving."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import uuid
import wave
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections
from django.http import HttpRequest

from accounts.models import ApiKey
from accounts.services.api_keys import authenticate_key, revoke_key
from config.handler import PooledASGIHandler
from config.threads import WebThreads
from generation.admission import admissions
from generation.api import musicgen
from generation.api.musicgen import SongStream
from generation.api.streams import PING
from generation.contract import Fault
from generation.dialects.registry import MUSICGEN
from generation.models import Job
from generation.services.events import Entry, record
from generation.services.listen import Listener
from generation.services.reading import Reader
from generation.services.retry import put_back
from generation.services.submit import submit
from generation.waiting import waiting_room
from tests.generation.api.test_musicgen_errors import ORDER, PATH, events_of
from tests.generation.api.test_songs import first_job
from tests.generation.houses import at_work
from tests.generation.shops import Shop
from tests.generation.worlds import claimed, wav

SECONDS = 30
KEYED = {"idempotency-key": "order-1"}


async def comes_to(shop: Shop, job: Job, state: str) -> None:
    async with asyncio.timeout(SECONDS):
        while (await shop.job(str(job.pk))).state != state:
            await asyncio.sleep(0.01)


async def stream_of(shop: Shop, job: Job) -> SongStream:
    caller = await shop.behind(authenticate_key, shop.secret)
    return SongStream(Reader(caller, MUSICGEN), job.pk, HttpRequest(), Listener(job.pk))


# --- What is said -------------------------------------------------------------------------------------------------


async def test_song_is_a_start_progress_and_the_audio(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER | {"mood": "blue"})
    reading = asyncio.create_task(events_of(answer))
    job = await first_job(shop)
    await shop.finished(job, wav(1.0))

    events = await reading

    assert [event["event"] for event in events] == ["start", "progress", "completed"]
    assert list(events[-1]) == ["event", "audio"]
    with wave.open(io.BytesIO(base64.b64decode(events[-1]["audio"], validate=True))) as song:
        assert (song.getframerate(), song.getsampwidth(), song.getnchannels()) == (32_000, 2, 2)
        assert song.getnframes() == 32_000
    told = ("Content-Type", "Cache-Control", "x-ai-generated", "x-tutti-ignored")
    assert [answer.headers[name] for name in told] == ["text/event-stream", "no-cache", "true", "mood"]
    assert answer.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(("asked", "channels"), [({}, 1), ({"stereo": True}, 2)])
async def test_channels_are_the_models_unless_two_are_asked_for(
    shop: Shop, asked: dict[str, Any], channels: int
) -> None:
    answer = await shop.post(PATH, ORDER | asked)
    reading = asyncio.create_task(events_of(answer))
    await shop.finished(await first_job(shop), wav(1.0, channels=1))

    with wave.open(io.BytesIO(base64.b64decode((await reading)[-1]["audio"]))) as song:
        assert song.getnchannels() == channels


async def test_progress_never_falls_and_a_second_attempt_begins_silently(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER)
    reading = asyncio.create_task(events_of(answer))
    job = await first_job(shop)

    def live() -> None:
        for percents in ((0, 40, 25), (0, 40, 55)):
            work = claimed(job)
            for percent in percents:
                record(job.pk, Entry("progress", {"progress": percent, "phase": "compose", "expected_seconds": None}))
            put_back(job.pk, work.token, error=Fault("upstream_error", "no"), after_seconds=0)

    await shop.behind(live)
    await shop.finished(job)

    said = [event.get("progress", event["event"]) for event in await reading]
    assert said == ["start", 0.0, 40.0, 55.0, 100.0, "completed"]


async def test_model_is_the_default_of_the_wire_where_none_is_named(shop: Shop) -> None:
    mapping = shop.world.mapping
    mapping.default_for_wires = ["musicgen"]
    await shop.behind(mapping.save)

    for body in ({"description": "a"}, {"description": "a", "model": "auto"}, {"description": "a", "model": ""}):
        answer = await shop.post(PATH, body)
        assert answer.status_code == 200

    assert await shop.behind(lambda: list(Job.unscoped.values_list("model", flat=True))) == 3 * ["test-song"]


@pytest.mark.parametrize("path", [PATH, f"{PATH}/"])
async def test_wish_is_listed_as_approximated(shop: Shop, path: str) -> None:
    llm = shop.world.mapping.llm
    llm.capabilities |= {"duration": "wish"}
    await shop.behind(llm.save)

    answer = await shop.post(path, ORDER | {"duration": 15})

    assert (answer.status_code, answer.headers["x-tutti-approximated"]) == (200, "duration")


async def test_quiet_stream_is_kept_alive_by_comments(shop: Shop) -> None:
    await shop.post(PATH, ORDER)
    stream = await stream_of(shop, await first_job(shop))

    async with aclosing(stream.frames(ping_seconds=0.01)) as frames, asyncio.timeout(SECONDS):
        assert [await anext(frames), await anext(frames)] == [PING, PING]


async def test_finished_song_is_heard_again_by_who_orders_it_again(shop: Shop) -> None:
    first = await shop.post(PATH, ORDER, headers=KEYED)
    await shop.finished(await first_job(shop))
    before = await events_of(first)

    again = await shop.post(PATH, ORDER, headers=KEYED)

    assert again.headers["Idempotent-Replayed"] == "true"
    assert await events_of(again) == before


async def test_failed_song_is_told_again_to_who_orders_it_again(shop: Shop) -> None:
    await left(shop, await shop.post(PATH, ORDER | {"transno": "order-1"}))
    await comes_to(shop, await first_job(shop), "cancelled")

    again = await shop.post(PATH, ORDER | {"transno": "order-1"})

    message = "The song was cancelled when its client left. Only takes delivered before were charged."
    assert await events_of(again) == [{"event": "error", "message": message}]


# --- Who leaves ---------------------------------------------------------------------------------------------------


async def left(shop: Shop, answer: Any) -> None:
    """As the server does it: on a thread, once it has seen that nobody reads."""
    await shop.behind(answer.close)


async def test_client_that_leaves_cancels_its_song(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER)
    job = await first_job(shop)
    work = await shop.behind(claimed, job)

    await left(shop, answer)

    ended = await shop.job(str(job.pk))
    assert (ended.state, ended.error_code, ended.charged_micro, ended.token) == ("cancelled", "cancelled", 0, None)
    assert work.token is not None


async def test_client_that_leaves_behind_its_song_cancels_nothing(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER)
    job = await first_job(shop)
    await shop.finished(job)

    await left(shop, answer)

    assert (await shop.job(str(job.pk))).state == "succeeded"


async def test_last_listener_that_leaves_cancels_the_song(shop: Shop) -> None:
    first = await shop.post(PATH, ORDER, headers=KEYED)
    second = await shop.post(PATH, ORDER, headers=KEYED)
    job = await first_job(shop)
    assert second.headers["Idempotent-Replayed"] == "true"

    await left(shop, second)
    assert (await shop.job(str(job.pk))).state == "queued"
    await left(shop, second)  # closing twice is leaving once
    assert (await shop.job(str(job.pk))).state == "queued"
    await left(shop, first)

    assert (await shop.job(str(job.pk))).state == "cancelled"


async def test_listener_that_leaves_while_another_comes_takes_no_song_away(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await shop.post(PATH, ORDER, headers=KEYED)

    def while_the_first_leaves(*args: Any, **kwargs: Any) -> Any:
        joined = submit(*args, **kwargs)
        first.close()
        return joined

    monkeypatch.setattr("generation.api.orders.submit", while_the_first_leaves)
    second = await shop.post(PATH, ORDER, headers=KEYED)
    job = await first_job(shop)

    assert (second.headers["Idempotent-Replayed"], job.state) == ("true", "queued")
    await left(shop, second)
    assert (await shop.job(str(job.pk))).state == "cancelled"


async def test_order_that_was_refused_counts_no_listener(shop: Shop, settings: Any) -> None:
    settings.TUTTI_QUEUE_LIMIT = 0
    refused = await shop.post(PATH, ORDER, headers=KEYED)
    settings.TUTTI_QUEUE_LIMIT = 10
    answer = await shop.post(PATH, ORDER, headers=KEYED)

    await left(shop, answer)

    assert (refused.status_code, (await first_job(shop)).state) == (503, "cancelled")


async def test_song_is_made_where_nobody_can_tell_who_listens(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("no cache")

    monkeypatch.setattr(cache, "incr", broken)
    answer = await shop.post(PATH, ORDER, headers=KEYED)
    monkeypatch.undo()

    await left(shop, answer)

    assert "A listener was not counted" in caplog.text
    assert (await first_job(shop)).state == "queued"


async def test_listener_of_a_forgotten_count_cancels_nothing(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    answer = await shop.post(PATH, ORDER, headers=KEYED)
    cache.clear()

    await left(shop, answer)

    assert "Nobody can tell who else listens" in caplog.text
    assert (await first_job(shop)).state == "queued"


async def test_stream_of_a_revoked_key_ends_and_so_does_its_song(shop: Shop) -> None:
    answer = await shop.post(PATH, ORDER)
    job = await first_job(shop)
    reading = asyncio.create_task(events_of(answer))
    await shop.behind(lambda: revoke_key(key=ApiKey.unscoped.get()))

    assert await reading == [{"event": "error", "message": "This key may no longer order songs."}]
    await comes_to(shop, job, "cancelled")


@pytest.mark.parametrize(("headers", "state"), [({}, "cancelled"), (KEYED, "queued")])
async def test_song_outlives_the_process_for_who_can_ask_for_it_again(
    shop: Shop, headers: dict[str, str], state: str
) -> None:
    answer = await shop.post(PATH, ORDER, headers=headers)
    job = await first_job(shop)
    reading = asyncio.create_task(events_of(answer))
    async with asyncio.timeout(SECONDS):
        while not waiting_room()._watchers:
            await asyncio.sleep(0.01)
    waiting_room().close_all()

    [last] = await reading

    assert last == {"event": "error", "message": musicgen.STOPPING_KEYED if headers else musicgen.STOPPING}
    await asyncio.gather(*musicgen._under_way)
    assert (await shop.job(str(job.pk))).state == state


async def test_order_that_comes_while_the_process_stops_is_told_so(shop: Shop) -> None:
    waiting_room().close_all()

    answer = await shop.post(PATH, ORDER)

    assert await events_of(answer) == [{"event": "error", "message": musicgen.STOPPING}]
    await comes_to(shop, await first_job(shop), "cancelled")


async def test_listener_that_leaves_is_forgotten(shop: Shop) -> None:
    await shop.post(PATH, ORDER)
    job = await first_job(shop)
    async with (
        aclosing((await stream_of(shop, job)).frames(ping_seconds=0.01)) as frames,
        asyncio.timeout(SECONDS),
    ):
        await anext(frames)
        assert list(waiting_room()._watchers) == [job.pk]

    assert (waiting_room()._watchers, waiting_room()._to_tell, admissions()._admitted) == ({}, set(), set())


# --- Through the server's own application -------------------------------------------------------------------------


class Client:
    """A connection as an ASGI server has it: what was sent to it, and the moment it breaks."""

    def __init__(self, shop: Shop, body: Any, **headers: str) -> None:
        self.sent: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self.gone = asyncio.Event()
        self._body = json.dumps(body).encode()
        self._was_read = False
        self._headers = {"host": "testserver", "authorization": f"Bearer {shop.secret}", **headers}

    async def receive(self) -> dict[str, Any]:
        if not self._was_read:
            self._was_read = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Mapping[str, Any]) -> None:
        await self.sent.put(message)

    def scope(self) -> dict[str, Any]:
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": PATH,
            "raw_path": PATH.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in self._headers.items()],
            "server": ("testserver", 80),
            "client": ("127.0.0.1", 1),
        }


@pytest.fixture
def server() -> Iterator[PooledASGIHandler]:
    """What an ASGI server calls, with threads of its own."""
    threads = WebThreads(2)
    yield PooledASGIHandler(threads)
    for thread in threads:
        thread.submit(connections.close_all).result()
        thread.shutdown()


@asynccontextmanager
async def connected(server: PooledASGIHandler, shop: Shop, body: Any, **headers: str) -> AsyncIterator[Client]:
    """Until the block ends, or the client goes."""
    client = Client(shop, body, **headers)
    serving = asyncio.create_task(server(client.scope(), client.receive, client.send))
    async with asyncio.timeout(SECONDS):
        yield client
        client.gone.set()
        await serving


async def test_broken_connection_cancels_the_song(shop: Shop, server: PooledASGIHandler) -> None:
    async with connected(server, shop, ORDER) as client:
        assert (await client.sent.get())["status"] == 200
        job = await first_job(shop)

    assert (await shop.job(str(job.pk))).state == "cancelled"


async def test_connection_that_breaks_while_the_order_is_taken_cancels_it(
    shop: Shop, server: PooledASGIHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on, loop = asyncio.Event(), asyncio.get_running_loop()
    taking = musicgen.GenerateMusic.take

    def slowly(view: Any, *args: Any) -> Any:
        taken = taking(view, *args)
        asyncio.run_coroutine_threadsafe(may_go_on.wait(), loop).result(SECONDS)
        return taken

    monkeypatch.setattr(musicgen.GenerateMusic, "take", slowly)
    async with connected(server, shop, ORDER) as client:
        job = await first_job(shop)
        client.gone.set()
        await asyncio.sleep(0.1)
        may_go_on.set()

    await comes_to(shop, job, "cancelled")
    assert client.sent.empty()


async def test_one_of_two_connections_may_break(shop: Shop, server: PooledASGIHandler) -> None:
    async with connected(server, shop, ORDER, **KEYED) as first:
        assert (await first.sent.get())["status"] == 200
        async with connected(server, shop, ORDER, **KEYED) as second:
            assert (await second.sent.get())["status"] == 200
        job = await first_job(shop)
        assert job.state == "queued"
        await shop.finished(job)
        said = b""
        while b"completed" not in said:
            said += (await first.sent.get())["body"]

    assert (await shop.job(str(job.pk))).state == "succeeded"


async def test_broken_connection_frees_the_runner(shop: Shop, server: PooledASGIHandler) -> None:
    with at_work() as house:
        async with connected(server, shop, ORDER | {"description": "slow:600 song"}) as client:
            said = b""
            while b'"progress"' not in said:
                said += (await client.sent.get()).get("body", b"")
            assert house.runner.in_hand == 1

        await comes_to(shop, await first_job(shop), "cancelled")
        async with asyncio.timeout(SECONDS):
            while house.runner.in_hand:
                await asyncio.sleep(0.05)


def test_listener_of_no_job_leaves_without_harm(world: Any) -> None:
    Listener(uuid.uuid4()).leave()
