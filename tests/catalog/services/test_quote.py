from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import Organization
from catalog.capabilities import Bounds, Capabilities, Conveyed, Limits
from catalog.models import LlmMapping, Price
from catalog.quotes import Due, Quote
from catalog.services.quote import NotForSale, quote
from tests.catalog.market import LONG_AGO, Sell, add_price, upstream_of

pytestmark = pytest.mark.both_databases

NOW = datetime(2027, 1, 1, tzinfo=UTC)
EXACT = Capabilities(duration="exact")


def price(mapping: LlmMapping, organization: Organization, **order: Any) -> Quote:
    plain = {"takes": 1, "duration_seconds": None, "format": "mp3", "instrumental": False, "at": NOW}
    return quote(mapping, organization=organization, **plain | order)


def legs(quote: Quote) -> list[tuple[int, int, str, int]]:
    return [(leg.payer_id, leg.payee_id, leg.kind, leg.amount_micro) for leg in quote.legs]


def all_dues(quote: Quote, **made: int) -> list[Due]:
    """Every leg with what is due for what the ordered mapping made; a leg that comes to nothing stays in."""
    return quote.own_dues(**made) + quote.dues_below(None, **made) + quote.dues_below_for_text(**made)


def test_customer_pays_the_seller_and_the_seller_owes_the_provider(
    sell: Sell, platform: Organization, vendor: Organization, customer: Organization
) -> None:
    mapping = sell(platform, sale={"song": 1_500_000}, cost={"song": 900_000})

    quoted = price(mapping, customer, takes=3)

    assert legs(quoted) == [(customer.pk, platform.pk, "sale", 4_500_000), (platform.pk, vendor.pk, "cost", 2_700_000)]
    assert quoted.amount_micro == 4_500_000
    assert all_dues(quoted, takes=2, milliseconds=80_000) == [
        Due(customer.pk, platform.pk, "sale", 3_000_000),
        Due(platform.pk, vendor.pk, "cost", 1_800_000),
    ]


def test_model_without_a_cost_has_the_sale_alone(sell: Sell, platform: Organization, customer: Organization) -> None:
    quoted = price(sell(platform, sale={"song": 7}), customer)

    assert legs(quoted) == [(customer.pk, platform.pk, "sale", 7)]


def test_free_model_costs_nothing(sell: Sell, platform: Organization, customer: Organization) -> None:
    quoted = price(sell(platform, sale={"song": 0}), customer)

    assert legs(quoted) == [(customer.pk, platform.pk, "sale", 0)]
    assert quoted.amount_micro == 0


def test_organization_pays_no_sale_for_its_own_model_on_its_own_upstream(
    sell: Sell, customer: Organization, vendor: Organization
) -> None:
    quoted = price(sell(customer, sale={"song": 5}, cost={"song": 3}), customer)

    assert legs(quoted) == [(customer.pk, vendor.pk, "cost", 3)]
    assert quoted.amount_micro == 0


def test_seller_that_is_the_provider_owes_nobody(sell: Sell, platform: Organization, customer: Organization) -> None:
    quoted = price(sell(platform, sale={"song": 5}, cost={"song": 3}, provider=platform), customer)

    assert legs(quoted) == [(customer.pk, platform.pk, "sale", 5)]


def test_upstream_of_the_provider_is_the_end_of_the_chain(
    sell: Sell, platform: Organization, vendor: Organization, customer: Organization
) -> None:
    quoted = price(sell(platform, sale={"song": 5}, cost={"song": 3}, upstream=upstream_of(vendor)), customer)

    assert legs(quoted) == [(customer.pk, platform.pk, "sale", 5), (platform.pk, vendor.pk, "cost", 3)]


def test_reseller_buys_from_the_seller_whose_upstream_it_uses(
    sell: Sell, platform: Organization, vendor: Organization, reseller: Organization, resold_customer: Organization
) -> None:
    sell(platform, sale={"song": 60}, cost={"song": 40}, upstream_model="v1")
    resold = sell(reseller, "theirs", sale={"song": 100}, upstream=upstream_of(platform), upstream_model="v1")

    quoted = price(resold, resold_customer, takes=2)

    assert legs(quoted) == [
        (resold_customer.pk, reseller.pk, "sale", 200),
        (reseller.pk, platform.pk, "sale", 120),
        (platform.pk, vendor.pk, "cost", 80),
    ]
    assert quoted.amount_micro == 200


