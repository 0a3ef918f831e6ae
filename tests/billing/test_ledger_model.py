"""The ledger against a model of it in a dozen lines, under any sequence of calls."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from accounts.models import Organization
from accounts.tenancy import system_scope
from billing.services.books import check_books
from billing.services.credits import Balance, balance_of, top_up, withdraw
from billing.services.hold import place_hold
from billing.services.post import InsufficientFunds
from billing.services.settle import AlreadySettled, ChargeAboveHold, Leg, settle_hold

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

AMOUNTS = st.integers(min_value=1, max_value=200)


class Ledger(RuleBasedStateMachine):
    """Top-ups, withdrawals, holds and settlements of one wallet, repeated, refused and cut off."""

    holds = Bundle("holds")
    payments = Bundle("payments")

    def __init__(self) -> None:
        super().__init__()
        self.outcome = transaction.savepoint()
        self.seller = Organization.objects.create(name="Seller", slug=uuid4().hex, is_platform=True)
        self.buyer = Organization.objects.create(name="Buyer", slug=uuid4().hex, parent=self.seller)
        self.available = 0
        self.open: dict[UUID, int] = {}

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.outcome)

    def order(self, reference: UUID, amount: int) -> None:
        place_hold(
            organization_id=self.buyer.pk,
            live=True,
            reference=reference,
            amount_micro=amount,
            deadline=timezone.now() + timedelta(hours=1),
        )

    def settle(self, reference: UUID, charge: int) -> None:
        settle_hold(reference=reference, legs=[Leg(self.buyer.pk, self.seller.pk, "sale", charge)])

    @rule(target=payments, amount=AMOUNTS)
    def pay_in(self, amount: int) -> tuple[str, int]:
        payment = uuid4().hex, amount
        self.announce(payment)
        self.available += amount
        return payment

    @rule(payment=payments)
    def announce(self, payment: tuple[str, int]) -> None:
        key, amount = payment
        top_up(organization_id=self.buyer.pk, live=True, amount_micro=amount, key=key, reason="")

    @rule(amount=AMOUNTS)
    def take_out(self, amount: int) -> None:
        try:
            withdraw(organization_id=self.buyer.pk, live=True, amount_micro=amount, key=uuid4().hex, reason="")
        except InsufficientFunds:
            assert amount > self.available
        else:
            self.available -= amount

    @rule(target=holds, amount=AMOUNTS)
    def hold(self, amount: int) -> object:
        reference = uuid4()
        try:
            self.order(reference, amount)
        except InsufficientFunds:
            assert amount > self.available
            return multiple()
        self.available -= amount
        self.open[reference] = amount
        return reference

    @rule(reference=holds, charge=AMOUNTS | st.just(0))
    def end(self, reference: UUID, charge: int) -> None:
        held = self.open.get(reference)
        try:
            self.settle(reference, charge)
        except AlreadySettled:
            assert held is None
        except ChargeAboveHold:
            assert held is None or charge > held
        else:
            self.available += self.open.pop(reference) - charge

    @rule(amount=AMOUNTS)
    def crash_while_ordering(self, amount: int) -> None:
        with suppress(InsufficientFunds), transaction.atomic():
            self.order(uuid4(), amount)
            transaction.set_rollback(True)

    @rule(reference=holds)
    def crash_while_settling(self, reference: UUID) -> None:
        with suppress(AlreadySettled), transaction.atomic():
            self.settle(reference, 0)
            transaction.set_rollback(True)

    @invariant()
    def wallet_is_as_the_model_says(self) -> None:
        held = sum(self.open.values())
        assert balance_of(self.buyer.pk, live=True) == Balance(available_micro=self.available, held_micro=held)
        assert check_books() == []


def test_any_sequence_of_calls_keeps_the_books_right(db: None) -> None:
    with system_scope():
        run_state_machine_as_test(Ledger, settings=settings(max_examples=15, stateful_step_count=30, deadline=None))
