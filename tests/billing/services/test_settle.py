from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from accounts.tenancy import scope
from billing.models import Account, AccountKind, Hold, Transfer
from billing.services.books import check_books
from billing.services.credits import Balance, balance_of
from billing.services.settle import AlreadySettled, ChargeAboveHold, Leg, Settlement, settle_hold
from billing.services.statements import total_of

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

PRICE, COST = 30, 21


@pytest.fixture
def hold(fund: Callable[[int], None], set_aside: Callable[..., Hold]) -> Hold:
    """Three takes at 30 each, out of a wallet of 100."""
    fund(100)
    return set_aside(3 * PRICE, model="music-2.6")


def legs_for(takes: int, studio: Organization, platform: Organization) -> list[Leg]:
    return [
        Leg(studio.pk, platform.pk, "sale", takes * PRICE),
        Leg(platform.pk, platform.pk, "cost", takes * COST),
    ]


def transfers_of(hold: Hold) -> list[tuple[str, str, int]]:
    rows = Transfer.objects.filter(reference=hold.reference).order_by("pk")
    return [
        (row.key.partition(f":{hold.reference}")[0] + row.key.partition(f"{hold.reference}")[2], row.kind, row.amount)
        for row in rows
    ]


@pytest.mark.parametrize(
    ("takes", "available", "posted"),
    [
        (0, 100, [("hold", "hold", 90), ("release", "release", 90)]),
        (
            1,
            70,
            [("hold", "hold", 90), ("charge:0", "charge", 30), ("charge:1", "cost", 21), ("release", "release", 60)],
        ),
        (
            2,
            40,
            [("hold", "hold", 90), ("charge:0", "charge", 60), ("charge:1", "cost", 42), ("release", "release", 30)],
        ),
        (3, 10, [("hold", "hold", 90), ("charge:0", "charge", 90), ("charge:1", "cost", 63)]),
    ],
)
def test_each_delivered_take_is_charged_and_the_rest_released(
    hold: Hold,
    studio: Organization,
    platform: Organization,
    account_of: Callable[..., Account],
    takes: int,
    available: int,
    posted: list[tuple[str, str, int]],
) -> None:
    settlement = settle_hold(reference=hold.reference, legs=legs_for(takes, studio, platform))

    assert settlement == Settlement(charged_micro=takes * PRICE, released_micro=(3 - takes) * PRICE)
    assert transfers_of(hold) == posted
    assert balance_of(studio.pk, live=True) == Balance(available_micro=available, held_micro=0)
    if takes:
        totals = {kind: total_of(account_of(platform, kind)) for kind in ("earnings", "cost", "payable")}
        assert totals == {"earnings": takes * PRICE, "cost": -takes * COST, "payable": takes * COST}
    hold.refresh_from_db()
    assert (hold.charged, hold.settled_at is None) == (takes * PRICE, False)
    assert check_books() == []


def test_settlement_without_legs_releases_everything(hold: Hold, studio: Organization) -> None:
    assert settle_hold(reference=hold.reference, legs=[]) == Settlement(charged_micro=0, released_micro=90)
    assert balance_of(studio.pk, live=True) == Balance(available_micro=100, held_micro=0)


def test_settlement_is_one_group_that_says_what_it_was_for(
    hold: Hold, studio: Organization, platform: Organization
) -> None:
    settle_hold(reference=hold.reference, legs=legs_for(1, studio, platform))

    rows = Transfer.objects.filter(reference=hold.reference).exclude(kind="hold")
    assert (len({row.group for row in rows}), {row.model for row in rows}) == (1, {"music-2.6"})


def test_free_work_is_settled_without_a_transfer(set_aside: Callable[..., Hold]) -> None:
    hold = set_aside(0)

    assert settle_hold(reference=hold.reference, legs=[]) == Settlement(charged_micro=0, released_micro=0)
    assert Transfer.objects.count() == 0
    assert check_books() == []


def test_own_model_on_an_own_upstream_pays_no_sale(
    hold: Hold, studio: Organization, account_of: Callable[..., Account]
) -> None:
    settlement = settle_hold(reference=hold.reference, legs=[Leg(studio.pk, studio.pk, "cost", 12)])

    assert settlement == Settlement(charged_micro=0, released_micro=90)
    assert [total_of(account_of(studio, kind)) for kind in ("cost", "payable")] == [-12, 12]
    assert check_books() == []


def test_second_sale_of_the_buyer_is_no_charge(hold: Hold, studio: Organization, platform: Organization) -> None:
    """Only the first leg is what the customer pays; a reseller who buys for itself may stand in a later one."""
    legs = [Leg(studio.pk, platform.pk, "sale", 30), Leg(studio.pk, platform.pk, "sale", 30)]

    assert settle_hold(reference=hold.reference, legs=legs).charged_micro == 30
    assert check_books() == []