def test_reseller_pays_its_seller_s_price_for_its_own_orders(
    sell: Sell, platform: Organization, reseller: Organization
) -> None:
    sell(platform, sale={"song": 60}, upstream_model="v1")
    resold = sell(reseller, "theirs", sale={"song": 100}, upstream=upstream_of(platform), upstream_model="v1")

    quoted = price(resold, reseller)

    assert legs(quoted) == [(reseller.pk, platform.pk, "sale", 60)]
    assert quoted.amount_micro == 60


def test_chain_is_as_long_as_the_line_of_resellers(
    sell: Sell, platform: Organization, reseller: Organization, resold_customer: Organization
) -> None:
    upstream = upstream_of(platform)
    sell(platform, sale={"song": 60}, upstream_model="v1")
    sell(reseller, sale={"song": 80}, upstream=upstream, upstream_model="v1")
    mapping = sell(resold_customer, sale={"song": 100}, upstream=upstream, upstream_model="v1")
    fan = Organization.objects.create(name="Fan", slug="fan", parent=resold_customer)

    quoted = price(mapping, fan)

    assert [(payer, payee) for payer, payee, _, _ in legs(quoted)] == [
        (fan.pk, resold_customer.pk),
        (resold_customer.pk, reseller.pk),
        (reseller.pk, platform.pk),
    ]


def test_upstream_nobody_above_sells_from_is_not_for_sale(
    sell: Sell, platform: Organization, reseller: Organization, resold_customer: Organization
) -> None:
    resold = sell(reseller, upstream=upstream_of(platform))

    with pytest.raises(NotForSale) as caught:
        price(resold, resold_customer)

    assert str(caught.value) == "aria-1 runs on an upstream of another organization, and no seller above offers it."


def test_model_without_a_price_in_force_is_not_for_sale(
    sell: Sell, platform: Organization, customer: Organization
) -> None:
    mapping = sell(platform, sale={})
    add_price(mapping.sale_prices, "song", 5, valid_from=NOW + timedelta(seconds=1))
    add_price(mapping.sale_prices, "song", 4, valid_until=NOW)
    add_price(mapping.sale_prices, "song", 3, filters={"format": "wav"})

    with pytest.raises(NotForSale) as caught:
        price(mapping, customer)

    assert str(caught.value) == f"No price of {mapping.sale_prices.slug} is in force for this order."


def test_model_whose_cost_is_unknown_is_not_for_sale(
    sell: Sell, platform: Organization, customer: Organization
) -> None:
    with pytest.raises(NotForSale):
        price(sell(platform, cost={}), customer)


def test_price_is_the_one_of_the_moment(sell: Sell, platform: Organization, customer: Organization) -> None:
    mapping = sell(platform, sale={})
    add_price(mapping.sale_prices, "song", 4, valid_until=NOW)
    add_price(mapping.sale_prices, "song", 5, valid_from=NOW)

    assert price(mapping, customer, at=NOW - timedelta(microseconds=1)).amount_micro == 4
    assert price(mapping, customer, at=NOW).amount_micro == 5


@pytest.mark.parametrize(
    ("order", "amount"),
    [
        ({"takes": 1}, 10),
        ({"takes": 1, "format": "wav"}, 20),
        ({"takes": 1, "format": "wav", "instrumental": True}, 30),
        ({"takes": 1, "instrumental": True}, 10),
    ],
)
def test_most_specific_row_that_matches_is_the_price(
    sell: Sell, platform: Organization, customer: Organization, order: dict[str, Any], amount: int
) -> None:
    mapping = sell(platform, sale={})
    add_price(mapping.sale_prices, "song", 30, filters={"format": "wav", "instrumental": True})
    add_price(mapping.sale_prices, "song", 20, filters={"format": "wav"})
    add_price(mapping.sale_prices, "song", 10)

    assert price(mapping, customer, **order).amount_micro == amount


def test_row_that_began_later_is_the_price_among_equals(
    sell: Sell, platform: Organization, customer: Organization
) -> None:
    mapping = sell(platform, sale={})
    add_price(mapping.sale_prices, "song", 20, valid_from=LONG_AGO + timedelta(days=1))
    add_price(mapping.sale_prices, "song", 10, valid_from=LONG_AGO)

    assert price(mapping, customer).amount_micro == 20


def test_units_of_a_program_add_up(sell: Sell, platform: Organization, customer: Organization) -> None:
    mapping = sell(platform, sale={"song": 1000, "second": 10, "request": 5}, capabilities=EXACT)

    quoted = price(mapping, customer, takes=2, duration_seconds=15.5)

    assert quoted.amount_micro == 2000 + 310 + 5
    assert quoted.charge_for(takes=1, milliseconds=15_500) == 1000 + 155 + 5


