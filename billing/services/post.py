"""The one place where money moves: nothing else inserts a transfer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from billing.models import Account, Transfer, TransferKind
from billing.services import chart

FLOOR: Final = "billing_account_floor"
"""The constraint both databases name when an account has too little."""


class InsufficientFunds(Exception):
    """An account with a floor has less than the transfer takes; nothing was moved."""


class KeyReused(Exception):
    """The key stands in the books for another transfer; nothing was moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One movement to be: `amount_micro` > 0 out of `debit`, into `credit`. `key` is unique in the books."""

    key: str
    kind: TransferKind
    debit: Account
    credit: Account
    amount_micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What a group of transfers is for: the job's reference, the model, who ordered, or why."""

    reference: UUID | None = None
    model: str = ""
    api_key_id: int | None = None
    member_id: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Group:
    postings: Sequence[Posting]
    purpose: Purpose
    id: UUID = field(default_factory=uuid4)

    def rows(self) -> list[Transfer]:
        return [Transfer(group=self.id, **content) for content in self.contents().values()]

    def contents(self) -> dict[str, dict[str, Any]]:
        return {posting.key: self._content(posting) for posting in self.postings}

    def _content(self, posting: Posting) -> dict[str, Any]:
        return {
            "key": posting.key,
            "kind": posting.kind,
            "debit_id": posting.debit.pk,
            "credit_id": posting.credit.pk,
            "amount": posting.amount_micro,
            "reference": self.purpose.reference,
            "model": self.purpose.model,
            "api_key_id": self.purpose.api_key_id,
            "member_id": self.purpose.member_id,
            "reason": self.purpose.reason,
        }


def post(postings: Sequence[Posting], *, purpose: Purpose) -> list[Transfer]:
    """Write these transfers as one group: all of them or none.

    Posting the same again, key by key, changes nothing and answers the transfers of the first time.
    Raises `InsufficientFunds`, `KeyReused`, and `IntegrityError` for what the database refuses otherwise.
    """
    if not postings:
        return []
    group = _Group(postings, purpose)
    try:
        # Inside the caller's transaction this is a savepoint: a refusal leaves that transaction usable.
        with transaction.atomic():
            if len(postings) > 1:
                chart.lock(account for posting in postings for account in (posting.debit, posting.credit))
            return Transfer.objects.bulk_create(group.rows())
    except IntegrityError as error:
        if _names_the_floor(error):
            raise InsufficientFunds(f"less than {_taken(postings)} micro-credits are there") from error
        if earlier := _written_before(group.contents()):
            return earlier
        raise


def _names_the_floor(error: IntegrityError) -> bool:
    refusal = getattr(error.__cause__, "diag", None)
    if refusal is not None:
        return bool(refusal.constraint_name == FLOOR)
    return str(error).startswith(FLOOR)


def _taken(postings: Sequence[Posting]) -> int:
    return sum(posting.amount_micro for posting in postings)


def _written_before(contents: Mapping[str, Mapping[str, Any]]) -> list[Transfer]:
    rows = list(Transfer.objects.filter(key__in=contents).order_by("pk"))
    if not rows:
        return []
    written = {row.key: {name: getattr(row, name) for name in contents[row.key]} for row in rows}
    if written != contents:
        raise KeyReused(f"already in the books with another content: {', '.join(sorted(written))}")
    return rows
