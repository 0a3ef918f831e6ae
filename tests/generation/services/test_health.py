"""The circuit of an upstream: opened by what happened there, closed by one order on trial."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from billing.models import Hold
from catalog.models import Circuit, CircuitReason, CircuitState, Upstream
from catalog.services.circuits import open_circuit, pause_of
from generation.contract import Delivery, RawTake, Refusal
from generation.models import Attempt, Job
from generation.providers.base import Blame, ProviderError
from generation.services.cancel import cancel_job
from generation.services.claim import Work, claim
from generation.services.health import FEWEST_FAILURES, LOOKED_AT, failures_by_upstream, failures_lately
from generation.services.receive import receive, store_raw
from generation.services.retry import retry_or_fail
from generation.states import AttemptState
from tests.generation.services.test_routes import due_now, second_route
from tests.generation.worlds import World, claimed, finished, new_runner, submitted, wav

pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
def _upstream_that_bills(world: World) -> None:
    world.mapping.upstream.provider = "bills-for-each-song"
    world.mapping.upstream.save()


def failed(work: Work, *, blame: Blame = "upstream") -> None:
    retry_or_fail(work, ProviderError("upstream_error", "No.", seen="not_made", blame=blame))


def answered(work: Work) -> None:
    assert receive(work, store_raw(work, Delivery(takes=(RawTake(audio=wav()),))), lyrics=None)


def fail_often(world: World, times: int = FEWEST_FAILURES) -> None:
    for _ in range(times):
        failed(claimed(submitted(world)))


def state_of(world: World) -> CircuitState:
    circuit = Circuit.objects.filter(upstream=world.mapping.upstream).first()
    return circuit.state_at(timezone.now()) if circuit else CircuitState.CLOSED


def let_time_pass() -> None:
    """Until the next trial."""
    Circuit.objects.update(opened_until=timezone.now())


def test_circuit_opens_after_enough_failures_and_not_before(world: World) -> None:
    fail_often(world, FEWEST_FAILURES - 1)
    assert state_of(world) == CircuitState.CLOSED

    fail_often(world, 1)
    assert state_of(world) == CircuitState.OPEN


def test_circuit_stays_closed_where_more_than_half_is_made(world: World) -> None:
    for _ in range(FEWEST_FAILURES + 1):
        finished(submitted(world))

    fail_often(world)

    assert state_of(world) == CircuitState.CLOSED


def test_failures_of_long_ago_count_no_more(world: World) -> None:
    fail_often(world, FEWEST_FAILURES - 1)
    Attempt.unscoped.update(ended_at=timezone.now() - timedelta(hours=1))

    fail_often(world, 1)

    assert state_of(world) == CircuitState.CLOSED


def ended(world: World, upstream: Upstream, verdicts: str) -> list[Attempt]:
    """Attempts of one job, a second apart, the last one now: `x` was held against the upstream."""
    job = Job.unscoped.first() or submitted(world)
    now, numbers = timezone.now(), itertools.count(job.attempts.count() + 1)
    return [
        Attempt.unscoped.create(
            organization=job.organization,
            job=job,
            number=next(numbers),
            token=uuid.uuid4(),
            upstream=upstream,
            state=AttemptState.FAILED,
            is_held_against=verdict == "x",
            started_at=now,
            ended_at=now - timedelta(seconds=len(verdicts) - place),
        )
        for place, verdict in enumerate(verdicts)
    ]


def test_several_upstreams_are_counted_at_once_as_each_alone(world: World) -> None:
    first, second = world.mapping.upstream, second_route(world).upstream
    ended(world, first, "xx" + LOOKED_AT * "x" + "...")
    _, middle, _, _ = ended(world, second, "xx..")
    assert middle.ended_at is not None
    Circuit.objects.create(upstream=second, changed_at=middle.ended_at)

    wanted = {first.pk: (LOOKED_AT - 3, LOOKED_AT), second.pk: (1, 3)}
    assert failures_by_upstream([first.pk, second.pk, 0]) == wanted
    assert {pk: failures_lately(pk) for pk in wanted} == wanted


@pytest.mark.parametrize("blame", ["order", "nobody"])
def test_what_is_wrong_with_the_order_opens_no_circuit(world: World, blame: Blame) -> None:
    for _ in range(2 * FEWEST_FAILURES):
        failed(claimed(submitted(world)), blame=blame)

    assert state_of(world) == CircuitState.CLOSED


def test_what_is_wrong_with_our_account_opens_it_at_once_and_for_longer(world: World) -> None:
    failed(claimed(submitted(world)), blame="account")

    circuit = Circuit.objects.get()
    assert circuit.reason == "account"
    assert circuit.opened_until is not None
    assert circuit.opened_until - timezone.now() > timedelta(minutes=4)


def test_rehearsal_has_no_circuit(world: World) -> None:
    Upstream.unscoped.update(provider="rehearsal")

    fail_often(world, 2 * FEWEST_FAILURES)

    assert Circuit.objects.count() == 0


def test_success_on_a_closed_circuit_writes_nothing(world: World) -> None:
    finished(submitted(world))

    assert Circuit.objects.count() == 0


def test_order_while_every_circuit_is_open_is_refused_before_any_hold(world: World) -> None:
    open_circuit(world.mapping.upstream_id, reason=CircuitReason.FAILURES)

    with pytest.raises(Refusal) as refused:
        submitted(world)

    assert (refused.value.code, refused.value.retry_after) == ("busy", 15)
    assert (Job.unscoped.count(), Hold.unscoped.count()) == (0, 0)


def test_open_circuit_is_passed_by_another_route(world: World) -> None:
    other = second_route(world)
    job = submitted(world)
    open_circuit(world.mapping.upstream_id, reason=CircuitReason.FAILURES)

    assert claimed(job).mapping_id == other.pk
    assert claimed(submitted(world)).mapping_id == other.pk


def test_job_that_waited_already_waits_until_the_trial(world: World) -> None:
    job = submitted(world)
    open_circuit(world.mapping.upstream_id, reason=CircuitReason.FAILURES)

    assert claim(job.pk, runner_id=new_runner().pk) is None

    waiting = Job.unscoped.get()
    assert (waiting.state, waiting.run_after) == ("queued", Circuit.objects.get().opened_until)
    assert waiting.parked_at is not None


def test_half_open_circuit_lets_one_order_through_at_a_time(world: World) -> None:
    first, second = submitted(world), submitted(world)
    open_circuit(world.mapping.upstream_id, reason=CircuitReason.FAILURES)
    let_time_pass()

    trial = claimed(first)

    assert trial.is_on_trial
    assert claim(second.pk, runner_id=new_runner().pk) is None


def test_trial_that_is_answered_closes_the_circuit_and_calls_those_who_wait(world: World) -> None:
    first, second = submitted(world), submitted(world)
    open_circuit(world.mapping.upstream_id, reason=CircuitReason.FAILURES)
    let_time_pass()
    trial = claimed(first)
    claim(second.pk, runner_id=new_runner().pk)

    answered(trial)

    assert state_of(world) == CircuitState.CLOSED
    assert not claimed(second).is_on_trial


def test_trial_refused_for_its_own_sake_shows_that_the_upstream_is_there(world: World) -> None:
    job = submitted(world)
    open_circuit(world.mapping.upstream_id, reason=CircuitReason.FAILURES)
    let_time_pass()

    failed(claimed(job), blame="order")

    assert state_of(world) == CircuitState.CLOSED


def test_trial_that_fails_opens_it_for_twice_as_long(world: World) -> None:
    job = submitted(world)
    open_circuit(world.mapping.upstream_id, reason=CircuitReason.FAILURES)
    let_time_pass()

    failed(claimed(job))

    circuit = Circuit.objects.get()
    assert (circuit.openings, circuit.opened_until) == (2, circuit.changed_at + timedelta(seconds=30))


def test_trial_that_was_cancelled_makes_room_for_the_next(world: World) -> None:
    first, second = submitted(world), submitted(world)
    open_circuit(world.mapping.upstream_id, reason=CircuitReason.FAILURES)
    let_time_pass()
    claimed(first)

    cancel_job(first.pk, caller=world.caller)

    assert claimed(second).is_on_trial


def test_end_of_an_order_from_before_decides_nothing(world: World) -> None:
    before = claimed(submitted(world))
    open_circuit(world.mapping.upstream_id, reason=CircuitReason.FAILURES)

    answered(before)

    assert state_of(world) == CircuitState.OPEN


def test_failures_from_before_a_closing_count_no_more(world: World) -> None:
    waiting = submitted(world)
    fail_often(world)
    let_time_pass()
    answered(claimed(due_now(waiting)))

    fail_often(world, 1)

    assert state_of(world) == CircuitState.CLOSED


def test_deadline_that_passed_at_the_upstream_is_held_against_it(world: World) -> None:
    from generation.runner.hands import expire

    work = claimed(submitted(world))

    expire(replace(work, deadline=timezone.now()))

    assert Attempt.unscoped.get().is_held_against


def test_pause_doubles_up_to_its_longest() -> None:
    assert [pause_of(CircuitReason.FAILURES, opening).total_seconds() for opening in (1, 2, 3, 20)] == [15, 30, 60, 600]
    assert [pause_of(CircuitReason.ACCOUNT, opening).total_seconds() for opening in (1, 2, 20)] == [300, 600, 3600]
