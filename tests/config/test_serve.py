"""The one process starts, answers and stops by signal, with nothing left behind."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.scenarios.servers import TuttiServer

LATER = {"Prefer": "respond-async"}
LONG_SONG = {
    "model": "rehearsal",
    "catelogid": "music_gen",
    "prompt": "slow:60 a lullaby",
    "lyrics": "[Verse]\nSleep",
    "duration": 5,
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> TuttiServer:
    tutti = TuttiServer(tmp_path_factory.mktemp("var"))
    tutti.demo  # noqa: B018 - migrates and writes the data
    return tutti


@pytest.fixture
def server(prepared: TuttiServer) -> Iterator[TuttiServer]:
    (prepared.var / "server.log").unlink(missing_ok=True)
    yield prepared
    prepared.close()


def wait_until_refused(server: TuttiServer) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", server.port)).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.05)


def wait_until_in_hand(server: TuttiServer) -> None:
    while server.calls_upstream() == 0:
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_server_answers_then_ends_cleanly_at_a_signal(server: TuttiServer, number: signal.Signals) -> None:
    server.start()
    answer = httpx.get(f"{server.url}/healthz")

    server.send_signal(number)

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert server.wait_for_end() == 0, server.log
    assert [word for word in ("Traceback", " ERROR ", " WARNING ") if word in server.log] == []


def test_idle_server_holds_few_threads_and_connections(server: TuttiServer) -> None:
    server.start()

    assert server.threads() <= 20
    assert server.sqlite_connections() <= 4


def test_second_signal_ends_at_once_what_the_first_would_finish(server: TuttiServer) -> None:
    server.start(TUTTI_STOP_GRACE_SECONDS="100")
    server.order("funded", LONG_SONG, **LATER)
    wait_until_in_hand(server)

    server.ask_to_stop()
    wait_until_refused(server)
    assert server.is_running
    server.ask_to_stop()

    assert server.wait_for_end() == 1
    assert "Stopped at once" in server.log


def test_grace_that_runs_out_ends_the_server_cleanly(server: TuttiServer) -> None:
    server.start(TUTTI_STOP_GRACE_SECONDS="1")
    server.order("funded", LONG_SONG, **LATER)
    wait_until_in_hand(server)

    server.ask_to_stop()

    assert server.wait_for_end() == 0, server.log
    assert "Traceback" not in server.log


def test_taken_port_is_a_failure_with_the_reason(server: TuttiServer) -> None:
    with socket.create_server(("127.0.0.1", server.port)):
        server.launch()
        exit_code = server.wait_for_end()

    assert exit_code == 1
    assert "Cannot listen" in server.log
    assert "Address already in use" in server.log


def test_database_behind_the_code_is_refused(tmp_path: Path) -> None:
    server = TuttiServer(tmp_path)

    server.launch()

    assert server.wait_for_end() == 1
    assert server.log.endswith("CommandError: The database is behind the code. Run `python manage.py migrate` first.\n")
