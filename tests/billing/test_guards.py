"""What the database refuses, whoever asks and however: the ORM, raw SQL, bulk operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Organization
from billing.models import Account, AccountKind, Hold, Transfer, TransferKind
from billing.services import chart
from billing.services.settle import Leg, settle_hold

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

CHANGES = [
    ("UPDATE billing_transfer SET amount = amount + 1", "billing_transfer_never_changes"),
    ("UPDATE billing_transfer SET reason = 'another'", "billing_transfer_never_changes"),
    ("DELETE FROM billing_transfer", "billing_transfer_never_goes"),
    ("UPDATE billing_account SET balance = balance + 1 WHERE has_floor", "billing_account_moves_by_transfer"),
    ("UPDATE billing_account SET balance = 0 WHERE has_floor", "billing_account_moves_by_transfer"),
    ("UPDATE billing_account SET last_transfer = last_transfer + 1", "billing_account_moves_by_transfer"),
    (  # The release came into this account once; it explains no second coming.
        "UPDATE billing_account SET balance = balance + 25, last_transfer = %s WHERE kind = 'available'".replace(
            "%s", "(SELECT id FROM billing_transfer WHERE kind = 'release')"
        ),
        "billing_account_moves_by_transfer",
    ),
    ("UPDATE billing_account SET kind = 'cost', has_floor = %s WHERE kind = 'held'", "billing_account_keeps_identity"),
    ("UPDATE billing_account SET live = NOT live", "billing_account_keeps_identity"),
    ("UPDATE billing_account SET id = id + 1000", "billing_account_keeps_identity"),
    (
        "UPDATE billing_account SET organization_id = (SELECT min(id) FROM accounts_organization)",
        "billing_account_keeps_identity",
    ),
    ("DELETE FROM billing_account", "billing_account_stays"),
    ("UPDATE billing_hold SET amount = amount - 1", "billing_hold_settles_once"),
    ("UPDATE billing_hold SET charged = 0 WHERE settled_at IS NOT NULL", "billing_hold_settles_once"),
    (
        "UPDATE billing_hold SET settled_at = NULL, charged = NULL WHERE settled_at IS NOT NULL",
        "billing_hold_settles_once",
    ),
    ("DELETE FROM billing_hold", "billing_hold_stays"),
]
WAYS_ROUND = {
    "sqlite": [
        ("REPLACE INTO billing_transfer SELECT * FROM billing_transfer", "billing_transfer_never_goes"),
        ("INSERT OR REPLACE INTO billing_hold SELECT * FROM billing_hold", "billing_hold_stays"),
        ("UPDATE OR IGNORE billing_transfer SET amount = 1", "billing_transfer_never_changes"),
        (
            "UPDATE OR REPLACE billing_account SET balance = 0 WHERE kind = 'available'",
            "billing_account_moves_by_transfer",
        ),
        ("DELETE FROM billing_transfer WHERE 1", "billing_transfer_never_goes"),
    ],
    "postgresql": [
        ("TRUNCATE billing_transfer", "billing_transfer_never_emptied"),
        ("TRUNCATE accounts_organization CASCADE", "_never_emptied"),
        ("TRUNCATE billing_hold", "billing_hold_never_emptied"),
        (
            "INSERT INTO billing_transfer SELECT * FROM billing_transfer ON CONFLICT (id) DO UPDATE SET amount = 1",
            "billing_transfer_never_changes",
        ),
    ],
}[connection.vendor]


@pytest.fixture
def books(
    studio: Organization, platform: Organization, fund: Callable[[int], None], set_aside: Callable[..., Hold]
) -> None:
    """Of 115 micro-credits 15 were charged, 60 are held and 40 available."""
    fund(115)
    settled = set_aside(40)
    set_aside(60)
    settle_hold(reference=settled.reference, legs=[Leg(studio.pk, platform.pk, "sale", 15)])
    connection.check_constraints()  # PostgreSQL truncates no table whose foreign keys are still to be checked.


@pytest.fixture
def wallet(books: None, studio: Organization) -> chart.Wallet:
    with transaction.atomic():
        return chart.locked_wallet(organization_id=studio.pk, live=True)


def contents_of_the_ledger() -> list[list[Any]]:
    tables = Account.unscoped, Transfer.objects, Hold.unscoped
    return [list(table.order_by("pk").values()) for table in tables]


def refused(statement: Callable[[], object]) -> str:
    before = contents_of_the_ledger()
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        statement()
    assert contents_of_the_ledger() == before
    return str(refusal.value)


def run_sql(sql: str, parameters: list[Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def insert_transfer(debit: Account, credit: Account, amount: object, *, verb: str = "INSERT", **changes: Any) -> None:
    row = {
        "key": str(uuid4()),
        "group": uuid4().hex,
        "kind": "charge",
        "amount": amount,
        "debit_id": debit.pk,
        "credit_id": credit.pk,
        "model": "",
        "reason": "",
        "created_at": timezone.now().isoformat(),
    } | changes
    columns = ", ".join(f'"{name}"' for name in row)
    places = ", ".join(["%s"] * len(row))
    run_sql(f"{verb} INTO billing_transfer ({columns}) VALUES ({places})", list(row.values()))


@pytest.mark.parametrize(("sql", "guard"), CHANGES + WAYS_ROUND)
def test_raw_sql_that_changes_the_ledger_is_refused(books: None, sql: str, guard: str) -> None:
    parameters = [False] if "%s" in sql else None

    assert guard in refused(lambda: run_sql(sql, parameters))


@pytest.mark.parametrize(
    "change",
    [
        lambda: Transfer.objects.update(amount=1),
        lambda: Transfer.objects.earliest("pk").save(),
        lambda: Transfer.objects.all().delete(),
        lambda: Transfer.objects.earliest("pk").delete(),
        lambda: Transfer.objects.bulk_update([Transfer.objects.earliest("pk")], ["reason"]),
        lambda: Account.unscoped.filter(has_floor=True).update(balance=5),
        lambda: Account.unscoped.update(live=False),
        lambda: Hold.unscoped.all().delete(),
        lambda: Hold.unscoped.filter(settled_at__isnull=False).update(charged=0),
    ],
)
def test_orm_that_changes_the_ledger_is_refused(books: None, change: Callable[[], object]) -> None:
    refused(change)


def test_account_with_transfers_is_not_deleted_by_the_orm(books: None) -> None:
    before = contents_of_the_ledger()

    with pytest.raises(Exception, match="protected foreign keys"):
        Account.unscoped.all().delete()

    assert contents_of_the_ledger() == before


@pytest.mark.parametrize("amount", [0, -1])
def test_transfer_of_nothing_or_less_is_refused(wallet: chart.Wallet, amount: int) -> None:
    message = refused(lambda: insert_transfer(wallet.available, wallet.held, amount))

    assert "billing_transfer_amount_is_positive" in message


def test_transfer_from_an_account_to_itself_is_refused(wallet: chart.Wallet) -> None:
    message = refused(lambda: insert_transfer(wallet.available, wallet.available, 1))

    assert "billing_transfer_moves_between_two" in message


@pytest.mark.parametrize(
    "verb", ["INSERT", *{"sqlite": ["INSERT OR IGNORE", "INSERT OR FAIL", "REPLACE"]}.get(connection.vendor, [])]
)
def test_overdraft_is_refused_in_the_name_of_the_floor(wallet: chart.Wallet, verb: str) -> None:
    message = refused(lambda: insert_transfer(wallet.available, wallet.held, 41, verb=verb))

    assert "billing_account_floor" in message


def test_the_last_micro_credit_can_be_spent(wallet: chart.Wallet) -> None:
    insert_transfer(wallet.available, wallet.held, 40)

    wallet.available.refresh_from_db()
    assert wallet.available.balance == 0


def test_transfer_between_live_and_test_credits_is_refused(wallet: chart.Wallet, studio: Organization) -> None:
    place = (studio.pk, AccountKind.AVAILABLE)
    test_account = chart.accounts_at([place], live=False, manager=Account.unscoped)[place]

    message = refused(lambda: insert_transfer(wallet.available, test_account, 1))

    assert "live and test credits never mix" in message


def test_repeated_key_is_refused(wallet: chart.Wallet) -> None:
    insert_transfer(wallet.available, wallet.held, 1, key="once")

    message = refused(lambda: insert_transfer(wallet.available, wallet.held, 1, key="once"))

    assert "key" in message


def test_account_that_is_born_rich_is_refused(studio: Organization) -> None:
    refused(
        lambda: Account.unscoped.create(
            organization=studio, kind=AccountKind.AVAILABLE, live=False, has_floor=True, balance=1
        )
    )


def test_running_balance_of_an_account_without_a_floor_is_refused(books: None) -> None:
    message = refused(lambda: run_sql("UPDATE billing_account SET balance = 1 WHERE kind = 'outside'"))

    assert "billing_account" in message


def test_fraction_of_a_micro_credit_never_stays_one(wallet: chart.Wallet) -> None:
    """SQLite would keep 1.5 as it is and is told not to; PostgreSQL's column rounds."""
    if connection.vendor == "sqlite":
        assert "whole number" in refused(lambda: insert_transfer(wallet.available, wallet.held, 1.5))
    else:
        insert_transfer(wallet.available, wallet.held, 1.5)
        assert Transfer.objects.latest("pk").amount == 2


def test_balance_that_outgrows_its_column_is_refused(wallet: chart.Wallet, studio: Organization) -> None:
    outside = Account.unscoped.get(organization=studio, kind=AccountKind.OUTSIDE)
    before = contents_of_the_ledger()

    with pytest.raises(Exception, match=r"out of range|only a transfer moves a balance"), transaction.atomic():
        insert_transfer(outside, wallet.available, 2**63 - 1)

    assert contents_of_the_ledger() == before


def test_account_without_transfers_may_go(studio: Organization) -> None:
    place = (studio.pk, AccountKind.PAYABLE)
    chart.accounts_at([place], live=True, manager=Account.unscoped)

    Account.unscoped.all().delete()

    assert Account.unscoped.count() == 0


def test_hold_may_lose_the_member_who_ordered(books: None) -> None:
    assert Hold.unscoped.update(member=None, api_key=None) == 2


def test_every_kind_of_transfer_and_account_is_known() -> None:
    assert {*TransferKind.values} == {"topup", "withdrawal", "hold", "charge", "release", "cost"}
    assert {*AccountKind.values} == {"available", "held", "earnings", "cost", "payable", "outside"}
