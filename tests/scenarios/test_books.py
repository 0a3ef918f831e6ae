"""The books of one day, worked through like an exercise in accountancy.

Tutti sells songs at 2.00 to its reseller, Corner Shop, which sells them at 3.00 to a customer, Blue Note. Making one
costs Tutti 0.50, owed to the provider, Harmonia. Amounts below are in credits; the books hold micro-credits.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import Organization
from accounts.tenancy import system_scope
from billing.models import Account, Transfer
from billing.money import in_credits, micro
from billing.services.books import check_books
from billing.services.credits import balance_of, top_up, withdraw
from billing.services.hold import place_hold
from billing.services.post import InsufficientFunds
from billing.services.settle import AlreadySettled, Leg, settle_hold
from billing.services.statements import entries_of, total_of

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

FIRST_SONG, SECOND_SONG = UUID(int=1), UUID(int=2)


@pytest.fixture(autouse=True)
def bookkeeper() -> Iterator[None]:
    """Sees everyone's accounts, and finds the books right at the end of the day."""
    with system_scope():
        yield
        assert check_books() == []
        assert sum(total_of(account) for account in Account.objects.all()) == 0


@pytest.fixture
def tutti(db: None) -> Organization:
    return Organization.objects.create(name="Tutti", slug="tutti", is_platform=True)


@pytest.fixture
def harmonia(db: None) -> Organization:
    return Organization.objects.create(name="Harmonia", slug="harmonia", is_provider=True)


@pytest.fixture
def corner_shop(tutti: Organization) -> Organization:
    return Organization.objects.create(name="Corner Shop", slug="corner-shop", parent=tutti, is_reseller=True)


@pytest.fixture
def blue_note(corner_shop: Organization) -> Organization:
    return Organization.objects.create(name="Blue Note", slug="blue-note", parent=corner_shop)


def pay_in(customer: Organization, amount: str, payment: str) -> Transfer:
    return top_up(
        organization_id=customer.pk, live=True, amount_micro=micro(amount), key=payment, reason="bank transfer"
    )


def set_aside(customer: Organization, amount: str, song: UUID) -> None:
    with transaction.atomic():
        place_hold(
            organization_id=customer.pk,
            live=True,
            reference=song,
            amount_micro=micro(amount),
            deadline=timezone.now() + timedelta(hours=1),
            model="music-2.6",
        )


def wallet(customer: Organization) -> tuple[str, str]:
    balance = balance_of(customer.pk, live=True)
    return in_credits(balance.available_micro), in_credits(balance.held_micro)


def trial_balance() -> dict[str, str]:
    """Every account that something passed through, and what lies in it."""
    accounts = Account.objects.select_related("organization").order_by("organization__slug", "kind")
    totals = {f"{account.organization.name}: {account.kind}": total_of(account) for account in accounts}
    return {name: in_credits(total) for name, total in totals.items() if total}


def statement(organization: Organization, kind: str) -> list[tuple[str, str]]:
    account = Account.objects.get(organization=organization, kind=kind, live=True)
    return [(entry["kind"], in_credits(entry["amount_micro"])) for entry in entries_of(account)]


def sold(songs: int, *, buyer: Organization, chain: tuple[Organization, Organization, Organization]) -> list[Leg]:
    """Blue Note pays Corner Shop, which pays Tutti, which owes Harmonia: three legs, from the customer down."""
    shop, platform, provider = chain
    return [
        Leg(buyer.pk, shop.pk, "sale", songs * micro("3.00")),
        Leg(shop.pk, platform.pk, "sale", songs * micro("2.00")),
        Leg(platform.pk, provider.pk, "cost", songs * micro("0.50")),
    ]


