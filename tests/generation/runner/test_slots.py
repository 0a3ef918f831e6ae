"""As many songs at an upstream as it has slots, however many runners and orders there are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.tenancy import system_scope
from billing.services.books import check_books
from catalog.models import Upstream
from generation import tasks
from generation.contract import Delivery, RawTake, SongRequest
from generation.models import Attempt, Job
from generation.providers import registry
from generation.providers.base import Line, ProviderError, UpstreamAccess
from generation.runner import RunnerProcess
from generation.services import routes
from generation.services.cancel import cancel_job
from generation.services.claim import claim
from generation.services.parking import call_next
from generation.services.retry import retry_or_fail
from tests.generation.houses import at_work, eventually
from tests.generation.services.test_routes import second_route
from tests.generation.worlds import World, claimed, make_world, new_runner, received, submitted, wav

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

SLOTS, ORDERS = 4, 20


class Crowded:
    """A provider that counts who is with it, and lets nobody go before its gate is opened."""

    slug = "crowded"
    repeatable = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now = 0
        self.gate = threading.Event()
        self.most = 0
        self.orders = 0

    async def make(self, song: SongRequest, upstream: UpstreamAccess, line: Line) -> Delivery:
        with self._lock:
            self.now += 1
            self.orders += 1
            self.most = max(self.most, self.now)
        while not self.gate.is_set():
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        with self._lock:
            self.now -= 1
        return Delivery(takes=(RawTake(audio=wav()),))


@pytest.fixture
def crowded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowded]:
    provider = Crowded()
    registry.provider_named.cache_clear()
    monkeypatch.setitem(registry._PROVIDERS, "crowded", lambda: provider)
    yield provider
    registry.provider_named.cache_clear()


@pytest.fixture
def crowd(settings: Settings, tmp_path: Path) -> Iterator[World]:
    settings.MEDIA_ROOT = tmp_path
    with system_scope():
        world = make_world(credits_for_songs=100)
        Upstream.unscoped.update(provider="crowded", slots=SLOTS)
        yield world


def put_aside(job: Job) -> bool:
    """Whether the job finds no way to go now."""
    return claim(job.pk, runner_id=new_runner().pk) is None


def is_called(job: Job) -> bool:
    return Job.unscoped.get(pk=job.pk).parked_at is None


def test_no_more_songs_than_slots_are_at_an_upstream_of_two_runners(
    crowd: World, crowded: Crowded, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So long that only a call by what frees a slot can wake a job in time.
    monkeypatch.setattr(routes, "PARKED", timedelta(hours=1))
    with at_work() as house:
        second = RunnerProcess(slots=50)
        second.start()
        runners = cycle([house.runner, second])
        monkeypatch.setattr(tasks, "current_runner", lambda: next(runners))
        for _ in range(ORDERS):
            submitted(crowd)
        parked = Job.unscoped.filter(parked_at__isnull=False)
        eventually(lambda: (crowded.now, parked.count()) == (SLOTS, ORDERS - SLOTS))
        crowded.gate.set()

        eventually(lambda: Job.unscoped.filter(state="succeeded").count() == ORDERS, within_seconds=60)

        second.drain(0)
    assert (crowded.orders, crowded.most) == (ORDERS, SLOTS)
    assert Job.unscoped.filter(parked_at__isnull=False).count() == 0
    assert check_books() == []


def test_full_upstream_is_passed_by_another_route(crowd: World) -> None:
    other = second_route(crowd, provider="crowded")
    Upstream.unscoped.filter(pk=crowd.mapping.upstream_id).update(slots=1)

    assert [claimed(submitted(crowd)).mapping_id for _ in range(2)] == [crowd.mapping.pk, other.pk]


@pytest.fixture
def full(crowd: World) -> World:
    Upstream.unscoped.update(slots=1)
    return crowd


def test_song_that_came_calls_the_longest_waiting(full: World) -> None:
    making, first, second = (submitted(full) for _ in range(3))
    work = claimed(making)
    assert put_aside(second)
    assert put_aside(first)

    received_by_hand(work)

    assert (is_called(first), is_called(second)) == (True, False)


def received_by_hand(work) -> None:
    from generation.services.receive import receive, store_raw

    assert receive(work, store_raw(work, Delivery(takes=(RawTake(audio=wav()),))), lyrics=None)


def test_failure_calls_the_longest_waiting(full: World) -> None:
    making, waiting = submitted(full), submitted(full)
    work = claimed(making)
    assert put_aside(waiting)

    retry_or_fail(work, ProviderError("upstream_error", "No.", seen="not_made", retryable=True))

    assert is_called(waiting)


def test_cancel_calls_the_longest_waiting(full: World) -> None:
    making, waiting = submitted(full), submitted(full)
    claimed(making)
    assert put_aside(waiting)

    cancel_job(making.pk, caller=full.caller)

    assert is_called(waiting)


def test_two_that_free_a_slot_call_two(full: World) -> None:
    making, first, second = (submitted(full) for _ in range(3))
    claimed(making)
    assert put_aside(first)
    assert put_aside(second)

    call_next(full.mapping.upstream_id)
    call_next(full.mapping.upstream_id)

    assert (is_called(first), is_called(second)) == (True, True)


def test_song_that_is_only_finished_here_holds_no_slot(full: World) -> None:
    received(submitted(full))

    assert claimed(submitted(full)).upstream_id == full.mapping.upstream_id
    assert Attempt.unscoped.filter(state="submitting").count() == 1
