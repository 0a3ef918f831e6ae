"""A worker of the queue `upstream` is a runner; a worker of `audio` is none. As in production, each its own program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.scenarios.servers import ROOT, TuttiServer

READY_SECONDS = 60
STOP_SECONDS = 60

Work = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def tutti(tmp_path: Path) -> TuttiServer:
    """Its database and its questions; the server itself is not started."""
    prepared = TuttiServer(tmp_path)
    prepared.manage("migrate", "--verbosity", "0")
    return prepared


@pytest.fixture
def work(tutti: TuttiServer) -> Iterator[Work]:
    started: list[subprocess.Popen[bytes]] = []

    def start(queue: str) -> subprocess.Popen[bytes]:
        log = tutti.var / f"{queue}.log"
        with log.open("wb") as opened:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "config", "worker", "-Q", queue, "-P", "threads", "-c", "2"],
                cwd=ROOT,
                env={**os.environ, "TUTTI_VAR": str(tutti.var), "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}"},
                stdout=opened,
                stderr=subprocess.STDOUT,
            )
        started.append(process)
        wait_until_ready(log, process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait_until_ready(log: Path, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + READY_SECONDS
    while " ready." not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.1)


def leases_that_run(tutti: TuttiServer) -> list[bool]:
    """For each runner there ever was: does its lease run?"""
    ends = tutti.ask_database("list(Runner.objects.values_list('lease_until', flat=True))")
    return [datetime.fromisoformat(end) > datetime.now(UTC) for end in ends]


def test_upstream_worker_runs_until_its_signal_and_gives_its_lease_back(tutti: TuttiServer, work: Work) -> None:
    process = work("upstream")
    during = leases_that_run(tutti)

    process.send_signal(signal.SIGTERM)

    assert process.wait(STOP_SECONDS) == 0, (tutti.var / "upstream.log").read_text()
    assert (during, leases_that_run(tutti)) == ([True], [False])


def test_audio_worker_is_no_runner(tutti: TuttiServer, work: Work) -> None:
    process = work("audio")

    process.send_signal(signal.SIGTERM)

    assert process.wait(STOP_SECONDS) == 0, (tutti.var / "audio.log").read_text()
    assert leases_that_run(tutti) == []
