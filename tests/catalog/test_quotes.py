from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.quotes import Due, Leg, Quote, Rates

CUSTOMER, SELLER, PROVIDER = 1, 2, 3
MICRO = st.integers(min_value=0, max_value=10**12)
RATES = st.builds(Rates, song=MICRO, second=MICRO, request=MICRO, thousand_tokens=MICRO)
LENGTHS = st.lists(st.integers(min_value=0, max_value=600_000), max_size=8)
TOKENS = st.integers(min_value=0, max_value=10**7)


def quote_of(rates: Rates, *, hold: int, cost: Rates | None = None) -> Quote:
    sale = Leg(payer_id=CUSTOMER, payee_id=SELLER, kind="sale", rates=rates, amount_micro=hold)
    legs = (
        (sale,)
        if cost is None
        else (sale, Leg(payer_id=SELLER, payee_id=PROVIDER, kind="cost", rates=cost, amount_micro=hold))
    )
    return Quote(organization_id=CUSTOMER, legs=legs)


def all_dues(quote: Quote, **made: int) -> list[Due]:
    """Every leg with what is due for what the ordered mapping made; a leg that comes to nothing stays in."""
    return quote.own_dues(**made) + quote.dues_below(None, **made) + quote.dues_below_for_text(**made)


def charges_by_take(quote: Quote, lengths: list[int], *, tokens: int = 0) -> list[int]:
    """What each delivered take adds to the charge of those before it."""
    so_far = [
        quote.charge_for(takes=takes, milliseconds=sum(lengths[:takes]), tokens=tokens)
        for takes in range(len(lengths) + 1)
    ]
    return [after - before for before, after in pairwise(so_far)]


@given(RATES, MICRO, LENGTHS, TOKENS)
def test_charge_stays_between_nothing_and_the_hold(rates: Rates, hold: int, lengths: list[int], tokens: int) -> None:
    quote = quote_of(rates, hold=hold)

    charges = charges_by_take(quote, lengths, tokens=tokens)

    assert all(charge >= 0 for charge in charges)
    assert 0 <= sum(charges) <= quote.amount_micro == hold


@given(RATES, RATES, MICRO, LENGTHS, TOKENS)
def test_no_leg_is_ever_above_its_worst_case(
    sale: Rates, cost: Rates, hold: int, lengths: list[int], tokens: int
) -> None:
    quote = quote_of(sale, hold=hold, cost=cost)

    dues = all_dues(quote, takes=len(lengths), milliseconds=sum(lengths), tokens=tokens)

    assert all(0 <= due.amount_micro <= leg.amount_micro for due, leg in zip(dues, quote.legs, strict=True))
    assert dues[0].amount_micro == quote.charge_for(takes=len(lengths), milliseconds=sum(lengths), tokens=tokens)


@given(RATES, RATES, MICRO)
def test_quote_comes_back_from_json_exactly(sale: Rates, cost: Rates, hold: int) -> None:
    quote = quote_of(sale, hold=hold, cost=cost)

    assert Quote.from_json(json.loads(json.dumps(quote.as_json()))) == quote


@given(RATES, st.integers(min_value=1, max_value=8), st.integers(min_value=0, max_value=600_000), TOKENS)
def test_rounding_happens_once_and_upwards(rates: Rates, takes: int, milliseconds: int, tokens: int) -> None:
    exact = 1000 * (rates.song * takes + rates.request) + rates.second * milliseconds + rates.thousand_tokens * tokens

    amount = rates.amount_micro(takes=takes, milliseconds=milliseconds, tokens=tokens)

    assert 0 <= 1000 * amount - exact < 1000


def test_units_add_up() -> None:
    rates = Rates(song=100, second=7, request=30, thousand_tokens=11)

    assert rates.amount_micro(takes=2, milliseconds=1500, tokens=500) == 200 + 30 + 16


