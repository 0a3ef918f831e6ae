"""Many at once: nothing is spent twice, nothing is settled twice, nobody waits in a ring."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Organization
from billing.models import Account, AccountKind, Hold, Transfer, TransferKind
from billing.services import chart
from billing.services.books import check_books
from billing.services.credits import Balance, balance_of, top_up
from billing.services.post import InsufficientFunds, Posting, Purpose, post
from billing.services.settle import AlreadySettled, Leg, settle_hold
from billing.services.statements import total_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

PRICE = 30


def outcome_of(call: Callable[[], object]) -> str:
    try:
        call()
    except (InsufficientFunds, AlreadySettled) as refusal:
        return type(refusal).__name__
    return "done"


def test_wallet_worth_37_songs_pays_37_of_200_orders(
    studio: Organization, fund: Callable[[int], None], set_aside: Callable[..., Hold], at_once: Callable[..., list]
) -> None:
    fund(37 * PRICE)

    def order_eight() -> Counter[str]:
        return Counter(outcome_of(partial(set_aside, PRICE)) for _order in range(8))

    outcomes: Counter[str] = sum(at_once([order_eight] * 25), Counter())

    assert outcomes == {"done": 37, "InsufficientFunds": 163}
    assert balance_of(studio.pk, live=True) == Balance(available_micro=0, held_micro=37 * PRICE)
    assert (Hold.objects.count(), check_books()) == (37, [])


@pytest.mark.parametrize("first", [AccountKind.AVAILABLE, AccountKind.HELD])
def test_holds_and_settlements_that_cross_never_wait_in_a_ring(
    studio: Organization,
    platform: Organization,
    fund: Callable[[int], None],
    set_aside: Callable[..., Hold],
    at_once: Callable[..., list],
    first: AccountKind,
) -> None:
    """Whichever of the wallet's accounts has the lower id, and so is locked first."""
    chart.accounts_at([(studio.pk, first)], live=True, manager=Account.objects)
    fund(1_000 * PRICE)

    def work(thread: int) -> None:
        for job in range(40):
            hold = set_aside(PRICE)
            charge = Leg(studio.pk, platform.pk, "sale", (thread + job) % (PRICE + 1))
            settle_hold(reference=hold.reference, legs=[charge, Leg(platform.pk, platform.pk, "cost", 1)])

    at_once([partial(work, thread) for thread in range(10)])

    charged = sum((thread + job) % (PRICE + 1) for thread in range(10) for job in range(40))
    assert balance_of(studio.pk, live=True) == Balance(available_micro=1_000 * PRICE - charged, held_micro=0)
    assert total_of(Account.unscoped.get(organization=platform, kind=AccountKind.EARNINGS)) == charged
    assert check_books() == []


def test_single_transfers_that_cross_never_wait_in_a_ring(
    studio: Organization, fund: Callable[[int], None], at_once: Callable[..., list]
) -> None:
    """Nobody locks the wallet beforehand here: the order is the trigger's own."""
    fund(1_000)
    with transaction.atomic():
        available, held = chart.locked_wallet(organization_id=studio.pk, live=True)
    move = partial(Posting, kind=TransferKind.HOLD, amount_micro=1)

    def back_and_forth() -> None:
        for _turn in range(40):
            post([move(key=str(uuid4()), debit=available, credit=held)], purpose=Purpose())
            post([move(key=str(uuid4()), debit=held, credit=available)], purpose=Purpose())

    at_once([back_and_forth] * 10)

    assert balance_of(studio.pk, live=True) == Balance(available_micro=1_000, held_micro=0)
    assert Transfer.objects.count() == 1 + 10 * 40 * 2


def test_hold_settled_by_three_at_once_is_settled_once(
    studio: Organization,
    platform: Organization,
    fund: Callable[[int], None],
    set_aside: Callable[..., Hold],
    at_once: Callable[..., list],
) -> None:
    fund(60 * PRICE)
    references = [set_aside(PRICE).reference for _hold in range(60)]

    def settle_all(charge: int) -> list[tuple[UUID, str]]:
        leg = Leg(studio.pk, platform.pk, "sale", charge)
        return [
            (reference, outcome_of(partial(settle_hold, reference=reference, legs=[leg]))) for reference in references
        ]

    outcomes = [pair for done in at_once([partial(settle_all, charge) for charge in (10, 20, 30)]) for pair in done]

    assert Counter(outcomes) == {
        **{(reference, "done"): 1 for reference in references},
        **{(reference, "AlreadySettled"): 2 for reference in references},
    }
    assert Transfer.objects.filter(kind="charge").count() == 60
    assert (balance_of(studio.pk, live=True).held_micro, check_books()) == (0, [])


def test_payment_announced_by_twenty_at_once_counts_once(studio: Organization, at_once: Callable[..., list]) -> None:
    pay = partial(top_up, organization_id=studio.pk, live=True, amount_micro=500, key="payment-1", reason="paid")

    transfers = at_once([pay] * 20)

    assert len({transfer.pk for transfer in transfers}) == 1
    assert balance_of(studio.pk, live=True).available_micro == 500


def test_accounts_first_needed_by_twenty_at_once_are_made_once(
    studio: Organization, platform: Organization, at_once: Callable[..., list]
) -> None:
    places = [(organization.pk, kind) for organization in (studio, platform) for kind in AccountKind]

    def find(forwards: bool) -> set[int]:
        wanted = places if forwards else places[::-1]
        return {account.pk for account in chart.accounts_at(wanted, live=True, manager=Account.unscoped).values()}

    found = at_once([partial(find, thread % 2 == 0) for thread in range(20)])

    assert {frozenset(accounts) for accounts in found} == {frozenset(Account.unscoped.values_list("pk", flat=True))}
    assert Account.unscoped.count() == len(places)


def test_same_order_by_ten_at_once_holds_once(
    fund: Callable[[int], None], set_aside: Callable[..., Hold], at_once: Callable[..., list]
) -> None:
    """The reference is unique: whoever comes second fails, and with it the transaction of its job."""
    fund(10 * PRICE)
    reference = uuid4()

    def order() -> str:
        try:
            set_aside(PRICE, reference)
        except IntegrityError:
            return "refused"
        return "done"

    assert Counter(at_once([order] * 10)) == {"done": 1, "refused": 9}
    assert (Hold.objects.count(), check_books()) == (1, [])
