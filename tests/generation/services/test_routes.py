"""Several upstreams behind one name: which is asked, when the next is, and who is paid."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Organization
from billing.models import Account, AccountKind, Transfer
from billing.services.books import check_books
from catalog.models import LlmMapping, Price, Upstream
from generation.contract import Delivery, RawTake, Refusal
from generation.models import Attempt, Job, Track
from generation.models.job import new_id
from generation.providers.base import Blame, ProviderError, Seen
from generation.services.claim import Work
from generation.services.finish import finish
from generation.services.quoting import quote_order
from generation.services.receive import receive, store_raw
from generation.services.reconcile import reconcile
from generation.services.retry import retry_or_fail
from generation.services.routes import in_order
from tests.generation.worlds import (
    SONG_COST,
    SONG_PRICE,
    World,
    caller_of,
    claimed,
    log_of,
    order,
    program,
    silence,
    submitted,
    wav,
)

pytestmark = pytest.mark.both_databases

SECOND_COST = 3 * SONG_COST


def second_route(world: World, slug: str = "second", *, provider: str = "bills-for-each-song", **fields) -> LlmMapping:
    """Another way to the same model, dearer for its seller."""
    upstream = Upstream.unscoped.create(organization=world.seller, slug=slug, name=slug, provider=provider)
    return LlmMapping.objects.create(
        llm=world.mapping.llm,
        catalog=world.mapping.catalog,
        upstream=upstream,
        sale_prices=program(world.seller, f"{slug}-sale", 2 * SONG_PRICE),
        cost_prices=program(world.provider, f"{slug}-cost", SECOND_COST),
        **{"priority": 200} | fields,
    )


def failure(*, seen: Seen = "not_made", retryable: bool = False, blame: Blame | None = None) -> ProviderError:
    return ProviderError("upstream_error", "It did not work.", seen=seen, retryable=retryable, blame=blame)


def delivered(work: Work, *takes: bytes) -> None:
    delivery = Delivery(takes=tuple(RawTake(audio=take) for take in takes or (wav(),)))
    receive(work, store_raw(work, delivery), lyrics=None)
    finish(work.token)


def due_now(job: Job) -> Job:
    Job.unscoped.filter(pk=job.pk).update(run_after=timezone.now())
    return Job.unscoped.get(pk=job.pk)


def paid(payer: Organization, kind: AccountKind) -> list[int]:
    accounts = Account.unscoped.filter(organization=payer, kind=kind)
    return sorted(Transfer.objects.filter(debit__in=accounts).values_list("amount", flat=True))


# --- Which way ----------------------------------------------------------------------------------------------------


def test_order_goes_to_the_first_by_priority(world: World) -> None:
    first = second_route(world, priority=1)

    job = submitted(world)

    assert (job.mapping, job.routes) == (first, [first.pk, world.mapping.pk])
    assert claimed(job).mapping_id == first.pk


def test_equals_are_drawn_by_weight_and_the_same_for_one_job(world: World) -> None:
    heavy = second_route(world, priority=world.mapping.priority, weight=3)
    routes, jobs = [world.mapping, heavy], [new_id() for _ in range(2000)]

    firsts = Counter(in_order(routes, job_id=job_id)[0] for job_id in jobs)

    assert firsts[heavy.pk] / 2000 == pytest.approx(0.75, abs=0.05)
    assert in_order(routes, job_id=jobs[0]) == in_order(routes, job_id=jobs[0])


def test_route_without_weight_comes_last_among_equals(world: World) -> None:
    idle = second_route(world, priority=world.mapping.priority, weight=0)

    assert {in_order([idle, world.mapping], job_id=new_id())[0] for _ in range(50)} == {world.mapping.pk}


def test_route_that_conveys_less_is_no_route(world: World) -> None:
    plain = second_route(world, provider="openai_music")  # carries no duration

    assert quote_order(order(lyrics="la"), caller=world.caller).routes == (world.mapping, plain)
    assert quote_order(order(lyrics="la", duration_seconds=5.0), caller=world.caller).routes == (world.mapping,)


def test_order_the_first_cannot_take_goes_to_the_next_at_its_price(world: World) -> None:
    plain = second_route(world, priority=1, provider="openai_music")

    offer = quote_order(order(lyrics="la", duration_seconds=5.0), caller=world.caller)

    assert plain.priority < world.mapping.priority
    assert (offer.mapping, offer.routes, offer.quote.amount_micro) == (world.mapping, (world.mapping,), SONG_PRICE)


def test_order_no_route_can_take_is_refused_by_the_first(world: World) -> None:
    second_route(world, provider="openai_music")

    with pytest.raises(Refusal) as refused:
        quote_order(order(enhance=True), caller=world.caller)

    assert refused.value.param == "enhance"


def test_route_without_a_price_in_force_is_no_route(world: World) -> None:
    other = second_route(world)
    Price.objects.filter(program=other.cost_prices).delete()

    assert quote_order(order(), caller=world.caller).routes == (world.mapping,)


def test_route_that_was_switched_off_is_passed_over(world: World) -> None:
    other = second_route(world)
    job = submitted(world)
    LlmMapping.objects.filter(pk=world.mapping.pk).update(is_enabled=False)

    assert claimed(job).mapping_id == other.pk


def test_order_whose_last_routes_were_deleted_goes_where_it_was_ordered(world: World) -> None:
    other, job = second_route(world), submitted(world)
    retry_or_fail(claimed(job), failure(blame="account"))
    assert due_now(job).routes == [other.pk]
    other.delete()

    assert claimed(job).mapping_id == world.mapping.pk


def test_order_of_a_test_key_takes_no_route_but_rehearsal(world: World) -> None:
    from billing.services.credits import top_up

    second_route(world, priority=1)
    top_up(organization_id=world.customer.pk, live=False, amount_micro=10**9, key="test credits", reason="test")

    work = claimed(submitted(world, caller=caller_of(world.customer, live=False)))

    assert (work.provider, work.upstream_id) == ("rehearsal", None)


# --- After a failure ----------------------------------------------------------------------------------------------


def test_failure_that_is_in_vain_to_repeat_goes_to_the_next_route_at_once(world: World) -> None:
    other = second_route(world)
    job = submitted(world)

    retry_or_fail(claimed(job), failure(blame="account"))

    again = claimed(Job.unscoped.get(pk=job.pk))
    assert (again.mapping_id, again.upstream_id) == (other.pk, other.upstream_id)
    assert log_of(job) == ["queued", "started", "retrying", "started"]
    assert list(Attempt.unscoped.values_list("mapping", "upstream")) == [
        (world.mapping.pk, world.mapping.upstream_id),
        (other.pk, other.upstream_id),
    ]


def test_route_is_ordered_from_as_often_as_may_be_before_the_next(world: World, settings) -> None:
    settings.TUTTI_MAX_ATTEMPTS = 2
    second_route(world)
    job, ways = submitted(world), []

    while due_now(job).state == "queued":
        work = claimed(job)
        ways.append(work.provider)
        retry_or_fail(work, failure(retryable=True))

    assert ways == ["rehearsal", "rehearsal", "bills-for-each-song", "bills-for-each-song"]
    assert (due_now(job).state, due_now(job).charged_micro) == ("failed", 0)


@pytest.mark.parametrize(
    "error",
    [failure(seen="unknown"), failure(blame="order"), ProviderError("content_policy", "No.", seen="not_made")],
    ids=["unknown fate", "order at fault", "content"],
)
def test_failure_that_ends_an_order_ends_it_with_other_routes_left(world: World, error: ProviderError) -> None:
    second_route(world)
    job = submitted(world)

    retry_or_fail(claimed(job), error)

    assert Job.unscoped.get(pk=job.pk).state == "failed"


# --- Who is paid --------------------------------------------------------------------------------------------------


def test_detour_costs_the_customer_nothing_more_and_pays_the_route_that_made_it(world: World) -> None:
    second_route(world)
    job = submitted(world)
    retry_or_fail(claimed(job), failure())

    delivered(claimed(Job.unscoped.get(pk=job.pk)))

    ended = Job.unscoped.get(pk=job.pk)
    assert (ended.state, ended.charged_micro) == ("succeeded", SONG_PRICE)
    assert paid(world.seller, AccountKind.COST) == [SECOND_COST]
    assert (check_books(), reconcile().is_clean) == ([], True)


def test_takes_of_two_routes_are_owed_to_each(world: World) -> None:
    other = second_route(world)
    job = submitted(world, takes=3)
    delivered(claimed(job), wav(), wav(2), silence())
    retry_or_fail(claimed(due_now(job)), failure())

    delivered(claimed(due_now(job)))

    ended = Job.unscoped.get(pk=job.pk)
    assert list(Track.unscoped.values_list("mapping", flat=True)) == [world.mapping.pk, world.mapping.pk, other.pk]
    assert (ended.state, ended.charged_micro) == ("succeeded", 3 * SONG_PRICE)
    assert paid(world.seller, AccountKind.COST) == [2 * SONG_COST, SECOND_COST]
    assert check_books() == []


def test_late_result_of_a_detour_notes_what_that_route_costs(world: World) -> None:
    from generation.services.cancel import cancel_job

    second_route(world)
    job = submitted(world)
    retry_or_fail(claimed(job), failure())
    work = claimed(due_now(job))
    cancel_job(job.pk, caller=world.caller)

    assert not receive(work, store_raw(work, Delivery(takes=(RawTake(audio=wav()),))), lyrics=None)

    assert Attempt.unscoped.get(pk=work.attempt_id).cost_micro == SECOND_COST


def test_deadline_leaves_no_time_for_a_detour(world: World) -> None:
    second_route(world)
    job = submitted(world)
    work = claimed(job)
    late = timezone.now() - timedelta(seconds=1)
    Job.unscoped.update(deadline=late)
    from dataclasses import replace

    retry_or_fail(replace(work, deadline=late), failure())

    assert Job.unscoped.get(pk=job.pk).state == "failed"
