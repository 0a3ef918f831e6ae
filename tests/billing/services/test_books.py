"""Drift that the guards would refuse is planted with the guards off, and found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts.models import Organization
from billing.models import Account, AccountKind, Hold
from billing.services.books import Disagreement, Drift, check_books
from billing.services.settle import Leg, settle_hold
from tests.plugins.ledger import ledger_guards_off

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def open_hold(fund: Callable[[int], None], set_aside: Callable[..., Hold]) -> Hold:
    fund(100)
    return set_aside(60)


@pytest.fixture
def settled_hold(open_hold: Hold, studio: Organization, platform: Organization) -> Hold:
    settle_hold(reference=open_hold.reference, legs=[Leg(studio.pk, platform.pk, "sale", 25)])
    return open_hold


def plant(sql: str) -> None:
    with ledger_guards_off(connection), connection.cursor() as cursor:
        cursor.execute(sql)


def drift_of(row: Hold | Account, kind: Disagreement, expected: int, found: int) -> Drift:
    where = {"reference": row.reference} if isinstance(row, Hold) else {"account_id": row.pk}
    return Drift(
        kind=kind,
        organization_id=row.organization_id,
        live=row.live,
        expected_micro=expected,
        found_micro=found,
        **where,
    )


def test_books_with_an_open_and_a_settled_hold_are_right(settled_hold: Hold, set_aside: Callable[..., Hold]) -> None:
    set_aside(10)

    assert check_books() == []


def test_balance_off_by_one_micro_credit_is_found(
    open_hold: Hold, studio: Organization, account_of: Callable[..., Account]
) -> None:
    plant("UPDATE billing_account SET balance = balance + 1 WHERE kind = 'available'")

    available = account_of(studio, AccountKind.AVAILABLE)
    assert check_books() == [drift_of(available, "balance_without_transfers", 40, 41)]


def test_transfer_that_vanished_is_found(
    open_hold: Hold, studio: Organization, account_of: Callable[..., Account]
) -> None:
    plant("DELETE FROM billing_transfer WHERE kind = 'topup'")

    available = account_of(studio, AccountKind.AVAILABLE)
    assert check_books() == [drift_of(available, "balance_without_transfers", -60, 40)]


def test_held_credits_without_a_hold_are_found(
    open_hold: Hold, studio: Organization, account_of: Callable[..., Account]
) -> None:
    plant("DELETE FROM billing_hold")

    held = account_of(studio, AccountKind.HELD)
    assert check_books() == [drift_of(held, "held_without_holds", 0, 60)]


def test_open_hold_past_its_deadline_is_found(open_hold: Hold) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert check_books() == [drift_of(open_hold, "hold_past_deadline", 0, 60)]


def test_settled_hold_past_its_deadline_is_right(settled_hold: Hold) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert check_books() == []


def test_hold_that_says_more_than_was_set_aside_is_found(
    open_hold: Hold, studio: Organization, account_of: Callable[..., Account]
) -> None:
    plant("UPDATE billing_hold SET amount = 70")

    held = account_of(studio, AccountKind.HELD)
    assert check_books() == [
        drift_of(held, "held_without_holds", 70, 60),
        drift_of(open_hold, "hold_without_transfers", 70, 60),
    ]


def test_settled_hold_that_says_another_charge_is_found(settled_hold: Hold) -> None:
    plant("UPDATE billing_hold SET charged = 24")

    assert check_books() == [drift_of(settled_hold, "hold_without_transfers", 24, 25)]


def test_hold_settled_without_its_release_is_found(
    settled_hold: Hold, studio: Organization, account_of: Callable[..., Account]
) -> None:
    plant("DELETE FROM billing_transfer WHERE kind = 'release'")

    assert drift_of(settled_hold, "hold_without_transfers", 35, 0) in check_books()


@pytest.mark.parametrize(("charge", "expected", "found"), [(0, 0, 60), (25, 0, 25), (60, 0, 60)])
def test_open_hold_that_was_charged_or_released_is_found(
    open_hold: Hold,
    studio: Organization,
    platform: Organization,
    account_of: Callable[..., Account],
    charge: int,
    expected: int,
    found: int,
) -> None:
    settle_hold(reference=open_hold.reference, legs=[Leg(studio.pk, platform.pk, "sale", charge)])

    plant("UPDATE billing_hold SET settled_at = NULL, charged = NULL")

    held = account_of(studio, AccountKind.HELD)
    assert check_books() == [
        drift_of(held, "held_without_holds", 60, 0),
        drift_of(open_hold, "hold_without_transfers", expected, found),
    ]
