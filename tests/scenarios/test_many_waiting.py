"""A thousand clients wait for slow songs in one process, and the process stays light and lively."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.scenarios.playing import play
from tests.scenarios.servers import TuttiServer

pytestmark = [pytest.mark.whole_server, pytest.mark.timeout(1500)]

WAITING = 1_000
BODY = {
    "model": "rehearsal",
    "catelogid": "music_gen",
    "prompt": "slow:60 a calm piano song",
    "lyrics": "[Verse]\nWaiting for the morning",
    "duration": 5,
}


async def wait_all_together(server: TuttiServer) -> tuple[list[httpx.Response], list[float], list[int], list[int]]:
    """The answers; the seconds other requests took meanwhile; threads and database connections, once a second."""
    key = server.demo["keys"]["funded"]
    headers = {"Authorization": f"Bearer {key}"}
    limits = httpx.Limits(max_connections=WAITING + 10)
    async with httpx.AsyncClient(limits=limits, timeout=httpx.Timeout(1200), headers=headers) as client:
        orders = [
            asyncio.ensure_future(client.post(f"{server.url}/v1/music/generations", json=BODY)) for _ in range(WAITING)
        ]
        while sum((found := await asyncio.to_thread(server.states)).values()) < WAITING:
            await asyncio.sleep(0.5)
        assert set(found) <= {"queued", "running"}, "the first songs came before the last was ordered"
        seconds, threads, connections = [], [], []
        for _ in range(100):
            begun = time.monotonic()
            answer = await client.get(f"{server.url}/v1/models")
            seconds.append(time.monotonic() - begun)
            assert answer.status_code == httpx.codes.OK
            await asyncio.sleep(0.1)
        assert not any(order.done() for order in orders), "the songs came before the others were asked"
        while not all(order.done() for order in orders):
            threads.append(server.threads())
            connections.append(server.sqlite_connections())
            await asyncio.sleep(1)
        return [order.result() for order in orders], seconds, threads, connections


def test_thousand_waiting_orders_hold_no_threads_and_all_end(tmp_path: Path) -> None:
    server = TuttiServer(tmp_path)
    server.demo  # noqa: B018 - writes the data before the server starts
    try:
        server.start()
        answers, seconds, threads, connections = asyncio.run(wait_all_together(server))
        print(f"models: {max(seconds):.3f} s at most; threads: {max(threads)}; connections: {max(connections)}")

        assert Counter(answer.status_code for answer in answers) == {200: WAITING}
        for answer in answers:
            assert round(play(httpx.get(answer.json()["audio"], timeout=60).content).seconds) == BODY["duration"]
        assert max(threads) <= 40
        assert max(connections) <= 10
        assert max(seconds) < 1
        assert server.manage("reconcile") == f"The books balance: {WAITING} jobs, no disagreement.\n"
    finally:
        server.close()
