"""Credits that come from outside and go there, and what a wallet has."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from django.db import transaction

from billing.models import FLOORED, Account, AccountKind, Transfer, TransferKind
from billing.services import chart
from billing.services.post import Posting, Purpose, post


@dataclass(frozen=True, slots=True)
class Balance:
    available_micro: int
    held_micro: int


def balance_of(organization_id: int, live: bool) -> Balance:
    """What an organization in scope may spend, and what is set aside for work in hand."""
    rows = Account.objects.filter(organization_id=organization_id, live=live, kind__in=FLOORED)
    balances = dict(rows.values_list("kind", "balance"))
    return Balance(available_micro=balances.get(AccountKind.AVAILABLE, 0), held_micro=balances.get(AccountKind.HELD, 0))


def top_up(*, organization_id: int, live: bool, amount_micro: int, key: str, reason: str) -> Transfer:
    """Bring `amount_micro` > 0 into the wallet. `key` names the payment, voucher or grant: it counts once.

    Raises `KeyReused` when the key stands for another top-up.
    """
    return _across_the_border(
        TransferKind.TOPUP,
        AccountKind.OUTSIDE,
        AccountKind.AVAILABLE,
        organization_id=organization_id,
        live=live,
        amount_micro=amount_micro,
        key=key,
        reason=reason,
    )


def withdraw(*, organization_id: int, live: bool, amount_micro: int, key: str, reason: str) -> Transfer:
    """Take `amount_micro` > 0 out of what is available. Raises `InsufficientFunds` and `KeyReused`."""
    return _across_the_border(
        TransferKind.WITHDRAWAL,
        AccountKind.AVAILABLE,
        AccountKind.OUTSIDE,
        organization_id=organization_id,
        live=live,
        amount_micro=amount_micro,
        key=key,
        reason=reason,
    )


def set_available(*, organization_id: int, live: bool, amount_micro: int, reason: str) -> Transfer | None:
    """Top up or withdraw the difference, so that `amount_micro` >= 0 are available; None when they already are."""
    if amount_micro < 0:
        raise ValueError("a wallet is never below zero")
    with transaction.atomic():
        wallet = chart.locked_wallet(organization_id=organization_id, live=live)
        difference = amount_micro - wallet.available.balance
        if not difference:
            return None
        move = top_up if difference > 0 else withdraw
        return move(
            organization_id=organization_id,
            live=live,
            amount_micro=abs(difference),
            key=f"set:{uuid4()}",
            reason=reason,
        )


def _across_the_border(
    kind: TransferKind,
    debit: AccountKind,
    credit: AccountKind,
    *,
    organization_id: int,
    live: bool,
    amount_micro: int,
    key: str,
    reason: str,
) -> Transfer:
    places = (organization_id, debit), (organization_id, credit)
    accounts = chart.accounts_at(places, live=live, manager=Account.objects)
    posting = Posting(
        key=f"{kind}:{key}",
        kind=kind,
        debit=accounts[places[0]],
        credit=accounts[places[1]],
        amount_micro=amount_micro,
    )
    [transfer] = post([posting], purpose=Purpose(reason=reason))
    return transfer
