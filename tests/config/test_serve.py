"""The one process starts, answers and stops by signal, with nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
STOP_SECONDS = 60

Serve = Callable[[int], subprocess.Popen[str]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a migrated database."""
    folder = tmp_path_factory.mktemp("var")
    manage(folder, "migrate", "--verbosity", "0").check_returncode()
    return folder


@pytest.fixture
def serve(var: Path) -> Iterator[Serve]:
    started: list[subprocess.Popen[str]] = []

    def start(port: int) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=ROOT,
            env=environment(var),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def manage(var: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(var),
        capture_output=True,
        text=True,
        check=False,
    )


def environment(var: Path) -> dict[str, str]:
    return {**os.environ, "TUTTI_VAR": str(var), "TUTTI_LOG_LEVEL": "INFO", "DATABASE_URL": f"sqlite:///{var}/t.sqlite3"}


def wait_until_healthy(port: int, process: subprocess.Popen[str]) -> httpx.Response:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"the server does not answer:\n{process.communicate()[0]}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_server_answers_then_ends_cleanly_at_a_signal(serve: Serve, number: signal.Signals) -> None:
    port = free_port()
    process = serve(port)

    answer = wait_until_healthy(port, process)
    process.send_signal(number)
    printed, _ = process.communicate(timeout=STOP_SECONDS)

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert process.returncode == 0, printed
    assert "Traceback" not in printed
    assert " ERROR " not in printed
    assert " WARNING " not in printed


def test_idle_server_holds_few_threads_and_connections(serve: Serve, var: Path) -> None:
    port = free_port()
    process = serve(port)
    wait_until_healthy(port, process)

    threads = len(list(Path(f"/proc/{process.pid}/task").iterdir()))
    handles = [link.readlink() for link in Path(f"/proc/{process.pid}/fd").iterdir() if link.is_symlink()]
    connections = [handle for handle in handles if handle.name == "t.sqlite3"]

    assert threads <= 20
    assert len(connections) <= 4


def test_taken_port_is_a_failure_with_the_reason(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = serve(taken.getsockname()[1])
        printed, _ = process.communicate(timeout=STOP_SECONDS)

    assert process.returncode == 1
    assert "Cannot listen" in printed
    assert "Address already in use" in printed


def test_database_behind_the_code_is_refused(tmp_path: Path) -> None:
    result = manage(tmp_path, "serve", "--port", str(free_port()))

    assert result.returncode == 1
    assert result.stderr.strip() == (
        "CommandError: The database is behind the code. Run `python manage.py migrate` first."
    )
