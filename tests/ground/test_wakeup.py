from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import threading
import time

import pytest
from channels.layers import InMemoryChannelLayer, channel_layers
from channels_redis.pubsub import RedisPubSubChannelLayer

from ground import wakeup

MESSAGE = {"jobs": [["6f3c", 1, False]]}


@pytest.fixture
def layer():
    """A channel layer of this test's own."""
    mine = InMemoryChannelLayer()
    before = channel_layers.set("default", mine)
    yield mine
    channel_layers.set("default", before)


def in_a_thread(work) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


async def first(messages) -> dict:
    async with asyncio.timeout(5):
        return await anext(messages)


async def test_a_message_from_the_loop_itself_is_heard(layer):
    async with wakeup.listening("jobs") as messages:
        wakeup.announce("jobs", MESSAGE)

        assert await first(messages) == MESSAGE


async def test_a_message_from_another_thread_is_heard(layer):
    async with wakeup.listening("jobs") as messages:
        await asyncio.to_thread(wakeup.announce, "jobs", MESSAGE)

        assert await first(messages) == MESSAGE


async def test_messages_from_many_threads_are_all_heard(layer):
    layer.capacity = 1000
    async with wakeup.listening("jobs") as messages:
        await asyncio.gather(*(asyncio.to_thread(wakeup.announce, "jobs", {"number": n}) for n in range(200)))

        heard = [(await first(messages))["number"] for _ in range(200)]

    assert sorted(heard) == list(range(200))


async def test_every_listener_of_a_group_hears_and_no_other_group_does(layer):
    async with (
        wakeup.listening("jobs") as one,
        wakeup.listening("jobs") as two,
        wakeup.listening("others") as third,
    ):
        wakeup.announce("jobs", MESSAGE)
        wakeup.announce("others", {"other": True})

        assert [await first(one), await first(two), await first(third)] == [MESSAGE, MESSAGE, {"other": True}]


async def test_a_listener_that_left_is_forgotten(layer):
    async with wakeup.listening("jobs"):
        pass

    assert layer.groups == {}


async def test_a_listener_stays_in_the_group_for_longer_than_the_layer_remembers(layer, monkeypatch):
    monkeypatch.setattr(wakeup, "REJOIN_SECONDS", 0)
    async with wakeup.listening("jobs") as messages:
        waiting = asyncio.create_task(first(messages))
        await asyncio.sleep(0)
        layer.groups.clear()
        await asyncio.sleep(0.01)
        wakeup.announce("jobs", MESSAGE)

        assert await waiting == MESSAGE


def test_announcing_where_nobody_listens_does_nothing(layer):
    in_a_thread(lambda: wakeup.announce("jobs", MESSAGE))

    assert layer.channels == {}


def test_announcing_after_the_listening_loop_has_closed_does_nothing(layer):
    async def listen_for_a_moment():
        async with wakeup.listening("jobs"):
            pass

    asyncio.run(listen_for_a_moment())
    in_a_thread(lambda: wakeup.announce("jobs", MESSAGE))

    assert layer.channels == {}


async def test_a_layer_that_is_down_is_told_once_and_raises_nothing(layer, caplog):
    async def refuse(group, message):
        raise ConnectionError("no route to the layer")

    async with wakeup.listening("jobs"):
        layer.group_send = refuse
        for _ in range(3):
            wakeup.announce("jobs", MESSAGE)
        await asyncio.sleep(0.01)

    assert [record.getMessage() for record in caplog.records] == [
        "Wake-ups are not delivered; readers look once a second instead: no route to the layer"
    ]


@pytest.fixture
def redis_layer(tmp_path):
    """A channel layer on a Redis server of this test's own."""
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("NOT TESTED: wake-ups across processes. Install redis-server to test them.")
    port = free_port()
    process = subprocess.Popen(
        [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    wait_until_open(port)
    before = channel_layers.set("default", RedisPubSubChannelLayer(hosts=[f"redis://127.0.0.1:{port}"]))
    yield
    channel_layers.set("default", before)
    process.terminate()
    process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_open(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port}")


async def test_a_message_crosses_redis(redis_layer):
    async with wakeup.listening("jobs") as messages:
        await asyncio.to_thread(wakeup.announce, "jobs", MESSAGE)

        assert await first(messages) == MESSAGE


async def test_a_process_in_which_nobody_listens_sends_over_redis(redis_layer, monkeypatch):
    async with wakeup.listening("jobs") as messages:
        monkeypatch.setattr(wakeup, "_bridge", wakeup._Bridge())
        await asyncio.to_thread(wakeup.announce, "jobs", MESSAGE)

        assert await first(messages) == MESSAGE
