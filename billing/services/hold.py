"""Set credits aside for a job before any work is done for it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.transaction import TransactionManagementError

from billing.models import Hold, TransferKind
from billing.services import chart
from billing.services.post import Posting, Purpose, post


def place_hold(
    *,
    organization_id: int,
    live: bool,
    reference: UUID,
    amount_micro: int,
    deadline: datetime,
    api_key_id: int | None = None,
    member_id: int | None = None,
    model: str = "",
) -> Hold:
    """Move `amount_micro` >= 0 from available to held, inside the caller's transaction, and note for which job.

    `reference` is the job's id, once per hold. Raises `InsufficientFunds`, after which the transaction is usable,
    and `TransactionManagementError` outside a transaction: a hold without its job would lock the credits for good.
    """
    if not transaction.get_connection().in_atomic_block:
        raise TransactionManagementError("A hold is placed in the transaction that writes its job.")
    wallet = chart.locked_wallet(organization_id=organization_id, live=live)
    hold = Posting(
        key=f"hold:{reference}",
        kind=TransferKind.HOLD,
        debit=wallet.available,
        credit=wallet.held,
        amount_micro=amount_micro,
    )
    purpose = Purpose(reference=reference, model=model, api_key_id=api_key_id, member_id=member_id)
    post([hold] if amount_micro else [], purpose=purpose)
    return Hold.objects.create(
        organization_id=organization_id,
        live=live,
        reference=reference,
        amount=amount_micro,
        deadline=deadline,
        api_key_id=api_key_id,
        member_id=member_id,
        model=model,
    )
