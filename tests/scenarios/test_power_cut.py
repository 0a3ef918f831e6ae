"""The process dies at each step of a job's life; the next one finds everything it needs."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.scenarios.playing import play
from tests.scenarios.servers import QUICK_RECOVERY, TuttiServer

pytestmark = [pytest.mark.whole_server, pytest.mark.timeout(300)]

BODY = {
    "model": "rehearsal",
    "catelogid": "music_gen",
    "prompt": "a short folk song",
    "lyrics": "[Verse]\nThe lights went out",
    "duration": 3,
}
LATER = {"Prefer": "respond-async"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TuttiServer]:
    tutti = TuttiServer(tmp_path, **QUICK_RECOVERY)
    tutti.demo  # noqa: B018 - writes the data before the server starts
    yield tutti
    tutti.close()


def assert_delivered_and_charged_once(server: TuttiServer) -> None:
    assert server.ask_database("Track.objects.count()") == 1
    assert server.ask_database("Transfer.objects.filter(kind='charge').count()") == 1
    assert server.manage("reconcile") == "The books balance: 1 jobs, no disagreement.\n"
    job_id = server.ask_database("Job.objects.get().pk")
    key = server.demo["keys"]["funded"]
    song = httpx.get(f"{server.url}/v1/music/generations/{job_id}", headers={"Authorization": f"Bearer {key}"}).json()
    assert round(play(httpx.get(song["audio"]).content).seconds) == BODY["duration"]


@pytest.mark.parametrize(
    ("point", "calls"),
    [
        ("submitted", 1),
        ("claimed", 1),
        # The answer was lost with the memory it lay in. Rehearsal bills nobody and is asked again.
        ("answered", 2),
        ("received", 1),
        ("prepared", 1),
        ("delivered", 1),
        ("settled", 1),
    ],
)
def test_job_ends_once_after_a_power_cut(server: TuttiServer, point: str, calls: int) -> None:
    server.start(TUTTI_FAULT=point)
    try:
        server.order("funded", BODY, **LATER)
    except httpx.TransportError:
        assert point == "submitted", "only there the answer dies with the server"
    assert server.wait_for_end() == -signal.SIGKILL

    server.start()

    server.wait_for_states({"succeeded": 1})
    assert server.calls_upstream() == calls
    assert_delivered_and_charged_once(server)


def test_jobs_at_every_stage_end_once_after_a_power_cut(server: TuttiServer) -> None:
    server.start(TUTTI_RUNNER_SLOTS="6")
    slow = [{**BODY, "prompt": f"slow:{1 + number % 5} song"} for number in range(30)]
    for body in slow:
        assert server.order("funded", body, **LATER).status_code == httpx.codes.ACCEPTED
    server.kill()
    before = server.states()
    assert before.get("queued", 0) > 0

    server.start()

    server.wait_for_states({"succeeded": 30})
    assert server.ask_database("[Track.objects.count(), Transfer.objects.filter(kind='charge').count()]") == [30, 30]
    assert server.manage("reconcile") == "The books balance: 30 jobs, no disagreement.\n"


def test_asked_to_stop_running_jobs_end_and_queued_ones_stay(server: TuttiServer) -> None:
    server.start(TUTTI_RUNNER_SLOTS="20")
    for _ in range(40):
        server.order("funded", {**BODY, "prompt": "slow:15 song"}, **LATER)
    server.wait_for_states({"running": 20, "queued": 20})

    server.ask_to_stop()

    assert server.wait_for_end() == 0
    assert server.states() == {"succeeded": 20, "queued": 20}
    assert server.ask_database("Event.objects.filter(type='started').count()") == 20

    server.start()
    server.wait_for_states({"succeeded": 40})
    assert server.manage("reconcile") == "The books balance: 40 jobs, no disagreement.\n"
