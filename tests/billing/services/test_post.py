from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Organization
from billing.models import Account, Transfer, TransferKind
from billing.services import chart
from billing.services.post import InsufficientFunds, KeyReused, Posting, Purpose, post

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def wallet(studio: Organization, fund: Callable[[int], None]) -> chart.Wallet:
    fund(100)
    with transaction.atomic():
        return chart.locked_wallet(organization_id=studio.pk, live=True)


@pytest.fixture
def posting(wallet: chart.Wallet) -> Posting:
    return Posting(key="a", kind=TransferKind.HOLD, debit=wallet.available, credit=wallet.held, amount_micro=70)


def balances(wallet: chart.Wallet) -> tuple[int, int]:
    for account in wallet:
        account.refresh_from_db()
    return wallet.available.balance, wallet.held.balance


def test_posting_moves_the_amount_and_keeps_what_it_was_for(wallet: chart.Wallet, posting: Posting) -> None:
    reference = uuid4()

    [transfer] = post([posting], purpose=Purpose(reference=reference, model="music-2.6", reason="a test"))

    stored = Transfer.objects.get(pk=transfer.pk)
    assert (stored.key, stored.kind, stored.amount, stored.reference, stored.model, stored.reason) == (
        "a",
        "hold",
        70,
        reference,
        "music-2.6",
        "a test",
    )
    assert balances(wallet) == (30, 70)
    assert {account.last_transfer for account in wallet} == {transfer.pk}


def test_postings_of_one_group_share_its_id(wallet: chart.Wallet, posting: Posting) -> None:
    transfers = post([posting, replace(posting, key="b", amount_micro=1)], purpose=Purpose())

    assert len({transfer.group for transfer in transfers}) == 1
    assert balances(wallet) == (29, 71)


def test_nothing_to_post_writes_nothing(wallet: chart.Wallet) -> None:
    before = Transfer.objects.count()

    assert post([], purpose=Purpose()) == []
    assert Transfer.objects.count() == before


def test_overdraft_raises_insufficient_funds_and_leaves_the_transaction_usable(
    wallet: chart.Wallet, posting: Posting
) -> None:
    with transaction.atomic():
        with pytest.raises(InsufficientFunds):
            post([replace(posting, amount_micro=101)], purpose=Purpose())
        post([posting], purpose=Purpose())

    assert balances(wallet) == (30, 70)


def test_group_of_which_one_posting_is_refused_writes_nothing(wallet: chart.Wallet, posting: Posting) -> None:
    before = Transfer.objects.count()

    with pytest.raises(InsufficientFunds):
        post([posting, replace(posting, key="b", amount_micro=31)], purpose=Purpose())

    assert (balances(wallet), Transfer.objects.count()) == ((100, 0), before)


def test_same_posting_again_answers_the_first_transfer(wallet: chart.Wallet, posting: Posting) -> None:
    [first] = post([posting], purpose=Purpose(model="music-2.6"))

    [again] = post([posting], purpose=Purpose(model="music-2.6"))

    assert (again.pk, again.group) == (first.pk, first.group)
    assert balances(wallet) == (30, 70)


def test_same_posting_again_is_known_when_the_money_is_gone(wallet: chart.Wallet, posting: Posting) -> None:
    [first] = post([posting], purpose=Purpose())
    post([replace(posting, key="b", amount_micro=30)], purpose=Purpose())

    assert post([posting], purpose=Purpose()) == [first]


@pytest.mark.parametrize(
    ("changes", "purpose"),
    [
        ({"amount_micro": 69}, Purpose()),
        ({"kind": TransferKind.CHARGE}, Purpose()),
        ({}, Purpose(model="another")),
        ({}, Purpose(reference=uuid4())),
        ({}, Purpose(reason="another")),
    ],
)
def test_key_with_another_content_is_refused(
    wallet: chart.Wallet, posting: Posting, changes: dict[str, Any], purpose: Purpose
) -> None:
    post([posting], purpose=Purpose())

    with pytest.raises(KeyReused):
        post([replace(posting, **changes)], purpose=purpose)

    assert balances(wallet) == (30, 70)


def test_group_that_repeats_one_key_of_another_is_refused_whole(wallet: chart.Wallet, posting: Posting) -> None:
    post([posting], purpose=Purpose())

    with pytest.raises(KeyReused):
        post([replace(posting, key="b", amount_micro=1), posting], purpose=Purpose())

    assert balances(wallet) == (30, 70)


def test_key_that_spells_the_floor_is_no_lack_of_funds(wallet: chart.Wallet, posting: Posting) -> None:
    named = replace(posting, key="billing_account_floor")
    post([named], purpose=Purpose())

    with pytest.raises(KeyReused):
        post([replace(named, amount_micro=1)], purpose=Purpose())


@pytest.mark.parametrize("amount_micro", [0, -5])
def test_posting_of_nothing_or_less_is_refused_by_the_database(
    wallet: chart.Wallet, posting: Posting, amount_micro: int
) -> None:
    with pytest.raises(IntegrityError, match="billing_transfer_amount_is_positive"):
        post([replace(posting, amount_micro=amount_micro)], purpose=Purpose())


def test_only_one_module_inserts_transfers() -> None:
    """Whoever writes `Transfer(` or creates through its manager elsewhere goes round the one place."""
    root = Path(__file__).parents[3]
    writers = [
        path.relative_to(root).as_posix()
        for app in ("accounts", "billing", "catalog", "generation", "platform")
        for path in (root / app).rglob("*.py")
        if any(mark in path.read_text() for mark in ("Transfer(", "Transfer.objects.create", "Transfer.objects.bulk_"))
    ]
    assert sorted(writers) == ["billing/models/transfer.py", "billing/services/post.py"]


def test_account_of_the_posting_is_untouched_in_memory(wallet: chart.Wallet, posting: Posting) -> None:
    post([posting], purpose=Purpose())

    assert posting.debit.balance == 100
    assert Account.unscoped.get(pk=posting.debit.pk).balance == 30