def test_nothing_delivered_costs_nothing() -> None:
    quote = quote_of(Rates(song=5, request=9), hold=50)

    assert all_dues(quote, takes=0, milliseconds=0, tokens=900) == [Due(CUSTOMER, SELLER, "sale", 0)]


def test_delivered_takes_are_charged_alone() -> None:
    quote = quote_of(Rates(song=1_500_000), hold=4_500_000)

    assert quote.charge_for(takes=2, milliseconds=90_000) == 3_000_000


def test_request_falls_on_the_first_take() -> None:
    quote = quote_of(Rates(song=5, request=9), hold=100)

    assert charges_by_take(quote, [1000, 1000]) == [14, 5]


def test_organization_that_pays_no_sale_holds_nothing() -> None:
    cost = Leg(payer_id=SELLER, payee_id=PROVIDER, kind="cost", rates=Rates(song=4), amount_micro=4)
    quote = Quote(organization_id=SELLER, legs=(cost,))

    assert quote.amount_micro == 0
    assert quote.charge_for(takes=1, milliseconds=0) == 0
    assert all_dues(quote, takes=1, milliseconds=0) == [Due(SELLER, PROVIDER, "cost", 4)]


def test_json_with_an_unknown_name_is_refused() -> None:
    data = quote_of(Rates(), hold=0).as_json() | {"discount": 1}

    with pytest.raises(TypeError):
        Quote.from_json(data)


# --- Another way to the song --------------------------------------------------------------------------------------

DETOUR = 7


def with_detour() -> Quote:
    ordered = quote_of(Rates(song=10), hold=30, cost=Rates(song=4))
    other = Leg(payer_id=SELLER, payee_id=9, kind="cost", rates=Rates(song=6), amount_micro=18)
    return Quote(organization_id=CUSTOMER, legs=ordered.legs, other_routes={DETOUR: (other,)})


def test_detour_is_owed_in_place_of_the_ordered_way() -> None:
    made = {"takes": 2, "milliseconds": 0}

    assert with_detour().own_dues(**made) == [Due(CUSTOMER, SELLER, "sale", 20)]
    assert with_detour().dues_below(DETOUR, **made) == [Due(SELLER, 9, "cost", 12)]
    assert with_detour().dues_below(None, **made) == [Due(SELLER, PROVIDER, "cost", 4 * 2)]
    assert with_detour().dues_below(99, **made) == with_detour().dues_below(None, **made)


def test_detours_come_back_from_json() -> None:
    assert Quote.from_json(json.loads(json.dumps(with_detour().as_json()))) == with_detour()


def test_quote_that_was_kept_before_there_were_detours_is_read() -> None:
    data = with_detour().as_json()
    del data["other_routes"]

    assert Quote.from_json(data).other_routes == {}


def test_text_beside_a_song_is_bought_once_with_its_own_tokens() -> None:
    song = quote_of(Rates(song=100), hold=300, cost=Rates(song=40))
    text = quote_of(Rates(song=2, request=7, thousand_tokens=1000), hold=20, cost=Rates(request=3))

    both = song.with_text(text)

    assert (both.amount_micro, both.charges) == (320, 2)
    assert both.charge_for(takes=0, milliseconds=0, tokens=50, text_tokens=5) == 0
    assert both.charge_for(takes=3, milliseconds=90_000, tokens=50, text_tokens=5) == 300 + 2 + 7 + 5
    assert [due[2:] for due in all_dues(both, takes=2, milliseconds=1, tokens=9, text_tokens=0)] == [
        ("sale", 200),
        ("sale", 9),
        ("cost", 80),
        ("cost", 3),
    ]
    assert Quote.from_json(json.loads(json.dumps(both.as_json()))) == both


def test_quote_that_was_kept_before_there_were_texts_reads_as_ever() -> None:
    kept = quote_of(Rates(song=100), hold=100).as_json()
    for leg in kept["legs"]:
        del leg["is_for_text"]

    assert Quote.from_json(kept) == quote_of(Rates(song=100), hold=100)