def test_a_song_through_a_reseller(
    tutti: Organization, harmonia: Organization, corner_shop: Organization, blue_note: Organization
) -> None:
    # Blue Note pays in ten credits.
    pay_in(blue_note, "10.00", "payment-1")
    assert wallet(blue_note) == ("10.00", "0.00")

    # It orders up to two takes at 3.00: six credits are set aside, and nobody has earned anything yet.
    set_aside(blue_note, "6.00", FIRST_SONG)
    assert wallet(blue_note) == ("4.00", "6.00")
    assert trial_balance() == {
        "Blue Note: available": "4.00",
        "Blue Note: held": "6.00",
        "Blue Note: outside": "-10.00",
    }

    # One take is delivered: 3.00 are charged, passed down the chain, and 3.00 released.
    settle_hold(reference=FIRST_SONG, legs=sold(1, buyer=blue_note, chain=(corner_shop, tutti, harmonia)))
    assert wallet(blue_note) == ("7.00", "0.00")
    assert trial_balance() == {
        "Blue Note: available": "7.00",
        "Blue Note: outside": "-10.00",
        "Corner Shop: cost": "-2.00",
        "Corner Shop: earnings": "3.00",
        "Harmonia: payable": "0.50",
        "Tutti: cost": "-0.50",
        "Tutti: earnings": "2.00",
    }

    # Corner Shop keeps 1.00 of the song, Tutti 1.50, Harmonia 0.50: together what Blue Note paid.
    assert statement(blue_note, "available") == [("topup", "10.00"), ("hold", "-6.00"), ("release", "3.00")]
    assert statement(blue_note, "held") == [("hold", "6.00"), ("charge", "-3.00"), ("release", "-3.00")]
    assert statement(corner_shop, "earnings") == [("charge", "3.00")]
    assert statement(corner_shop, "cost") == [("cost", "-2.00")]
    assert statement(tutti, "earnings") == [("cost", "2.00")]
    assert statement(harmonia, "payable") == [("cost", "0.50")]


def test_a_song_that_failed_costs_nothing(corner_shop: Organization, blue_note: Organization) -> None:
    pay_in(blue_note, "10.00", "payment-1")
    set_aside(blue_note, "3.00", FIRST_SONG)

    settle_hold(reference=FIRST_SONG, legs=[])

    assert trial_balance() == {"Blue Note: available": "10.00", "Blue Note: outside": "-10.00"}
    assert statement(blue_note, "available") == [("topup", "10.00"), ("hold", "-3.00"), ("release", "3.00")]


def test_a_second_song_waits_for_the_credits_of_the_first(
    tutti: Organization, harmonia: Organization, corner_shop: Organization, blue_note: Organization
) -> None:
    pay_in(blue_note, "5.00", "payment-1")
    set_aside(blue_note, "3.00", FIRST_SONG)

    with pytest.raises(InsufficientFunds):
        set_aside(blue_note, "3.00", SECOND_SONG)

    settle_hold(reference=FIRST_SONG, legs=[])
    set_aside(blue_note, "3.00", SECOND_SONG)
    settle_hold(reference=SECOND_SONG, legs=sold(1, buyer=blue_note, chain=(corner_shop, tutti, harmonia)))
    assert wallet(blue_note) == ("2.00", "0.00")


def test_a_payment_and_a_settlement_announced_twice_count_once(
    tutti: Organization, harmonia: Organization, corner_shop: Organization, blue_note: Organization
) -> None:
    legs = sold(1, buyer=blue_note, chain=(corner_shop, tutti, harmonia))
    assert pay_in(blue_note, "10.00", "payment-1") == pay_in(blue_note, "10.00", "payment-1")
    set_aside(blue_note, "3.00", FIRST_SONG)

    settle_hold(reference=FIRST_SONG, legs=legs)
    with pytest.raises(AlreadySettled):
        settle_hold(reference=FIRST_SONG, legs=legs)

    assert wallet(blue_note) == ("7.00", "0.00")


def test_credits_paid_back_leave_the_way_they_came(blue_note: Organization) -> None:
    pay_in(blue_note, "10.00", "payment-1")

    withdraw(organization_id=blue_note.pk, live=True, amount_micro=micro("10.00"), key="back-1", reason="closed")

    assert trial_balance() == {}
    assert statement(blue_note, "outside") == [("topup", "-10.00"), ("withdrawal", "10.00")]


def test_a_song_on_a_test_key_moves_test_credits_only(corner_shop: Organization, blue_note: Organization) -> None:
    top_up(organization_id=blue_note.pk, live=False, amount_micro=micro("100"), key="test-credits", reason="sandbox")

    with pytest.raises(InsufficientFunds):
        set_aside(blue_note, "3.00", FIRST_SONG)

    assert wallet(blue_note) == ("0.00", "0.00")
    assert in_credits(balance_of(blue_note.pk, live=False).available_micro) == "100.00"
