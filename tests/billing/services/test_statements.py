from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.models import Organization
from billing.models import Account, AccountKind, Hold, Transfer
from billing.services.settle import Leg, settle_hold
from billing.services.statements import entries_of, total_of

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

NOON = datetime(2030, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def history(
    studio: Organization, platform: Organization, fund: Callable[[int], None], set_aside: Callable[..., Hold]
) -> Hold:
    """100 in at noon, 60 set aside a day later, 25 of them charged a day after that."""
    with time_machine.travel(NOON, tick=False):
        fund(100)
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        hold = set_aside(60, model="music-2.6")
    with time_machine.travel(NOON + timedelta(days=2), tick=False):
        settle_hold(reference=hold.reference, legs=[Leg(studio.pk, platform.pk, "sale", 25)])
    return hold


@pytest.fixture
def available(history: Hold, studio: Organization, account_of: Callable[..., Account]) -> Account:
    return account_of(studio, AccountKind.AVAILABLE)


def test_entries_of_an_account_are_signed_and_in_order(available: Account) -> None:
    entries = entries_of(available)

    assert [(entry["kind"], entry["amount_micro"]) for entry in entries] == [
        ("topup", 100),
        ("hold", -60),
        ("release", 35),
    ]
    assert {entry["account_id"] for entry in entries} == {available.pk}


def test_entry_says_what_it_was_for(history: Hold, available: Account, account_of: Callable[..., Account]) -> None:
    entry = entries_of(available)[1]

    transfer = Transfer.objects.get(kind="hold")
    assert entry == {
        "transfer_id": transfer.pk,
        "account_id": available.pk,
        "counterpart_id": account_of(history.organization, AccountKind.HELD).pk,
        "amount_micro": -60,
        "kind": "hold",
        "key": f"hold:{history.reference}",
        "group": transfer.group,
        "reference": history.reference,
        "model": "music-2.6",
        "api_key_id": None,
        "member_id": None,
        "reason": "",
        "created_at": NOON + timedelta(days=1),
    }


def test_every_transfer_is_two_entries_that_sum_to_zero(history: Hold) -> None:
    entries = entries_of(*Account.unscoped.all())

    by_transfer: dict[int, list[int]] = {}
    for entry in entries:
        by_transfer.setdefault(entry["transfer_id"], []).append(entry["amount_micro"])
    assert by_transfer.keys() == set(Transfer.objects.values_list("pk", flat=True))
    assert {(len(pair), sum(pair)) for pair in by_transfer.values()} == {(2, 0)}


def test_period_begins_with_its_first_moment_and_ends_before_its_last(available: Account) -> None:
    entries = entries_of(available, since=NOON, until=NOON + timedelta(days=2))

    assert [entry["kind"] for entry in entries] == ["topup", "hold"]


def test_total_is_the_sum_of_an_accounts_entries(history: Hold) -> None:
    for account in Account.unscoped.all():
        assert total_of(account) == sum(entry["amount_micro"] for entry in entries_of(account))


def test_account_without_transfers_has_no_entries(platform: Organization) -> None:
    account = Account.unscoped.create(organization=platform, kind=AccountKind.COST, live=True, has_floor=False)

    assert (list(entries_of(account)), total_of(account)) == ([], 0)


def test_kept_balance_is_the_total(available: Account) -> None:
    assert (available.balance, total_of(available)) == (75, 75)
