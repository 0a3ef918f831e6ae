from __future__ import annotations

import pytest
from django.db import IntegrityError

from accounts.models import Organization
from accounts.tenancy import OutsideScope, _scope, scope
from billing.models import Account, Transfer
from billing.services.books import check_books
from billing.services.credits import Balance, balance_of, set_available, top_up, withdraw
from billing.services.post import InsufficientFunds, KeyReused
from billing.services.statements import total_of

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def grant(organization: Organization, amount_micro: int, *, key: str = "grant", live: bool = True) -> Transfer:
    return top_up(organization_id=organization.pk, live=live, amount_micro=amount_micro, key=key, reason="welcome")


def test_top_up_brings_credits_from_outside(studio: Organization) -> None:
    transfer = grant(studio, 500)

    assert (transfer.key, transfer.kind, transfer.reason) == ("topup:grant", "topup", "welcome")
    assert balance_of(studio.pk, live=True) == Balance(available_micro=500, held_micro=0)
    assert total_of(Account.unscoped.get(organization=studio, kind="outside")) == -500


def test_top_up_with_the_same_key_counts_once(studio: Organization) -> None:
    assert grant(studio, 500) == grant(studio, 500)
    assert balance_of(studio.pk, live=True).available_micro == 500


@pytest.mark.parametrize(("amount_micro", "live"), [(400, True), (500, False)])
def test_key_of_another_top_up_is_refused(studio: Organization, amount_micro: int, live: bool) -> None:
    grant(studio, 500)

    with pytest.raises(KeyReused):
        grant(studio, amount_micro, live=live)


def test_key_counts_once_for_all_organizations(studio: Organization, platform: Organization) -> None:
    grant(studio, 500)

    with pytest.raises(KeyReused):
        grant(platform, 500)


def test_withdrawal_takes_credits_out(studio: Organization) -> None:
    grant(studio, 500)

    transfer = withdraw(organization_id=studio.pk, live=True, amount_micro=200, key="refund", reason="asked")

    assert (transfer.key, transfer.kind) == ("withdrawal:refund", "withdrawal")
    assert balance_of(studio.pk, live=True).available_micro == 300


def test_withdrawal_above_what_is_available_is_refused(studio: Organization) -> None:
    grant(studio, 500)

    with pytest.raises(InsufficientFunds):
        withdraw(organization_id=studio.pk, live=True, amount_micro=501, key="refund", reason="asked")


@pytest.mark.parametrize("amount_micro", [0, -1])
def test_top_up_of_nothing_or_less_is_refused(studio: Organization, amount_micro: int) -> None:
    with pytest.raises(IntegrityError):
        grant(studio, amount_micro)


def test_live_and_test_credits_are_apart(studio: Organization) -> None:
    grant(studio, 500, live=False)

    assert [balance_of(studio.pk, live=live).available_micro for live in (True, False)] == [0, 500]


def test_balance_of_an_organization_without_a_wallet_is_zero(studio: Organization) -> None:
    assert balance_of(studio.pk, live=True) == Balance(available_micro=0, held_micro=0)
    assert Account.unscoped.count() == 0


@pytest.mark.parametrize(("before", "after", "kinds"), [(0, 50, ["topup"]), (90, 50, ["topup", "withdrawal"])])
def test_available_credits_are_set_by_posting_the_difference(
    studio: Organization, before: int, after: int, kinds: list[str]
) -> None:
    if before:
        grant(studio, before)

    set_available(organization_id=studio.pk, live=True, amount_micro=after, reason="reset")

    assert balance_of(studio.pk, live=True).available_micro == after
    assert list(Transfer.objects.order_by("pk").values_list("kind", flat=True)) == kinds
    assert check_books() == []


def test_setting_what_already_is_available_posts_nothing(studio: Organization) -> None:
    grant(studio, 90)

    assert set_available(organization_id=studio.pk, live=True, amount_micro=90, reason="reset") is None
    assert Transfer.objects.count() == 1


def test_setting_less_than_nothing_is_refused(studio: Organization) -> None:
    with pytest.raises(ValueError, match="below zero"):
        set_available(organization_id=studio.pk, live=True, amount_micro=-1, reason="reset")


def test_wallet_of_an_organization_out_of_scope_is_not_answered(studio: Organization, platform: Organization) -> None:
    grant(studio, 500)

    with scope(platform):
        assert balance_of(studio.pk, live=True).available_micro == 0
        with pytest.raises(LookupError):
            grant(studio, 1, key="another")


def test_wallet_outside_any_scope_raises(studio: Organization) -> None:
    token = _scope.set(None)
    try:
        with pytest.raises(OutsideScope):
            balance_of(studio.pk, live=True)
    finally:
        _scope.reset(token)
