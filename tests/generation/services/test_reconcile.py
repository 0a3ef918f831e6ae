from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from generation.models import Job
from generation.services.reconcile import reconcile
from generation.states import JobState
from tests.generation.worlds import World, finished, submitted

pytestmark = pytest.mark.both_databases


def kinds() -> list[str]:
    return [drift.kind for drift in reconcile().work]


def test_reconcile_of_waiting_and_finished_jobs_finds_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    submitted(world)
    finished(submitted(world))

    call_command("reconcile")

    assert capsys.readouterr().out == "The books balance: 2 jobs, no disagreement.\n"


def test_reconcile_finds_an_ended_job_whose_hold_is_open(world: World) -> None:
    submitted(world)
    Job.unscoped.update(state=JobState.FAILED, finished_at=timezone.now(), charged_micro=0)

    assert kinds() == ["ended_job_with_open_hold"]
    with pytest.raises(CommandError, match="1 disagreements among 1 jobs"):
        call_command("reconcile")


def test_reconcile_finds_a_settled_hold_of_a_job_that_goes_on(world: World) -> None:
    job = finished(submitted(world))
    Job.unscoped.filter(pk=job.pk).update(state=JobState.QUEUED, finished_at=None, charged_micro=None)

    assert kinds() == ["settled_hold_of_unfinished_job"]


def test_reconcile_finds_a_job_that_says_another_charge_than_the_ledger(world: World) -> None:
    job = finished(submitted(world))
    Job.unscoped.filter(pk=job.pk).update(charged_micro=1)

    assert kinds() == ["other_charge"]