def test_two_things_bought_in_one_order_are_two_charges(
    hold: Hold, studio: Organization, platform: Organization, reseller: Organization
) -> None:
    legs = [
        Leg(studio.pk, platform.pk, "sale", 30),
        Leg(studio.pk, reseller.pk, "sale", 20),
        Leg(platform.pk, reseller.pk, "cost", 10),
    ]

    settlement = settle_hold(reference=hold.reference, legs=legs, charges=2)

    assert (settlement.charged_micro, settlement.released_micro) == (50, 40)
    kinds = Transfer.objects.filter(reference=hold.reference).order_by("pk").values_list("kind", "amount")
    assert [(kind, amount) for kind, amount in kinds if kind != "hold"] == [
        ("charge", 30),
        ("charge", 20),
        ("cost", 10),
        ("release", 40),
    ]
    assert check_books() == []


def test_settled_hold_is_not_settled_again(hold: Hold, studio: Organization, platform: Organization) -> None:
    settle_hold(reference=hold.reference, legs=legs_for(1, studio, platform))
    before = transfers_of(hold)

    with transaction.atomic(), pytest.raises(AlreadySettled):
        settle_hold(reference=hold.reference, legs=legs_for(3, studio, platform))

    assert (transfers_of(hold), check_books()) == (before, [])


def test_charge_above_the_hold_is_refused_and_the_hold_stays_open(
    hold: Hold, studio: Organization, platform: Organization
) -> None:
    with pytest.raises(ChargeAboveHold):
        settle_hold(reference=hold.reference, legs=[Leg(studio.pk, platform.pk, "sale", 91)])

    hold.refresh_from_db()
    assert (hold.settled_at, balance_of(studio.pk, live=True).held_micro, check_books()) == (None, 90, [])


def test_cost_above_the_hold_is_the_sellers_loss(
    hold: Hold, studio: Organization, platform: Organization, account_of: Callable[..., Account]
) -> None:
    legs = [Leg(studio.pk, platform.pk, "sale", 90), Leg(platform.pk, platform.pk, "cost", 500)]

    assert settle_hold(reference=hold.reference, legs=legs).charged_micro == 90
    assert total_of(account_of(platform, AccountKind.COST)) == -500


def test_negative_leg_is_refused(hold: Hold, studio: Organization, platform: Organization) -> None:
    with pytest.raises(ValueError, match="never negative"):
        settle_hold(reference=hold.reference, legs=[Leg(studio.pk, platform.pk, "sale", -1)])


def test_unknown_hold_is_named(db: None) -> None:
    with pytest.raises(Hold.DoesNotExist):
        settle_hold(reference=uuid4(), legs=[])


def test_hold_of_another_organization_is_not_found(hold: Hold, reseller: Organization) -> None:
    with scope(reseller), pytest.raises(Hold.DoesNotExist):
        settle_hold(reference=hold.reference, legs=[])


def test_buyer_pays_sellers_whose_accounts_it_may_not_see(
    hold: Hold, studio: Organization, platform: Organization, account_of: Callable[..., Account]
) -> None:
    with scope(studio):
        settle_hold(reference=hold.reference, legs=legs_for(1, studio, platform))

    assert total_of(account_of(platform, AccountKind.EARNINGS)) == PRICE


def test_settlement_goes_back_with_the_callers_transaction(
    hold: Hold, studio: Organization, platform: Organization
) -> None:
    with transaction.atomic():
        settle_hold(reference=hold.reference, legs=legs_for(1, studio, platform))
        transaction.set_rollback(True)

    hold.refresh_from_db()
    assert (hold.settled_at, [kind for _key, kind, _amount in transfers_of(hold)]) == (None, ["hold"])
    assert settle_hold(reference=hold.reference, legs=[]).released_micro == 90


amounts = st.integers(min_value=0, max_value=10**13)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=amounts, charge=amounts, costs=st.lists(amounts, max_size=3), rest=amounts)
def test_what_was_held_is_charged_or_released_to_the_micro_credit(
    studio: Organization,
    platform: Organization,
    reseller: Organization,
    fund: Callable[[int], None],
    set_aside: Callable[..., Hold],
    held: int,
    charge: int,
    costs: list[int],
    rest: int,
) -> None:
    outcome = transaction.savepoint()
    if held + rest:
        fund(held + rest)
    hold = set_aside(held)
    legs = [Leg(studio.pk, reseller.pk, "sale", charge)]
    legs += [Leg(reseller.pk, platform.pk, "sale", cost) for cost in costs[:1]]
    legs += [Leg(platform.pk, platform.pk, "cost", cost) for cost in costs[1:]]

    if charge > held:
        with pytest.raises(ChargeAboveHold):
            settle_hold(reference=hold.reference, legs=legs)
        expected = Balance(available_micro=rest, held_micro=held)
    else:
        assert settle_hold(reference=hold.reference, legs=legs) == Settlement(charge, held - charge)
        expected = Balance(available_micro=rest + held - charge, held_micro=0)

    assert balance_of(studio.pk, live=True) == expected
    assert sum(total_of(account) for account in Account.unscoped.all()) == 0
    assert check_books() == []
    transaction.savepoint_rollback(outcome)
