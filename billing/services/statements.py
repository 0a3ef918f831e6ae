"""The books as an accountant reads them: each transfer is two entries, one per account, that sum to zero."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.db.models import BigIntegerField, ExpressionWrapper, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from billing.models import Account, Transfer


class Entry(TypedDict):
    """One side of a transfer. `amount_micro` is positive for what came in, negative for what went out."""

    transfer_id: int
    account_id: int
    counterpart_id: int
    amount_micro: int
    kind: str
    key: str
    group: UUID
    reference: UUID | None
    model: str
    api_key_id: int | None
    member_id: int | None
    reason: str
    created_at: datetime


def entries_of(
    *accounts: Account, since: datetime | None = None, until: datetime | None = None
) -> QuerySet[Transfer, Entry]:
    """Entries of these accounts, oldest first, from `since` on and before `until`."""
    ids = [account.pk for account in accounts]
    period = _period(since, until)
    came = _side(Transfer.objects.filter(period, credit__in=ids), account="credit_id", counterpart="debit_id", sign=1)
    went = _side(Transfer.objects.filter(period, debit__in=ids), account="debit_id", counterpart="credit_id", sign=-1)
    entries: QuerySet[Transfer, Any] = came.union(went, all=True)
    return entries.order_by("transfer_id", "amount_micro")  # type: ignore[misc]  # columns of the union, not the model


def total_of(account: Account) -> int:
    """What the transfers say lies in an account, in micro-credits: the balance of one that keeps none."""
    came, went = account.credits.aggregate(total=_sum()), account.debits.aggregate(total=_sum())
    return int(came["total"] - went["total"])


def _side(transfers: QuerySet[Transfer], *, account: str, counterpart: str, sign: int) -> QuerySet[Transfer, Any]:
    return transfers.values(
        "kind",
        "key",
        "group",
        "reference",
        "model",
        "api_key_id",
        "member_id",
        "reason",
        "created_at",
        transfer_id=F("pk"),
        account_id=F(account),
        counterpart_id=F(counterpart),
        amount_micro=ExpressionWrapper(F("amount") * sign, output_field=BigIntegerField()),
    )


def _period(since: datetime | None, until: datetime | None) -> Q:
    after = Q(created_at__gte=since) if since else Q()
    return after & Q(created_at__lt=until) if until else after


def _sum() -> Coalesce:
    return Coalesce(Sum("amount"), 0)
