"""An audio worker that is overtaken by another on the same take: what that one stored is not its to remove."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from generation.models import Attempt, Job, Rendition, Track
from generation.services import finish as finish_module
from generation.services.cancel import cancel_job
from generation.services.finish import finish
from generation.services.retry import put_back
from generation.services.sweep import LOST
from generation.states import JobState
from tests.generation.services.test_renditions import files, offered
from tests.generation.worlds import World, claimed, received

pytestmark = pytest.mark.both_databases

FORMATS = ("mp3", "flac")


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Let something happen while the next worker prepares its take."""
    prepare = finish_module._prepare

    def let_happen(what: Callable[[], object]) -> None:
        def slowly(*given: Any) -> Any:
            monkeypatch.setattr(finish_module, "_prepare", prepare)
            prepared = prepare(*given)
            what()
            return prepared

        monkeypatch.setattr(finish_module, "_prepare", slowly)

    return let_happen


def kept() -> list[str]:
    """The files that tracks and renditions name."""
    return sorted([*Track.unscoped.values_list("file", flat=True), *Rendition.unscoped.values_list("file", flat=True)])


def state_of(job: Job) -> str:
    return Job.unscoped.get(pk=job.pk).state


def test_take_that_another_worker_delivered_and_settled_keeps_its_files(
    world: World, meanwhile: Any, django_capture_on_commit_callbacks: Any
) -> None:
    job = offered(world, *FORMATS)
    work = received(job)

    def be_faster() -> None:
        Attempt.unscoped.update(finishing_until=None)
        finish(work.token)

    meanwhile(be_faster)
    with django_capture_on_commit_callbacks(execute=True):
        finish(work.token)

    assert (state_of(job), len(kept())) == (JobState.SUCCEEDED, 2)
    assert files() == kept()


def test_take_that_another_worker_delivered_under_another_token_keeps_its_files(
    world: World, meanwhile: Any, django_capture_on_commit_callbacks: Any
) -> None:
    job = offered(world, *FORMATS)
    work = received(job)

    def deliver() -> None:
        put_back(job.pk, work.token, error=LOST, after_seconds=0, keeps_attempt=True)
        attempt = Attempt.unscoped.get(token=claimed(job).token)
        finish_module._deliver(attempt, attempt.raw[0])

    meanwhile(deliver)
    with django_capture_on_commit_callbacks(execute=True):
        finish(work.token)

    assert (state_of(job), len(kept())) == (JobState.RUNNING, 2)
    assert files() == kept()


def test_files_that_another_worker_is_about_to_deliver_stay(
    world: World, meanwhile: Any, django_capture_on_commit_callbacks: Any
) -> None:
    job = offered(world, *FORMATS)
    work = received(job)
    meanwhile(lambda: put_back(job.pk, work.token, error=LOST, after_seconds=0, keeps_attempt=True))
    with django_capture_on_commit_callbacks(execute=True):
        finish(work.token)

    left = files()
    finish(claimed(job).token)

    assert state_of(job) == JobState.SUCCEEDED
    assert left == files() == kept()


def test_files_that_no_track_has_go_after_the_end(
    world: World, meanwhile: Any, django_capture_on_commit_callbacks: Any
) -> None:
    job = offered(world, *FORMATS)
    work = received(job)
    meanwhile(lambda: cancel_job(job.pk, caller=world.caller))

    with django_capture_on_commit_callbacks(execute=True):
        finish(work.token)

    assert (state_of(job), files()) == (JobState.CANCELLED, [])
