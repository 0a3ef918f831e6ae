"""Prices by tokens, where the upstream counts them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catalog.quotes import Quote, Rates
from generation.contract import Delivery, RawTake, Tokens
from generation.models import Attempt, Job, Track
from generation.services.cancel import cancel_job
from generation.services.due import legs_due
from generation.services.finish import finish
from generation.services.queries import job_view
from generation.services.receive import receive, store_raw
from generation.states import AttemptState, JobState
from generation.tokens import Made
from tests.generation.worlds import SONG_COST, SONG_PRICE, World, claimed, silence, submitted, wav

pytestmark = pytest.mark.both_databases

COUNTED = Tokens(prompt=14, candidates=3199)


@pytest.fixture
def by_tokens(world: World) -> World:
    """A token costs, and is sold for, one micro-credit."""
    for program in (world.mapping.sale_prices, world.mapping.cost_prices):
        assert program is not None
        program.prices.update(unit="1k tokens", amount_micro=1000)
    return world


def brought(job: Job, *takes: bytes, tokens: Tokens | None = COUNTED) -> Job:
    """The job after an answer with this count, and its audio step."""
    work = claimed(job)
    raw = store_raw(work, Delivery(takes=tuple(RawTake(audio=take) for take in takes), tokens=tokens))
    receive(work, raw, lyrics=None)
    finish(work.token)
    return Job.unscoped.get(pk=job.pk)


def tokens_told(job: Job) -> Tokens | None:
    return job_view(job.pk, base_url="").tokens


def test_song_is_charged_and_told_by_the_upstreams_count(by_tokens: World) -> None:
    job = brought(submitted(by_tokens), wav(1.5))

    assert (job.charged_micro, tokens_told(job)) == (3213, COUNTED)
    assert Track.unscoped.get(job=job).charged_micro == 3213


def test_song_of_an_upstream_that_does_not_count_is_told_as_it_is_charged(by_tokens: World) -> None:
    job = brought(submitted(by_tokens, prompt="x" * 40), wav(1.5), tokens=None)

    assert (job.charged_micro, tokens_told(job)) == (60, Tokens(10, 50))


def test_order_that_waits_is_told_by_what_was_asked(by_tokens: World) -> None:
    assert tokens_told(submitted(by_tokens, prompt="x" * 40)) == Tokens(10, 0)


def test_each_take_bears_its_share_and_a_bad_one_is_not_charged(by_tokens: World, settings) -> None:
    settings.TUTTI_MAX_ATTEMPTS = 1

    job = brought(submitted(by_tokens, takes=3), wav(1.0), silence(), wav(1.0), tokens=Tokens(30, 3000))

    assert (job.state, job.charged_micro, tokens_told(job)) == (JobState.SUCCEEDED, 2020, Tokens(20, 2000))
    assert list(Track.unscoped.filter(job=job).values_list("take", "charged_micro")) == [(0, 1010), (2, 1010)]


def test_takes_of_two_answers_are_summed(by_tokens: World) -> None:
    job = submitted(by_tokens, takes=2)
    brought(job, wav(1.0), silence(), tokens=Tokens(20, 2000))
    Job.unscoped.filter(pk=job.pk).update(run_after=job.created_at)

    ended = brought(job, wav(1.0), tokens=Tokens(7, 700))

    assert (ended.charged_micro, tokens_told(ended)) == (10 + 1000 + 7 + 700, Tokens(17, 1700))


def test_cost_of_a_result_that_comes_too_late_is_by_the_upstreams_count(by_tokens: World) -> None:
    job = submitted(by_tokens)
    work = claimed(job)
    raw = store_raw(work, Delivery(takes=(RawTake(audio=wav(1.0)),), tokens=COUNTED))
    cancel_job(job.pk, caller=by_tokens.caller)

    assert not receive(work, raw, lyrics=None)

    attempt = Attempt.unscoped.get(job=job)
    assert (attempt.state, attempt.cost_micro) == (AttemptState.LATE, 3213)


def test_charge_is_at_most_the_hold(by_tokens: World) -> None:
    job = submitted(by_tokens)
    held = job_view(job.pk, base_url="").price_micro

    ended = brought(job, wav(1.0), tokens=Tokens(2**31 - 1, 2**31 - 1))

    assert ended.charged_micro == held


def test_customer_pays_once_for_all_takes_whichever_routes_made_them_and_for_the_text(world: World) -> None:
    job = submitted(world, takes=3)
    job.lyrics = "la la la"
    other = world.mapping.pk + 1
    quote = with_a_text(with_a_route(Quote.from_json(job.quote), other))
    job.quote = quote.as_json()

    dues = legs_due(job, [Made(1000), Made(2000, route=other), Made(3000, route=other)])

    own = [due.amount_micro for due in dues if due.payer_id == world.customer.pk]
    assert sum(own) == quote.charge_for(takes=3, milliseconds=6000, text_tokens=5) == 3 * SONG_PRICE + 5000
    assert [due.amount_micro for due in dues if due.payer_id == world.seller.pk] == [SONG_COST, 2 * 4, 9]


def with_a_route(quote: Quote, route: int) -> Quote:
    (cost,) = quote.legs_below
    return replace(quote, other_routes={route: (replace(cost, rates=Rates(song=4)),)})


def with_a_text(quote: Quote) -> Quote:
    sale, cost = quote.legs
    text = (
        replace(sale, rates=Rates(thousand_tokens=1_000_000), amount_micro=9000),
        replace(cost, rates=Rates(request=9), amount_micro=9),
    )
    return quote.with_text(Quote(organization_id=quote.organization_id, legs=text))
