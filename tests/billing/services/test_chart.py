from __future__ import annotations

import pytest
from django.db import transaction

from accounts.models import Organization
from accounts.tenancy import scope
from billing.models import Account, AccountKind
from billing.services import chart

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.mark.parametrize(
    ("kind", "has_floor"),
    [
        (AccountKind.AVAILABLE, True),
        (AccountKind.HELD, True),
        (AccountKind.EARNINGS, False),
        (AccountKind.COST, False),
        (AccountKind.PAYABLE, False),
        (AccountKind.OUTSIDE, False),
    ],
)
def test_account_is_made_when_first_needed_and_found_afterwards(
    studio: Organization, kind: AccountKind, has_floor: bool
) -> None:
    place = (studio.pk, kind)

    made = chart.accounts_at([place], live=True, manager=Account.objects)[place]
    found = chart.accounts_at([place], live=True, manager=Account.objects)[place]

    assert (made.pk, made.balance, made.has_floor) == (found.pk, 0, has_floor)


def test_live_and_test_accounts_are_apart(studio: Organization) -> None:
    place = (studio.pk, AccountKind.AVAILABLE)

    live, test = (chart.accounts_at([place], live=live, manager=Account.objects)[place] for live in (True, False))

    assert (live.live, test.live, live.pk == test.pk) == (True, False, False)


def test_accounts_of_two_organizations_do_not_mix(studio: Organization, platform: Organization) -> None:
    places = [(studio.pk, AccountKind.AVAILABLE), (platform.pk, AccountKind.EARNINGS)]

    accounts = chart.accounts_at(places, live=True, manager=Account.unscoped)

    assert {place: (account.organization_id, account.kind) for place, account in accounts.items()} == {
        place: place for place in places
    }
    assert Account.unscoped.count() == 2


def test_account_out_of_scope_is_not_answered(studio: Organization, platform: Organization) -> None:
    with scope(studio), pytest.raises(LookupError, match="out of scope"):
        chart.accounts_at([(platform.pk, AccountKind.EARNINGS)], live=True, manager=Account.objects)


def test_wallet_out_of_scope_is_not_answered(studio: Organization, platform: Organization) -> None:
    with transaction.atomic(), scope(studio), pytest.raises(LookupError, match="out of scope"):
        chart.locked_wallet(organization_id=platform.pk, live=True)


def test_wallet_names_its_accounts_whatever_their_order(studio: Organization) -> None:
    for kind in (AccountKind.HELD, AccountKind.AVAILABLE):
        chart.accounts_at([(studio.pk, kind)], live=True, manager=Account.objects)

    with transaction.atomic():
        wallet = chart.locked_wallet(organization_id=studio.pk, live=True)

    assert (wallet.available.kind, wallet.held.kind) == ("available", "held")
