"""Each arrow of a job's life, and what happens when it is walked twice or too late."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import Membership, Role
from accounts.services.api_keys import issue_key
from accounts.tenancy import scope
from billing.services.books import check_books
from billing.services.credits import balance_of
from generation.contract import Delivery, Fault, RawTake, Refusal
from generation.models import Attempt, Event, Job, Track
from generation.providers.base import ProviderError, Seen
from generation.services.cancel import cancel_job
from generation.services.claim import claim
from generation.services.finish import finish
from generation.services.raw_files import keep_raw
from generation.services.receive import receive, store_raw
from generation.services.retry import pause_after, retry_or_fail
from generation.services.settle import settle
from generation.services.sweep import Swept, sweep, sweep_if_due
from generation.states import AttemptState, JobState
from tests.generation.worlds import (
    SONG_COST,
    SONG_PRICE,
    World,
    caller_of,
    claimed,
    finished,
    log_of,
    new_runner,
    received,
    silence,
    submitted,
    wav,
)

pytestmark = pytest.mark.both_databases


def spent(world: World) -> tuple[int, int]:
    """Charged and still held of the customer's ten songs' worth of credits."""
    now = balance_of(world.customer.pk, live=True)
    return 10 * SONG_PRICE - now.available_micro - now.held_micro, now.held_micro


def state_of(job: Job) -> str:
    return Job.unscoped.get(pk=job.pk).state


# --- claim --------------------------------------------------------------------------------------------------------


def test_claim_begins_an_attempt_before_any_upstream_is_called(world: World) -> None:
    work = claimed(submitted(world))

    attempt = Attempt.unscoped.get()
    assert (attempt.number, attempt.state, attempt.token) == (1, AttemptState.SUBMITTING, work.token)


def test_claim_of_a_job_in_hand_gives_nothing(world: World) -> None:
    job = submitted(world)
    claimed(job)

    assert claim(job.pk, runner_id=new_runner().pk) is None
    assert log_of(job) == ["queued", "started"]


def test_claim_before_the_pause_is_over_gives_nothing(world: World) -> None:
    job = submitted(world)
    Job.unscoped.update(run_after=timezone.now() + timedelta(minutes=1))

    assert claim(job.pk, runner_id=new_runner().pk) is None


def test_claim_past_the_deadline_gives_nothing(world: World) -> None:
    job = submitted(world)
    Job.unscoped.update(deadline=timezone.now())

    assert claim(job.pk, runner_id=new_runner().pk) is None


def test_claim_of_a_test_order_goes_to_rehearsal_whatever_the_mapping_says(world: World) -> None:
    world.mapping.upstream.provider = "minimax"
    world.mapping.upstream.save()
    job = submitted(world)
    Job.unscoped.update(upstream=None, live=False)

    assert claimed(job).provider == "rehearsal"


def test_upstream_has_its_own_time_but_none_beyond_the_jobs(world: World) -> None:
    assert 890 < claimed(submitted(world)).access.deadline_seconds <= 900

    world.mapping.upstream.deadline_seconds = 60
    world.mapping.upstream.save()
    assert claimed(submitted(world)).access.deadline_seconds == 60

    job = submitted(world)
    Job.unscoped.filter(pk=job.pk).update(deadline=timezone.now() + timedelta(seconds=30))
    assert 20 < claimed(job).access.deadline_seconds <= 30


# --- finish and settle --------------------------------------------------------------------------------------------


def test_song_that_came_is_stored_charged_and_done(world: World) -> None:
    job = finished(submitted(world))

    track = Track.unscoped.get()
    with default_storage.open(track.file) as file:
        stored = file.read()
    assert (job.state, job.charged_micro) == (JobState.SUCCEEDED, SONG_PRICE)
    assert (track.format, track.sha256, track.size) == ("mp3", hashlib.sha256(stored).hexdigest(), len(stored))
    assert log_of(job) == ["queued", "started", "take", "succeeded"]
    assert spent(world) == (SONG_PRICE, 0)
    assert check_books() == []


def test_raw_answer_is_removed_once_the_job_has_ended(world: World, django_capture_on_commit_callbacks: object) -> None:
    work = received(submitted(world))
    [came] = Attempt.unscoped.get().raw

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        finish(work.token)

    assert Attempt.unscoped.get().raw == []
    assert not default_storage.exists(came["file"])


@pytest.mark.parametrize(("good", "charged"), [(0, 0), (1, SONG_PRICE), (2, 2 * SONG_PRICE), (3, 3 * SONG_PRICE)])
def test_takes_are_charged_one_by_one(world: World, settings, good: int, charged: int) -> None:
    settings.TUTTI_MAX_ATTEMPTS = 1
    takes = [wav(1 + take) if take < good else silence() for take in range(3)]

    job = finished(submitted(world, takes=3), *takes)

    assert (job.state, job.charged_micro) == (JobState.SUCCEEDED if good else JobState.FAILED, charged)
    assert [track.charged_micro for track in Track.unscoped.all()] == [SONG_PRICE] * good
    assert log_of(job).count("take_failed") == 3 - good
    assert spent(world) == (charged, 0)
    assert check_books() == []


def test_bad_take_is_made_once_more_inside_the_same_hold(world: World) -> None:
    job = finished(submitted(world, takes=2), wav(), silence())

    assert state_of(job) == JobState.QUEUED
    assert spent(world) == (0, 2 * SONG_PRICE)

    second = claimed(job)
    assert (second.takes, second.song.takes) == ((1,), 1)
    receive(second, store_raw(second, Delivery(takes=(RawTake(audio=silence()),))), lyrics=None)
    finish(second.token)

    ended = Job.unscoped.get()
    assert (ended.state, ended.charged_micro) == (JobState.SUCCEEDED, SONG_PRICE)
    assert log_of(ended) == ["queued", "started", "take", "retrying", "started", "take_failed", "succeeded"]
    assert spent(world) == (SONG_PRICE, 0)


def test_finish_told_twice_delivers_and_charges_once(world: World) -> None:
    work = received(submitted(world))

    finish(work.token)
    finish(work.token)

    assert Track.unscoped.count() == 1
    assert spent(world) == (SONG_PRICE, 0)


def test_settle_by_a_runner_that_lost_the_job_changes_nothing(world: World) -> None:
    job = submitted(world)
    first = claimed(job, new_runner(lease=timedelta(seconds=-1)))
    sweep()
    second = claimed(job)

    assert not settle(job.pk, token=first.token, fault=Fault("internal_error", "late"))
    assert Job.unscoped.get().token == second.token


def test_length_that_was_promised_and_not_kept_is_bad_audio(world: World, settings) -> None:
    settings.TUTTI_MAX_ATTEMPTS = 1
    world.mapping.llm.limits = {"prompt": [1, 100], "promises_length": True}
    world.mapping.llm.save()

    job = finished(submitted(world, duration_seconds=10.0), wav(2))

    assert (job.state, job.error_code, job.charged_micro) == (JobState.FAILED, "bad_audio", 0)


def test_cost_is_owed_by_the_seller_to_the_provider_for_what_was_delivered(world: World) -> None:
    from billing.models import Account, AccountKind, Transfer

    finished(submitted(world))

    payable = Account.unscoped.get(organization=world.provider, kind=AccountKind.PAYABLE, live=True)
    assert [transfer.amount for transfer in Transfer.objects.filter(credit=payable)] == [SONG_COST]


def test_songs_priced_by_tokens_are_charged_by_what_was_asked_and_made(world: World) -> None:
    world.mapping.sale_prices.prices.update(unit="1k tokens", amount_micro=1_000_000)
    prompt = "x" * 40  # ten tokens; a begun second of audio is twenty-five

    job = finished(submitted(world, prompt=prompt), wav(1.5))

    assert job.charged_micro == (10 + 2 * 25) * 1000


def test_finish_leaves_an_answer_alone_while_another_worker_is_at_it(world: World) -> None:
    work = received(submitted(world))
    Attempt.unscoped.update(finishing_until=timezone.now() + timedelta(minutes=1))

    finish(work.token)

    assert (Track.unscoped.count(), state_of(Job.unscoped.get())) == (0, JobState.RUNNING)


def test_finish_that_stumbles_may_begin_again_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    work = received(submitted(world))
    with monkeypatch.context() as broken:
        broken.setattr(default_storage, "save", _full_disk)
        with pytest.raises(OSError, match="no space"):
            finish(work.token)

    finish(work.token)

    assert state_of(Job.unscoped.get()) == JobState.SUCCEEDED


def _full_disk(name: str, content: object) -> str:
    raise OSError("no space")


def test_bad_take_of_a_job_that_was_cancelled_meanwhile_adds_nothing_to_its_log(world: World, settings) -> None:
    settings.TUTTI_MAX_ATTEMPTS = 1
    job = submitted(world)
    work = received(job, silence())
    attempt = Attempt.unscoped.get()
    cancel_job(job.pk, caller=world.caller)
    Attempt.unscoped.filter(pk=attempt.pk).update(state=AttemptState.RECEIVED, raw=attempt.raw, finishing_until=None)

    finish(work.token)

    assert log_of(job) == ["queued", "started", "cancelled"]


def test_files_a_crash_left_beside_the_answer_go_with_the_jobs_end(
    world: World, django_capture_on_commit_callbacks: object
) -> None:
    work = received(submitted(world))
    left = keep_raw(work.job_id, attempt=7, take=0, audio=b"half of it")

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        finish(work.token)

    assert not default_storage.exists(left)


def test_take_that_is_made_again_has_a_seed_of_its_own(world: World) -> None:
    job = finished(submitted(world, takes=2, seed=5), wav(), silence())

    assert claimed(job).song.seed == 6


# --- events -------------------------------------------------------------------------------------------------------


def test_events_are_numbered_from_one_without_gaps(world: World) -> None:
    job = finished(submitted(world, takes=2), wav(), wav(2))

    assert list(job.events.values_list("seq", flat=True)) == [1, 2, 3, 4, 5]
    assert job.last_seq == 5


def test_event_is_never_changed_or_removed(world: World) -> None:
    event = Event.unscoped.get(job=submitted(world))

    with pytest.raises(TypeError, match="never changed"):
        event.save()
    with pytest.raises(TypeError, match="never removed"):
        event.delete()


# --- retry --------------------------------------------------------------------------------------------------------


def failure(*, seen: Seen = "not_made", retryable: bool = True, retry_after: float | None = None) -> ProviderError:
    return ProviderError("upstream_error", "It did not work.", seen=seen, retryable=retryable, retry_after=retry_after)


def test_known_failure_is_tried_again_after_the_pause_the_upstream_asked_for(world: World) -> None:
    job = submitted(world)

    retry_or_fail(claimed(job), failure(retry_after=7))

    waiting = Job.unscoped.get()
    assert (waiting.state, log_of(waiting)[-1]) == (JobState.QUEUED, "retrying")
    assert timedelta(seconds=6) < waiting.run_after - timezone.now() <= timedelta(seconds=7)
    assert spent(world) == (0, SONG_PRICE)


def test_upstream_that_asks_for_no_pause_is_given_a_growing_one(world: World, settings) -> None:
    settings.TUTTI_MAX_ATTEMPTS = 3
    job, pauses = submitted(world), []

    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(2):
            retry_or_fail(claimed(job), failure(retry_after=0))
            run_after = Job.unscoped.get().run_after
            pauses.append(run_after - timezone.now())
            clock.move_to(run_after)

    assert pauses == [timedelta(seconds=1), timedelta(seconds=2)]


def test_known_failure_at_the_last_attempt_ends_the_job_and_costs_nothing(world: World, settings) -> None:
    settings.TUTTI_MAX_ATTEMPTS = 1
    retry_or_fail(claimed(submitted(world)), failure())

    job = Job.unscoped.get()
    assert (job.state, job.error_code, job.is_flagged) == (JobState.FAILED, "upstream_error", False)
    assert spent(world) == (0, 0)


def test_failure_of_unknown_fate_is_never_tried_again_but_flagged(world: World) -> None:
    retry_or_fail(claimed(submitted(world)), failure(seen="unknown"))

    job = Job.unscoped.get()
    assert (job.state, job.is_flagged) == (JobState.FAILED, True)
    assert spent(world) == (0, 0)


def test_pause_that_ends_past_the_deadline_ends_the_job_now(world: World) -> None:
    job = submitted(world)

    retry_or_fail(claimed(job), failure(retry_after=100_000))

    assert state_of(job) == JobState.FAILED


def test_pause_doubles_up_to_a_minute() -> None:
    assert [pause_after(number) for number in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


# --- cancel -------------------------------------------------------------------------------------------------------


def test_cancel_of_a_waiting_job_releases_its_hold(world: World) -> None:
    job = submitted(world)

    cancel_job(job.pk, caller=world.caller)

    assert (state_of(job), log_of(job)) == (JobState.CANCELLED, ["queued", "cancelled"])
    assert spent(world) == (0, 0)


def test_cancel_of_a_waiting_job_whose_upstream_has_the_order_and_bills_is_flagged(world: World) -> None:
    world.mapping.upstream.provider = "openai_music"
    world.mapping.upstream.save()
    job = submitted(world, lyrics="la")
    claimed(job, new_runner(lease=timedelta(seconds=-1)))
    Attempt.unscoped.update(tickets=["s1"])
    sweep()
    assert (state_of(job), Attempt.unscoped.get().state) == (JobState.QUEUED, AttemptState.SUBMITTING)

    with scope(world.customer):
        cancel_job(job.pk, caller=world.caller)

    ended = Job.unscoped.get(pk=job.pk)
    assert (ended.state, ended.is_flagged, spent(world)) == (JobState.CANCELLED, True, (0, 0))


@pytest.mark.parametrize("is_tried", [False, True])
def test_cancel_of_a_waiting_job_that_no_upstream_has_flags_nothing(world: World, is_tried: bool) -> None:
    world.mapping.upstream.provider = "openai_music"
    world.mapping.upstream.save()
    job = submitted(world, lyrics="la")
    if is_tried:
        retry_or_fail(claimed(job), failure())

    with scope(world.customer):
        cancel_job(job.pk, caller=world.caller)

    ended = Job.unscoped.get(pk=job.pk)
    assert (ended.state, ended.is_flagged, spent(world)) == (JobState.CANCELLED, False, (0, 0))


def test_cancel_charges_the_takes_delivered_before(world: World) -> None:
    job = submitted(world, takes=2)
    finished(job, wav(), silence())
    assert state_of(job) == JobState.QUEUED

    cancel_job(job.pk, caller=world.caller)

    assert Job.unscoped.get().charged_micro == SONG_PRICE
    assert spent(world) == (SONG_PRICE, 0)


def test_result_after_cancel_is_kept_out_and_its_cost_noted(
    world: World, django_capture_on_commit_callbacks: object
) -> None:
    job = submitted(world)
    work = claimed(job)
    cancel_job(job.pk, caller=world.caller)
    raw = store_raw(work, Delivery(takes=(RawTake(audio=wav()),)))

    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        is_kept = receive(work, raw, lyrics=None)

    attempt = Attempt.unscoped.get()
    assert (is_kept, attempt.state, attempt.cost_micro) == (False, AttemptState.LATE, SONG_COST)
    assert not default_storage.exists(raw[0]["file"])
    assert (Track.unscoped.count(), spent(world)) == (0, (0, 0))


def test_cancel_twice_is_no_error(world: World) -> None:
    job = submitted(world)
    cancel_job(job.pk, caller=world.caller)
    cancel_job(job.pk, caller=world.caller)

    assert log_of(job) == ["queued", "cancelled"]


def test_cancel_of_a_finished_job_is_refused(world: World) -> None:
    job = finished(submitted(world))

    with pytest.raises(Refusal) as refused:
        cancel_job(job.pk, caller=world.caller)

    assert refused.value.code == "already_final"
    assert spent(world) == (SONG_PRICE, 0)


def test_cancel_by_the_key_that_ordered_needs_no_member(world: World) -> None:
    key, _ = issue_key(organization=world.customer, member=None, name="machine", live=True)
    machine = Caller(
        organization=world.customer, member=None, api_key=key, live=True, words=frozenset({"generation.cancel"})
    )
    job = submitted(world, caller=machine)

    cancel_job(job.pk, caller=machine)

    assert state_of(job) == JobState.CANCELLED


def test_cancel_of_a_colleagues_job_needs_the_right_to_manage(world: World) -> None:
    job = submitted(world)
    member, admin = (caller_of(world.customer, role=role) for role in (Role.MEMBER, Role.ADMIN))

    with pytest.raises(Refusal) as refused:
        cancel_job(job.pk, caller=member)
    assert refused.value.code == "permission_denied"

    cancel_job(job.pk, caller=admin)
    assert state_of(job) == JobState.CANCELLED
    assert Membership.unscoped.count() == 3


# --- sweep --------------------------------------------------------------------------------------------------------


def test_sweep_gives_a_lost_runners_job_back_to_the_queue(world: World) -> None:
    job = submitted(world)
    claimed(job, new_runner(lease=timedelta(seconds=-1)))

    assert sweep() == Swept(lost=1)
    assert (state_of(job), Attempt.unscoped.get().state) == (JobState.QUEUED, AttemptState.LOST)


def test_sweep_leaves_a_living_runners_job_alone(world: World) -> None:
    job = submitted(world)
    claimed(job)

    assert sweep() == Swept()
    assert state_of(job) == JobState.RUNNING


def test_sweep_of_an_answered_job_goes_on_at_the_audio_step(world: World) -> None:
    job = submitted(world)
    received(job, wav(), runner=new_runner(lease=timedelta(seconds=-1)))
    sweep()

    again = claimed(job)

    assert again.is_received
    finish(again.token)
    assert (state_of(job), Track.unscoped.count()) == (JobState.SUCCEEDED, 1)
    assert spent(world) == (SONG_PRICE, 0)


def test_sweep_never_orders_again_from_an_upstream_that_bills(world: World) -> None:
    world.mapping.upstream.provider = "bills-for-each-song"
    world.mapping.upstream.save()
    job = submitted(world)
    claimed(job, new_runner(lease=timedelta(seconds=-1)))

    sweep()

    ended = Job.unscoped.get(pk=job.pk)
    assert (ended.state, ended.is_flagged, ended.charged_micro) == (JobState.FAILED, True, 0)


def test_sweep_ends_what_waited_past_its_deadline(world: World) -> None:
    job = submitted(world)
    Job.unscoped.update(deadline=timezone.now())

    assert sweep() == Swept(expired=1)
    assert (state_of(job), spent(world)) == (JobState.EXPIRED, (0, 0))


def test_sweep_sends_a_lost_hint_again_with_a_growing_pause(world: World) -> None:
    submitted(world)
    assert sweep().sent_again == 0

    Job.unscoped.update(sent_at=timezone.now() - timedelta(seconds=11))
    assert sweep().sent_again == 1

    Job.unscoped.update(sent_at=timezone.now() - timedelta(seconds=11))
    assert sweep().sent_again == 0


def test_sweep_at_the_start_of_a_process_sends_everything_that_waits(world: World) -> None:
    submitted(world)
    submitted(world)

    assert sweep(resend_all=True).sent_again == 2


def test_sweep_helps_the_others_when_one_cannot_be_helped(world: World) -> None:
    beyond_help, other = submitted(world), submitted(world)
    Job.unscoped.update(deadline=timezone.now())
    Job.unscoped.filter(pk=beyond_help.pk).update(quote={"not": "a quote"})

    assert sweep().expired == 1
    assert state_of(other) == JobState.EXPIRED


def test_sweep_sends_an_answer_nobody_works_on_to_the_audio_workers(world: World) -> None:
    received(submitted(world))
    Job.unscoped.update(sent_at=timezone.now() - timedelta(seconds=11))
    assert sweep().sent_again == 1

    Job.unscoped.update(sent_at=timezone.now() - timedelta(hours=1))
    Attempt.unscoped.update(finishing_until=timezone.now() + timedelta(minutes=1))
    assert sweep().sent_again == 0


def test_sweep_flags_an_overdue_job_whose_upstream_may_bill_for_it(world: World) -> None:
    world.mapping.upstream.provider = "bills-for-each-song"
    world.mapping.upstream.save()
    claimed(submitted(world))
    Job.unscoped.update(deadline=timezone.now() - timedelta(hours=1))

    sweep()

    job = Job.unscoped.get()
    assert (job.state, job.is_flagged) == (JobState.EXPIRED, True)


def test_sweep_is_done_by_one_runner_at_a_time(world: World) -> None:
    assert sweep_if_due() == Swept()
    assert sweep_if_due() is None


def test_sweep_forgets_idempotency_keys_a_day_after_the_jobs_end(world: World) -> None:
    finished(submitted(world, key="old"))
    assert sweep().forgotten_keys == 0

    Job.unscoped.update(finished_at=timezone.now() - timedelta(hours=25))
    assert sweep().forgotten_keys == 1
