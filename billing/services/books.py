"""Reconciliation: shows where the books disagree with themselves, and hides nothing.

Each question is one SQL statement, which both databases answer from one snapshot: work going on meanwhile is no drift.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from django.db.models import BigIntegerField, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from billing.models import Account, AccountKind, Hold, Transfer, TransferKind

Disagreement = Literal[
    "balance_without_transfers", "held_without_holds", "hold_past_deadline", "hold_without_transfers"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One disagreement; amounts in micro-credits. `account_id` or `reference` says where to look."""

    kind: Disagreement
    organization_id: int
    live: bool
    expected_micro: int
    found_micro: int
    account_id: int | None = None
    reference: UUID | None = None


def check_books() -> list[Drift]:
    """Every disagreement of balances, holds and transfers; an empty list when the books are right."""
    return [*_balances(), *_held(), *_overdue(), *_hold_transfers()]


# The books are the platform's, whoever asks: rows below are read unscoped.


def _balances() -> Iterator[Drift]:
    """A kept balance is what came in less what went out."""
    came = _sum_of(Transfer.objects.filter(credit=OuterRef("pk")), "credit")
    went = _sum_of(Transfer.objects.filter(debit=OuterRef("pk")), "debit")
    rows = Account.unscoped.filter(has_floor=True).annotate(expected=came - went)
    for row in rows.exclude(balance=F("expected")).order_by("pk"):
        yield _drift("balance_without_transfers", row, row.expected, row.balance, account_id=row.pk)


def _held() -> Iterator[Drift]:
    """A held account is the sum of its open holds."""
    open_holds = Hold.unscoped.filter(
        organization=OuterRef("organization"), live=OuterRef("live"), settled_at__isnull=True
    )
    rows = Account.unscoped.filter(kind=AccountKind.HELD).annotate(expected=_sum_of(open_holds, "organization"))
    for row in rows.exclude(balance=F("expected")).order_by("pk"):
        yield _drift("held_without_holds", row, row.expected, row.balance, account_id=row.pk)


def _overdue() -> Iterator[Drift]:
    """A hold ends by its deadline."""
    for row in Hold.unscoped.filter(settled_at__isnull=True, deadline__lt=timezone.now()).order_by("pk"):
        yield _drift("hold_past_deadline", row, 0, row.amount, reference=row.reference)


def _hold_transfers() -> Iterator[Drift]:
    """A hold was set aside once; a settled one was charged and released in full."""
    rows = Hold.unscoped.annotate(
        aside=_moved(TransferKind.HOLD), taken=_moved(TransferKind.CHARGE), back=_moved(TransferKind.RELEASE)
    )
    is_right = Q(aside=F("amount")) & (
        Q(settled_at__isnull=True, taken=0, back=0)
        | Q(settled_at__isnull=False, taken=F("charged"), back=F("amount") - F("charged"))
    )
    return map(_of_hold, rows.exclude(is_right).order_by("pk"))


def _of_hold(row: Any) -> Drift:
    """The first of the three movements that is wrong: set aside, charged, released."""
    charged, released = (0, 0) if row.settled_at is None else (row.charged, row.amount - row.charged)
    pairs = (row.amount, row.aside), (charged, row.taken), (released, row.back)
    expected, found = next(pair for pair in pairs if pair[0] != pair[1])
    return _drift("hold_without_transfers", row, expected, found, reference=row.reference)


def _moved(kind: TransferKind) -> Coalesce:
    return _sum_of(Transfer.objects.filter(reference=OuterRef("reference"), kind=kind), "reference")


def _sum_of(rows: QuerySet[Transfer] | QuerySet[Hold], group_by: str) -> Coalesce:
    totals = rows.order_by().values(group_by).annotate(total=Sum("amount")).values("total")
    return Coalesce(Subquery(totals, output_field=BigIntegerField()), 0)


def _drift(
    kind: Disagreement,
    row: Account | Hold,
    expected: int,
    found: int,
    *,
    account_id: int | None = None,
    reference: UUID | None = None,
) -> Drift:
    return Drift(
        kind=kind,
        organization_id=row.organization_id,
        live=row.live,
        expected_micro=expected,
        found_micro=found,
        account_id=account_id,
        reference=reference,
    )
