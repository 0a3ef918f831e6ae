"""Waiting requests share a few threads, and a slow page delays only the requests that share its thread."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from pytest_django import Settings

from config.handler import PooledASGIHandler, PooledSockets
from config.threads import WebThread, WebThreads
from tests.config import pages
from tests.config.asgi_client import call

THREADS = 4
# A handler that lends no threads lets these tests wait for each other for ever.
pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def threads() -> WebThreads:
    return WebThreads(THREADS)


@pytest.fixture
def handler(settings: Settings, threads: WebThreads) -> PooledASGIHandler:
    settings.ROOT_URLCONF = "tests.config.pages"
    settings.MIDDLEWARE = ["config.middleware.RequestIdMiddleware", "django.middleware.common.CommonMiddleware"]
    return PooledASGIHandler(threads)


async def test_two_hundred_waiting_requests_hold_four_threads(handler: PooledASGIHandler) -> None:
    pages.may_answer["waits"] = asyncio.Event()
    before = set(threading.enumerate())

    waiting = [asyncio.create_task(call(handler, "/waits")) for _ in range(200)]
    for _ in range(20):
        await call(handler, "/answers")
    held = len(set(threading.enumerate()) - before)
    pages.may_answer["waits"].set()
    answers = await asyncio.gather(*waiting)

    assert held == THREADS
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body.split()[0] for answer in answers}) == THREADS


async def test_request_stays_on_its_thread_while_it_waits(handler: PooledASGIHandler) -> None:
    pages.may_answer["waits"] = asyncio.Event()
    waiting = [asyncio.create_task(call(handler, "/waits")) for _ in range(8)]
    await asyncio.sleep(0)
    pages.may_answer["waits"].set()

    for answer in await asyncio.gather(*waiting):
        before, after = answer.body.split()
        assert before == after


async def test_slow_page_does_not_delay_requests_on_free_threads(handler: PooledASGIHandler) -> None:
    pages.may_leave.clear()
    blocked = [asyncio.create_task(call(handler, "/blocks")) for _ in range(THREADS - 1)]
    while sum(thread.load for thread in handler.threads) < THREADS - 1:
        await asyncio.sleep(0.01)

    answers = [await call(handler, "/answers") for _ in range(8)]
    pages.may_leave.set()
    slow = await asyncio.gather(*blocked)

    free = {answer.body for answer in answers}
    assert len(free) == 1
    assert free.isdisjoint({answer.body for answer in slow})


async def test_running_call_counts_as_load() -> None:
    may_end = threading.Event()
    threads = WebThreads(2)
    busy = threads.least_busy()
    running = busy.submit(may_end.wait, 30)

    chosen = [threads.least_busy() for _ in range(4)]
    may_end.set()
    running.result()

    assert busy not in chosen
    assert busy.load == 0


def test_equally_busy_threads_take_turns() -> None:
    threads = WebThreads(3)

    chosen = [threads.least_busy() for _ in range(6)]

    assert chosen[:3] == chosen[3:]
    assert len(set(chosen)) == 3


@pytest.mark.django_db(transaction=True)
def test_pooled_connection_is_given_back_after_each_call() -> None:
    thread = WebThread(0)

    def use(*, may_be_kept: bool) -> None:
        connection.ensure_connection()
        connection.close_at = None if may_be_kept else time.monotonic()

    thread.submit(use, may_be_kept=True).result()
    kept = thread.submit(lambda: connection.connection).result()
    thread.submit(use, may_be_kept=False).result()
    given_back = thread.submit(lambda: connection.connection).result()

    assert kept is not None
    assert given_back is None


async def test_sockets_share_the_threads(threads: WebThreads) -> None:
    names: list[str] = []

    async def socket(scope: object, receive: object, send: object) -> None:
        names.append(await sync_to_async(lambda: threading.current_thread().name)())

    for _ in range(8):
        await PooledSockets(socket, threads)({"type": "websocket"}, None, None)  # type: ignore[arg-type]

    assert {name.split("-")[0] for name in names} == {"web"}
    assert len(set(names)) == THREADS
