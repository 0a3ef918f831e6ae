"""End a hold: charge for what was delivered, pay those who made it possible, release the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from billing.models import Account, AccountKind, Hold, TransferKind
from billing.services import chart
from billing.services.chart import Place
from billing.services.post import Posting, Purpose, post


@dataclass(frozen=True, slots=True)
class Leg:
    """One payment of a sale, from organization to organization; `amount_micro` >= 0.

    A `sale` becomes earnings of the payee, a `cost` is payable to it.
    """

    payer_id: int
    payee_id: int
    kind: Literal["sale", "cost"]
    amount_micro: int


@dataclass(frozen=True, slots=True)
class Settlement:
    charged_micro: int
    released_micro: int


class AlreadySettled(Exception):
    """Another settlement of this hold came first; nothing was moved."""


class ChargeAboveHold(Exception):
    """The charge is more than was set aside; nothing was moved."""


def settle_hold(*, reference: UUID, legs: Sequence[Leg], charges: int = 1) -> Settlement:
    """Settle the hold of a job, exactly once, in the caller's transaction or in one of its own.

    The first leg, when it is a sale to the holding organization, is the charge and comes out of the held credits; of
    an order for several things the first `charges` legs are. Every other leg is a cost of its payer. What is held
    beyond the charge is released. Amounts of zero post nothing.
    Raises `AlreadySettled`, `ChargeAboveHold`, `ValueError` for a negative leg and `Hold.DoesNotExist`.
    """
    with transaction.atomic():
        hold = Hold.objects.get(reference=reference)
        settlement = _settlement(hold, legs, charges)
        _claim(hold, settlement)
        purpose = Purpose(reference=reference, model=hold.model, api_key_id=hold.api_key_id, member_id=hold.member_id)
        post(_postings(hold, legs, settlement, charges), purpose=purpose)
    return settlement


def _settlement(hold: Hold, legs: Sequence[Leg], charges: int) -> Settlement:
    if any(leg.amount_micro < 0 for leg in legs):
        raise ValueError("a leg of a sale is never negative")
    charged = sum(leg.amount_micro for leg in legs[:charges] if _is_bought(leg, hold))
    if charged > hold.amount:
        raise ChargeAboveHold(f"{charged} micro-credits are more than the {hold.amount} set aside")
    return Settlement(charged_micro=charged, released_micro=hold.amount - charged)


def _claim(hold: Hold, settlement: Settlement) -> None:
    open_hold = Hold.objects.filter(pk=hold.pk, settled_at__isnull=True)
    if not open_hold.update(settled_at=timezone.now(), charged=settlement.charged_micro):
        raise AlreadySettled(f"the hold for {hold.reference} is settled")


def _is_bought(leg: Leg, hold: Hold) -> bool:
    return leg.kind == "sale" and leg.payer_id == hold.organization_id


def _postings(hold: Hold, legs: Sequence[Leg], settlement: Settlement, charges: int) -> list[Posting]:
    held, available = (hold.organization_id, AccountKind.HELD), (hold.organization_id, AccountKind.AVAILABLE)
    moves: list[tuple[str, TransferKind, Place, Place, int]] = [
        (
            f"charge:{hold.reference}:{position}",
            *_ends(leg, is_charge=position < charges and _is_bought(leg, hold)),
            leg.amount_micro,
        )
        for position, leg in enumerate(legs)
    ]
    moves.append((f"release:{hold.reference}", TransferKind.RELEASE, held, available, settlement.released_micro))
    moves = [move for move in moves if move[-1]]
    accounts = _accounts(hold, {place for move in moves for place in move[2:4]})
    return [
        Posting(key=key, kind=kind, debit=accounts[debit], credit=accounts[credit], amount_micro=amount_micro)
        for key, kind, debit, credit, amount_micro in moves
    ]


def _ends(leg: Leg, *, is_charge: bool) -> tuple[TransferKind, Place, Place]:
    payee = (leg.payee_id, AccountKind.EARNINGS if leg.kind == "sale" else AccountKind.PAYABLE)
    if is_charge:
        return TransferKind.CHARGE, (leg.payer_id, AccountKind.HELD), payee
    return TransferKind.COST, (leg.payer_id, AccountKind.COST), payee


def _accounts(hold: Hold, places: set[Place]) -> Mapping[Place, Account]:
    # A sale pays sellers and providers, whose accounts its buyer may not see: the quote named them, not the caller.
    return chart.accounts_at(places, live=hold.live, manager=Account.unscoped)
