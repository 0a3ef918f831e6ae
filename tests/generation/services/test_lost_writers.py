"""Songs that are lost, or late, while their lyrics are written: judged by who was called, writer or song."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import LlmMapping
from generation.models import Attempt, Job, Runner
from generation.runner.hands import expire
from generation.services.claim import Work
from generation.services.keep_text import keep_written
from generation.services.sweep import sweep
from generation.states import AttemptState, JobState
from tests.generation.services.test_writers import spent, world
from tests.generation.texts import TEXT
from tests.generation.worlds import World, claimed, new_runner, submitted

__all__ = ["world"]
pytestmark = pytest.mark.both_databases

PAID, FREE = "bills-for-each-song", "rehearsal"
WHO_WAS_CALLED = [
    pytest.param(PAID, FREE, False, True, id="paid writer"),
    pytest.param(FREE, PAID, False, False, id="free writer"),
    pytest.param(PAID, FREE, True, False, id="free song"),
    pytest.param(FREE, PAID, True, True, id="paid song"),
]


def under_way(
    world: World, *, writer: str, song: str, is_written: bool, shape: str = "", runner: Runner | None = None
) -> Work:
    """A song in hand, whose lyrics are with their writer or have come."""
    text = LlmMapping.objects.get(operation="lyrics")
    text.upstream.provider, world.mapping.upstream.provider = writer, song
    text.upstream.save()
    world.mapping.upstream.save()
    LlmMapping.objects.filter(pk=world.mapping.pk).update(upstream_shape=shape)
    work = claimed(submitted(world), runner)
    if is_written:
        assert keep_written(work, TEXT)
    return work


def dead() -> Runner:
    return new_runner(lease=timedelta(seconds=-1))


@pytest.mark.parametrize(("writer", "song", "is_written", "is_paid"), WHO_WAS_CALLED)
def test_lost_song_is_put_back_where_who_was_called_does_not_bill(
    world: World, writer: str, song: str, is_written: bool, is_paid: bool
) -> None:
    under_way(world, writer=writer, song=song, is_written=is_written, runner=dead())

    sweep()

    job = Job.unscoped.get()
    assert (job.state, job.is_flagged) == (JobState.FAILED if is_paid else JobState.QUEUED, is_paid)
    assert (spent(world)[1] == 0) == is_paid


@pytest.mark.parametrize(("is_written", "left"), [(False, AttemptState.LOST), (True, AttemptState.SUBMITTING)])
def test_lost_song_is_asked_for_only_where_it_was_ordered(world: World, is_written: bool, left: AttemptState) -> None:
    under_way(world, writer=FREE, song="openai_music", shape="tutti", is_written=is_written, runner=dead())

    sweep()

    assert (Job.unscoped.get().state, Attempt.unscoped.get().state) == (JobState.QUEUED, left)


@pytest.mark.parametrize(("writer", "song", "is_written", "is_paid"), WHO_WAS_CALLED)
def test_overdue_song_is_flagged_where_who_was_called_bills(
    world: World, writer: str, song: str, is_written: bool, is_paid: bool
) -> None:
    under_way(world, writer=writer, song=song, is_written=is_written)
    Job.unscoped.update(deadline=timezone.now() - timedelta(hours=1))

    sweep()

    job = Job.unscoped.get()
    assert (job.state, job.is_flagged, spent(world)) == (JobState.EXPIRED, is_paid, (0, 0))


@pytest.mark.parametrize(("writer", "song", "is_written", "is_paid"), WHO_WAS_CALLED)
def test_deadline_flags_a_song_where_who_was_called_bills(
    world: World, writer: str, song: str, is_written: bool, is_paid: bool
) -> None:
    work = under_way(world, writer=writer, song=song, is_written=is_written)

    assert expire(replace(work, deadline=timezone.now()))

    job = Job.unscoped.get()
    assert (job.state, job.is_flagged, spent(world)) == (JobState.EXPIRED, is_paid, (0, 0))


@pytest.mark.parametrize("is_written", [False, True])
def test_deadline_is_held_against_the_upstream_of_the_song_once_that_was_called(world: World, is_written: bool) -> None:
    work = under_way(world, writer=PAID, song=PAID, is_written=is_written)

    expire(replace(work, deadline=timezone.now()))

    assert Attempt.unscoped.get().is_held_against == is_written
