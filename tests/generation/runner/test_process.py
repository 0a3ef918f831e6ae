"""A runner with real queue workers in this process, as `manage.py serve` has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.tenancy import system_scope
from billing.services.books import check_books
from generation.models import Attempt, Event, Job, Runner
from generation.runner import start_runner
from generation.services.cancel import cancel_job
from generation.states import AttemptState, JobState
from tests.generation.houses import AtWork, at_work, eventually
from tests.generation.worlds import World, log_of, make_world, submitted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@dataclass
class House:
    """A world, and a process at work in it."""

    world: World
    at_work: AtWork


@pytest.fixture
def slots() -> int:
    return 10


@pytest.fixture
def house(settings: Settings, tmp_path: Path, slots: int) -> Iterator[House]:
    settings.MEDIA_ROOT = tmp_path
    settings.TUTTI_RUNNER_SLOTS = slots
    with system_scope():
        world = make_world(credits_for_songs=100)
        with at_work() as working:
            yield House(world, working)


def states() -> dict[str, int]:
    rows = list(Job.unscoped.values_list("state", flat=True))
    return {state: rows.count(state) for state in rows}


def test_ordered_song_is_made_delivered_and_charged(house: House) -> None:
    job = submitted(house.world, duration_seconds=2.0)

    eventually(lambda: states() == {"succeeded": 1})

    log = [kind for kind in log_of(job) if kind != "progress"]
    assert log == ["queued", "started", "lyrics", "take", "succeeded"]
    assert check_books() == []


def test_upstream_that_is_busy_is_asked_again_until_the_last_attempt(house: House, settings: Settings) -> None:
    settings.TUTTI_MAX_ATTEMPTS = 2
    job = submitted(house.world, prompt="fail:rate_limit please")

    eventually(lambda: states() == {"failed": 1})

    kinds = [kind for kind in log_of(job) if kind != "progress"]
    assert kinds == ["queued", "started", "retrying", "started", "failed"]
    assert [attempt.state for attempt in Attempt.unscoped.all()] == [AttemptState.FAILED] * 2
    assert Job.unscoped.get().charged_micro == 0


def test_cancelled_job_frees_its_slot(house: House) -> None:
    job = submitted(house.world, prompt="slow:600 song")
    eventually(lambda: house.at_work.runner.in_hand == 1)

    cancel_job(job.pk, caller=house.world.caller)

    eventually(lambda: house.at_work.runner.in_hand == 0)
    assert states() == {"cancelled": 1}


def test_job_past_its_deadline_expires_while_its_upstream_is_still_at_it(house: House) -> None:
    house.world.mapping.deadline_seconds = 1
    house.world.mapping.save()
    job = submitted(house.world, prompt="slow:600 song")

    eventually(lambda: states() == {"expired": 1})

    assert (Job.unscoped.get().error_code, log_of(job)[-1]) == ("deadline_exceeded", "expired")
    assert check_books() == []


@pytest.mark.parametrize("slots", [3])
def test_stopping_runner_finishes_what_it_has_and_starts_nothing(house: House) -> None:
    for _ in range(8):
        submitted(house.world, prompt="slow:2 song", duration_seconds=1.0)
    eventually(lambda: states() == {"queued": 5, "running": 3})

    assert house.at_work.runner.drain(30)

    assert states() == {"queued": 5, "succeeded": 3}
    assert Event.unscoped.filter(type="started").count() == 3
    assert Runner.objects.get().lease_until <= timezone.now()


def test_runner_takes_up_what_waited_before_it_started(house: House) -> None:
    house.at_work.runner.drain(0)
    submitted(house.world, duration_seconds=1.0)
    assert states() == {"queued": 1}

    house.at_work.runner = start_runner()

    eventually(lambda: states() == {"succeeded": 1})


def test_lease_is_renewed_by_one_row(house: House, settings: Settings) -> None:
    first = Runner.objects.get().lease_until
    house.at_work.runner.drain(0)
    settings.TUTTI_LEASE_RENEW_SECONDS = 0.1
    house.at_work.runner = start_runner()

    eventually(lambda: Runner.objects.exclude(lease_until__lte=first).filter(pk=house.at_work.runner.id).exists())
    renewed = Runner.objects.get(pk=house.at_work.runner.id).lease_until
    eventually(lambda: Runner.objects.get(pk=house.at_work.runner.id).lease_until > renewed)


def test_runner_whose_row_was_cleared_away_signs_in_again(house: House, settings: Settings) -> None:
    house.at_work.runner.drain(0)
    settings.TUTTI_LEASE_RENEW_SECONDS = 0.1
    house.at_work.runner = start_runner()
    Runner.objects.filter(pk=house.at_work.runner.id).delete()

    eventually(lambda: Runner.objects.filter(pk=house.at_work.runner.id).exists())


def test_progress_is_told_in_rising_whole_percents(house: House) -> None:
    job = submitted(house.world, prompt="slow:3 song", duration_seconds=1.0)

    eventually(lambda: states() == {"succeeded": 1})

    told = [event.data["progress"] for event in job.events.filter(type="progress")]
    assert told == sorted(set(told))
    assert len(told) >= 2
    assert Job.unscoped.get().state == JobState.SUCCEEDED
