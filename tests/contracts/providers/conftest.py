"""A house whose upstream is a stand-in, and the way an order goes through it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.tenancy import system_scope
from generation.models import Attempt, Job
from generation.providers import http
from generation.runner import preview
from generation.runner.database import DatabaseThreads
from generation.runner.hands import Hands
from generation.runner.line import News
from generation.services import retry
from generation.services.finish import finish
from generation.states import FINAL, AttemptState, JobState
from ground.outbound import OUTBOUND
from tests.generation.worlds import World, make_world, new_runner

ROOT = Path(__file__).resolve().parents[3]
STEPS = 12


class Standin:
    """The process, and its back door."""

    def __init__(self, wire: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.contracts.providers.standin", wire],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}"

    def play(self, scene: str, **options: Any) -> None:
        httpx.post(f"{self.url}/_play", json={"scene": scene, "options": options}).raise_for_status()

    def release(self) -> None:
        httpx.post(f"{self.url}/_release").raise_for_status()

    @property
    def record(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.url}/_record").json()
        return found

    def close(self) -> None:
        with suppress(BrokenPipeError):
            self._process.communicate(timeout=20)


@pytest.fixture(scope="session")
def standin_of() -> Iterator[Callable[[str], Standin]]:
    """The stand-in of a wire, started when it is first asked for."""
    running: dict[str, Standin] = {}

    def standin(wire: str) -> Standin:
        if wire not in running:
            running[wire] = Standin(wire)
        return running[wire]

    yield standin
    for one in running.values():
        one.close()


@pytest.fixture
def house(
    transactional_db: None, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A world in rows that a runner's threads can read; pauses between tries are short."""
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(retry, "pause_after", lambda attempts: 0.0)
    monkeypatch.setattr(http, "FIRST_PAUSES_SECONDS", (0.02,) * 5)
    # The songs of stand-ins are short: what can be heard of them is not gathered.
    monkeypatch.setattr(preview, "SHORTEST_SECONDS", 0.0)
    with system_scope():
        yield make_world()


def live_through(job: Job, meanwhile: Callable[[Hands], None] | None = None) -> Job:
    """Carry a job to its end with the real runner's hands and the real audio step.

    `meanwhile` runs on a thread once the upstream is at it.
    """

    async def story() -> None:
        database = DatabaseThreads(count=2)
        runner = await database.run(new_runner)
        hands = Hands(runner_id=runner.pk, database=database, news=News(database))
        try:
            for _ in range(STEPS):
                carrying = asyncio.ensure_future(hands.carry(job.pk))
                if meanwhile is not None:
                    await _until(lambda: hands.calling == 1)
                    await database.run(meanwhile, hands)
                    await hands.watch()
                await carrying
                await database.run(finish_received, job)
                if await database.run(is_final, job):
                    return
            raise AssertionError("the job does not end")
        finally:
            await OUTBOUND.close()
            database.close()

    asyncio.run(story())
    return Job.unscoped.get(pk=job.pk)


async def _until(is_so: Callable[[], bool]) -> None:
    for _ in range(500):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came about")


def finish_received(job: Job) -> None:
    """The audio step of what came; whoever waits for another try is due at once."""
    Job.unscoped.filter(pk=job.pk, state=JobState.QUEUED).update(run_after=timezone.now())
    for attempt in Attempt.unscoped.filter(job=job, state=AttemptState.RECEIVED):
        finish(attempt.token)


def is_final(job: Job) -> bool:
    return Job.unscoped.get(pk=job.pk).state in FINAL
