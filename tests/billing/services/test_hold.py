from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.transaction import TransactionManagementError

from accounts.models import Organization
from accounts.tenancy import scope
from billing.models import Hold, Transfer
from billing.services.books import check_books
from billing.services.credits import Balance, balance_of
from billing.services.hold import place_hold
from billing.services.post import InsufficientFunds

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_hold_sets_credits_aside_for_its_job(
    studio: Organization, later: datetime, fund: Callable[[int], None], set_aside: Callable[..., Hold]
) -> None:
    fund(100)
    reference = uuid4()

    set_aside(70, reference, model="music-2.6")

    hold = Hold.objects.get(reference=reference)
    transfer = Transfer.objects.get(reference=reference)
    assert (hold.amount, hold.deadline, hold.model, hold.charged, hold.settled_at) == (
        70,
        later,
        "music-2.6",
        None,
        None,
    )
    assert (transfer.key, transfer.kind, transfer.amount, transfer.model) == (
        f"hold:{reference}",
        "hold",
        70,
        "music-2.6",
    )
    assert balance_of(studio.pk, live=True) == Balance(available_micro=30, held_micro=70)


def test_hold_above_what_is_available_is_refused_and_leaves_the_transaction_usable(
    studio: Organization, fund: Callable[[int], None], set_aside: Callable[..., Hold]
) -> None:
    fund(100)

    with transaction.atomic():
        with pytest.raises(InsufficientFunds):
            set_aside(101)
        set_aside(100)

    assert Hold.objects.count() == 1
    assert balance_of(studio.pk, live=True) == Balance(available_micro=0, held_micro=100)


def test_hold_on_a_wallet_that_never_had_credits_is_refused(set_aside: Callable[..., Hold]) -> None:
    with pytest.raises(InsufficientFunds):
        set_aside(1)


def test_live_credits_pay_no_test_hold(fund: Callable[[int], None], set_aside: Callable[..., Hold]) -> None:
    fund(100)

    with pytest.raises(InsufficientFunds):
        set_aside(1, live=False)


def test_free_work_is_held_without_a_transfer(set_aside: Callable[..., Hold]) -> None:
    hold = set_aside(0)

    assert (Hold.objects.get().pk, Transfer.objects.count()) == (hold.pk, 0)


def test_second_hold_for_a_job_is_refused(fund: Callable[[int], None], set_aside: Callable[..., Hold]) -> None:
    fund(100)
    first = set_aside(10)

    with pytest.raises(IntegrityError):
        set_aside(10, first.reference)

    assert check_books() == []


def test_negative_hold_is_refused(fund: Callable[[int], None], set_aside: Callable[..., Hold]) -> None:
    fund(100)

    with pytest.raises(IntegrityError):
        set_aside(-1)


def test_hold_of_another_organization_is_refused(
    platform: Organization, studio: Organization, set_aside: Callable[..., Hold]
) -> None:
    with scope(studio), pytest.raises(LookupError):
        set_aside(0, organization_id=platform.pk)


@pytest.mark.django_db(transaction=True)
def test_hold_outside_a_transaction_is_refused(studio: Organization, later: datetime) -> None:
    with pytest.raises(TransactionManagementError):
        place_hold(organization_id=studio.pk, live=True, reference=uuid4(), amount_micro=0, deadline=later)


def test_hold_that_is_rolled_back_with_its_job_leaves_nothing(
    studio: Organization, fund: Callable[[int], None], set_aside: Callable[..., Hold]
) -> None:
    fund(100)

    with transaction.atomic():
        set_aside(70)
        transaction.set_rollback(True)

    assert balance_of(studio.pk, live=True) == Balance(available_micro=100, held_micro=0)
    assert (Hold.objects.count(), check_books()) == (0, [])
