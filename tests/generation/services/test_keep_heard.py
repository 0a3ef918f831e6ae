"""A cancelled song of which much was heard: delivered as far as it was heard, and charged."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.utils import timezone

from billing.services.books import check_books
from billing.services.credits import balance_of
from generation.audio.decode import probe
from generation.audio.label import read_label
from generation.contract import AudioFormat, Delivery, Fault, RawTake, Section
from generation.models import Attempt, Job, Track
from generation.services import finish as finish_module
from generation.services.cancel import cancel_job
from generation.services.claim import Work
from generation.services.finish import finish
from generation.services.pieces import discard_pieces
from generation.services.receive import receive, store_raw
from generation.services.retry import put_back
from generation.services.settle import settle
from generation.services.sweep import sweep
from generation.states import AttemptState, JobState
from tests.generation.previews import heard, let_be_heard, mp3_parts, pcm
from tests.generation.worlds import SONG_COST, SONG_PRICE, World, claimed, log_of, new_runner, submitted, wav

pytestmark = pytest.mark.both_databases

SECONDS = 5.0


@pytest.fixture
def heard_world(world: World) -> World:
    let_be_heard(world)
    llm = world.mapping.llm
    llm.limits = llm.limits | {"promises_length": True}  # kept for whole songs alone
    llm.save()
    return world


def begun(world: World, *, seconds: float | None = SECONDS, parts: int, **song: Any) -> Work:
    """A song of which this many seconds of its first take were heard."""
    work = claimed(submitted(world, partial_audio=True, duration_seconds=seconds, **song))
    for part, sound in enumerate(mp3_parts(parts)):
        heard(work, sound, part=part)
    return work


def cancelled(world: World, work: Work) -> Job:
    cancel_job(work.job_id, caller=world.caller)
    return Job.unscoped.get(pk=work.job_id)


def cancelled_again(world: World, job: Job) -> Job:
    cancel_job(job.pk, caller=world.caller)
    return Job.unscoped.get(pk=job.pk)


def finished(job: Job) -> Job:
    """After the audio worker has followed its hint."""
    assert job.token is not None
    finish(job.token)
    return Job.unscoped.get(pk=job.pk)


def charged(world: World) -> tuple[int, int]:
    """Charged, and still held."""
    now = balance_of(world.customer.pk, live=True)
    return 10 * SONG_PRICE - now.available_micro - now.held_micro, now.held_micro


def test_a_take_that_was_heard_more_than_half_is_delivered_and_charged(heard_world: World) -> None:
    work = begun(heard_world, parts=3)

    job = finished(cancelled(heard_world, work))

    track = Track.unscoped.get()
    with default_storage.open(track.file) as file:
        audio = bytes(file.read())
    assert (job.state, job.error_code, job.charged_micro) == (JobState.CANCELLED, "cancelled", SONG_PRICE)
    assert [kind for kind in log_of(job) if kind != "audio"] == ["queued", "started", "take", "cancelled"]
    assert abs(probe(audio).duration_ms - 3000) <= 80
    assert read_label(audio) is not None
    assert charged(heard_world) == (SONG_PRICE, 0)
    assert check_books() == []


@pytest.mark.parametrize(("seconds", "parts"), [(4.0, 2), (SECONDS, 1), (None, 3)])
def test_a_take_that_was_heard_to_the_half_or_has_no_known_length_is_not_charged(
    heard_world: World, seconds: float | None, parts: int
) -> None:
    job = cancelled(heard_world, begun(heard_world, seconds=seconds, parts=parts))

    assert (job.state, job.charged_micro, Track.unscoped.count()) == (JobState.CANCELLED, 0, 0)
    assert charged(heard_world) == (0, 0)


def test_a_model_that_always_makes_one_length_is_judged_by_it(heard_world: World) -> None:
    llm = heard_world.mapping.llm
    llm.limits = llm.limits | {"default_duration_seconds": 4.0}
    llm.save()

    job = finished(cancelled(heard_world, begun(heard_world, seconds=None, parts=3)))

    assert job.charged_micro == SONG_PRICE


def test_only_the_takes_that_were_heard_enough_are_charged(heard_world: World) -> None:
    work = begun(heard_world, parts=3, takes=3)
    heard(work, mp3_parts(1)[0], take=1)

    job = finished(cancelled(heard_world, work))

    assert list(Track.unscoped.values_list("take", flat=True)) == [0]
    assert (job.charged_micro, charged(heard_world)) == (SONG_PRICE, (SONG_PRICE, 0))


@pytest.mark.parametrize("audio_format", ["wav", "pcm", "flac"])
def test_what_was_heard_is_delivered_in_the_ordered_format(heard_world: World, audio_format: AudioFormat) -> None:
    work = claimed(submitted(heard_world, partial_audio=True, duration_seconds=SECONDS, format=audio_format))
    if audio_format == "flac":
        for part, sound in enumerate(mp3_parts(3)):
            heard(work, sound, part=part)
    else:
        heard(work, bytes(44 if audio_format == "wav" else 0) + pcm(3.0), seconds=3.0)

    finished(cancelled(heard_world, work))

    track = Track.unscoped.get()
    assert track.format == audio_format
    assert abs(track.duration_ms - 3000) <= 80


def test_what_was_heard_of_an_attempt_that_failed_is_void(heard_world: World) -> None:
    work = begun(heard_world, parts=3)
    put_back(work.job_id, work.token, error=Fault("upstream_error", "gone"), after_seconds=0)
    waiting = cancelled(heard_world, work)

    assert (waiting.state, waiting.charged_micro) == (JobState.CANCELLED, 0)


def test_the_newest_attempt_alone_counts(heard_world: World) -> None:
    work = begun(heard_world, parts=3)
    put_back(work.job_id, work.token, error=Fault("upstream_error", "gone"), after_seconds=0)
    heard(claimed(Job.unscoped.get()), mp3_parts(1)[0])

    assert cancelled(heard_world, work).charged_micro == 0


def test_a_second_cancel_does_not_get_around_the_charge(heard_world: World) -> None:
    job = cancelled(heard_world, begun(heard_world, parts=3))

    again = cancelled_again(heard_world, job)

    assert again.state == JobState.RUNNING
    assert finished(again).charged_micro == SONG_PRICE


def test_a_second_cancel_while_a_lost_runner_is_replaced_does_not_either(heard_world: World) -> None:
    job = cancelled(heard_world, begun(heard_world, parts=3))
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        sweep()
        waiting = cancelled_again(heard_world, job)
        assert waiting.state == JobState.QUEUED
        taken = claimed(waiting, new_runner())

    assert taken.is_received
    assert finished(Job.unscoped.get()).state == JobState.CANCELLED
    assert charged(heard_world) == (SONG_PRICE, 0)


def test_the_call_is_over_and_a_result_that_comes_all_the_same_is_kept_out(heard_world: World) -> None:
    work = begun(heard_world, parts=3)
    job = cancelled(heard_world, work)

    raw = store_raw(work, Delivery(takes=(RawTake(audio=wav(SECONDS)),)))
    assert not receive(work, raw, lyrics=None)
    assert not heard(work, b"more", part=3)

    assert finished(job).state == JobState.CANCELLED
    states = list(Attempt.unscoped.order_by("number").values_list("state", flat=True))
    assert states == [AttemptState.LATE, AttemptState.FAILED]
    assert abs(Track.unscoped.get().duration_ms - 3000) <= 80


def test_a_song_that_was_already_at_its_audio_step_is_charged_as_heard(heard_world: World) -> None:
    work = begun(heard_world, parts=3)
    assert receive(work, store_raw(work, Delivery(takes=(RawTake(audio=wav(SECONDS)),))), lyrics=None)

    job = cancelled(heard_world, work)
    finish(work.token)  # the worker that was told of the answer

    assert Track.unscoped.count() == 0
    assert finished(job).charged_micro == SONG_PRICE


def test_a_take_that_has_come_whole_is_delivered_whole(heard_world: World) -> None:
    work = begun(heard_world, parts=3)
    take = RawTake(audio=wav(SECONDS), sections=(Section("verse", 0, 5000),), seed=7, upstream_id="s1")
    assert receive(work, store_raw(work, Delivery(takes=(take,))), lyrics=None)

    job = finished(cancelled(heard_world, work))

    track = Track.unscoped.get()
    assert (job.state, job.charged_micro) == (JobState.CANCELLED, SONG_PRICE)
    assert (track.seed, track.upstream_id) == (7, "s1")
    assert [(one["section_type"], one["end"]) for one in track.sections] == [("verse", 5000)]
    assert abs(track.duration_ms - 5000) <= 80


def test_a_result_that_comes_after_its_take_was_sold_as_heard_is_no_cost_again(heard_world: World) -> None:
    work = begun(heard_world, parts=3, takes=2)
    finished(cancelled(heard_world, work))

    raw = store_raw(work, Delivery(takes=(RawTake(audio=wav(SECONDS)), RawTake(audio=wav(SECONDS)))))
    assert not receive(work, raw, lyrics=None)

    assert list(Track.unscoped.values_list("take", flat=True)) == [0]
    assert Attempt.unscoped.get(pk=work.attempt_id).cost_micro == SONG_COST


def test_a_take_that_was_delivered_before_is_not_charged_twice(heard_world: World) -> None:
    work = begun(heard_world, parts=3, takes=2)
    raw = store_raw(work, Delivery(takes=(RawTake(audio=wav(SECONDS)), RawTake(audio=wav(SECONDS)))))
    assert receive(work, raw, lyrics=None)
    attempt = Attempt.unscoped.get()
    finish_module._deliver(attempt, attempt.raw[0])

    job = cancelled(heard_world, work)

    assert (job.state, job.charged_micro) == (JobState.CANCELLED, SONG_PRICE)


def test_silence_that_was_heard_is_not_charged(heard_world: World) -> None:
    work = claimed(submitted(heard_world, partial_audio=True, duration_seconds=SECONDS, format="pcm"))
    heard(work, bytes(3 * 4 * 44_100), seconds=3.0)

    job = finished(cancelled(heard_world, work))

    assert (job.state, job.charged_micro, Track.unscoped.count()) == (JobState.CANCELLED, 0, 0)


def test_what_was_heard_and_is_gone_is_not_charged(heard_world: World, caplog: pytest.LogCaptureFixture) -> None:
    work = begun(heard_world, parts=3)
    discard_pieces(work.job_id)

    job = cancelled(heard_world, work)

    assert (job.state, job.charged_micro) == (JobState.CANCELLED, 0)
    assert "cancelled without a charge" in caplog.text


def test_a_deadline_that_is_near_leaves_time_for_the_audio_step(heard_world: World) -> None:
    work = begun(heard_world, parts=3)
    Job.unscoped.update(deadline=timezone.now() - timedelta(seconds=20))

    job = cancelled(heard_world, work)
    sweep()

    assert job.deadline > timezone.now() + timedelta(minutes=4)
    assert finished(job).charged_micro == SONG_PRICE


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.EXPIRED])
def test_a_song_that_its_upstream_or_its_deadline_ends_is_not_charged(heard_world: World, state: JobState) -> None:
    work = begun(heard_world, parts=3)

    settle(work.job_id, token=work.token, fault=Fault("upstream_error", "gone"), state=state)

    assert (Job.unscoped.get().state, charged(heard_world)) == (state, (0, 0))


def test_pieces_of_a_job_that_ended_go_after_a_day_and_their_events_stay(heard_world: World) -> None:
    work = begun(heard_world, parts=2)
    settle(work.job_id, token=work.token, fault=Fault("upstream_error", "gone"))
    now = timezone.now()

    with time_machine.travel(now + timedelta(hours=23, minutes=59)):
        assert sweep().discarded_pieces == 0
        assert len(default_storage.listdir(f"pieces/{work.job_id}")[1]) == 2
    with time_machine.travel(now + timedelta(hours=24, minutes=1)):
        assert sweep().discarded_pieces == 1
        assert sweep().discarded_pieces == 0

    assert not default_storage.exists(f"pieces/{work.job_id}")
    assert not Job.unscoped.get().has_pieces
    assert log_of(Job.unscoped.get()).count("audio") == 2


def test_pieces_of_a_job_under_way_stay(heard_world: World) -> None:
    begun(heard_world, parts=2)

    assert sweep().discarded_pieces == 0