@pytest.mark.parametrize(
    ("duration", "limits", "ordered", "held_seconds"),
    [
        ("exact", Limits(default_duration_seconds=30, max_seconds=60), 15, 15),
        ("exact", Limits(default_duration_seconds=30, max_seconds=60), None, 30),
        ("exact", Limits(max_seconds=60), None, 60),
        ("wish", Limits(max_seconds=184), 30, 184),
        ("none", Limits(max_seconds=360), None, 360),
    ],
)
def test_seconds_are_held_for_the_longest_song_it_may_be(
    sell: Sell, customer: Organization, *, duration: Conveyed, limits: Limits, ordered: float | None, held_seconds: int
) -> None:
    capabilities = Capabilities(duration=duration)
    mapping = sell(customer.parent, sale={"second": 1000}, capabilities=capabilities, limits=limits)

    assert price(mapping, customer, duration_seconds=ordered).amount_micro == held_seconds * 1000


def test_longer_delivery_is_charged_up_to_the_hold(sell: Sell, platform: Organization, customer: Organization) -> None:
    quoted = price(sell(platform, sale={"second": 1000}, capabilities=EXACT), customer, duration_seconds=30)

    assert quoted.charge_for(takes=1, milliseconds=29_500) == 29_500
    assert quoted.charge_for(takes=1, milliseconds=30_900) == 30_000


def test_tokens_are_held_for_the_longest_texts_and_the_longest_song(
    sell: Sell, platform: Organization, customer: Organization
) -> None:
    limits = Limits(prompt=Bounds(1, 400), lyrics=Bounds(1, 100), max_seconds=60)
    mapping = sell(platform, sale={"1k tokens": 1000}, limits=limits)

    quoted = price(mapping, customer, takes=2)

    assert quoted.amount_micro == (400 + 100) + 2 * (25 * 60 + 100)
    assert quoted.charge_for(takes=1, milliseconds=60_000, tokens=1613) == 1613


def test_duration_band_is_chosen_by_the_length_of_one_take(
    sell: Sell, platform: Organization, customer: Organization
) -> None:
    mapping = sell(platform, sale={}, capabilities=EXACT)
    add_price(mapping.sale_prices, "song", 10, filters={"duration_seconds": [0, 30]})
    add_price(mapping.sale_prices, "song", 25, filters={"duration_seconds": [30, 60]})

    assert price(mapping, customer, takes=2, duration_seconds=30).amount_micro == 20
    assert price(mapping, customer, takes=1, duration_seconds=31).amount_micro == 25


def test_price_by_upstream_follows_the_mapping(sell: Sell, platform: Organization, customer: Organization) -> None:
    mapping = sell(platform, sale={"song": 10})
    add_price(mapping.sale_prices, "song", 3, filters={"upstream": mapping.upstream.slug})

    assert price(mapping, customer).amount_micro == 3


def test_quote_outlives_a_change_of_price(sell: Sell, platform: Organization, customer: Organization) -> None:
    mapping = sell(platform, sale={"song": 10})
    kept = price(mapping, customer).as_json()
    Price.objects.update(amount_micro=99)

    assert Quote.from_json(kept).charge_for(takes=1, milliseconds=30_000) == 10


def test_other_ways_to_the_song_keep_the_customers_price_and_have_their_own_costs(
    sell: Sell, platform: Organization, vendor: Organization, customer: Organization
) -> None:
    ordered = sell(platform, sale={"song": 10}, cost={"song": 4})
    dear = sell(platform, sale={"song": 99}, cost={"song": 50}, upstream=upstream_of(platform, "dear"))
    unpriced = sell(platform, sale={}, upstream=upstream_of(platform, "unpriced"))

    quoted = price(ordered, customer, others=[dear, unpriced])

    assert quoted.amount_micro == 10
    assert {route: [leg.amount_micro for leg in below] for route, below in quoted.other_routes.items()} == {
        dear.pk: [50]
    }


def test_way_that_would_pay_another_seller_is_none(
    sell: Sell, platform: Organization, reseller: Organization, vendor: Organization
) -> None:
    bought = sell(reseller, name="aria-1", upstream=upstream_of(platform))
    sell(platform, name="aria-0", upstream_model="aria-1-upstream")
    own = sell(reseller, name="aria-1", upstream=upstream_of(reseller))

    assert price(bought, reseller, others=[own]).other_routes == {}
