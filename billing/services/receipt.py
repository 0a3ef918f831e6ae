"""What one job moved in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from billing.models import Hold


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Micro-credits. Until the job is settled nothing is charged or released."""

    held_micro: int
    charged_micro: int
    released_micro: int


def receipt_of(*, reference: UUID) -> Receipt:
    """The hold of a job and what became of it. Raises Hold.DoesNotExist for a job that never had one."""
    hold = Hold.unscoped.get(reference=reference)
    if hold.charged is None:
        return Receipt(held_micro=hold.amount, charged_micro=0, released_micro=0)
    return Receipt(held_micro=hold.amount, charged_micro=hold.charged, released_micro=hold.amount - hold.charged)
