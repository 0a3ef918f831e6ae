"""The guards are there after every migration, and a later change of a table keeps them only when wrapped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import AlterField, Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation
from django.db.migrations.writer import MigrationWriter
from django.db.utils import DatabaseError

from billing import checks
from billing.guards import LedgerGuards, missing_guards, restore_guards

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

GUARDS = {
    "billing_account_keeps_identity",
    "billing_account_moves_by_transfer",
    "billing_account_starts_empty",
    "billing_account_stays",
    "billing_hold_settles_once",
    "billing_hold_stays",
    "billing_transfer_moves_balances",
    "billing_transfer_never_changes",
    "billing_transfer_never_goes",
}
ONLY_POSTGRESQL = {
    "billing_account_never_emptied",
    "billing_hold_never_emptied",
    "billing_transfer_never_emptied",
    "billing_account_stays()",
    "billing_refuse()",
    "billing_transfer_moves_balances()",
}
DROP_TRIGGER = {
    "sqlite": "DROP TRIGGER billing_transfer_never_goes",
    "postgresql": "DROP TRIGGER billing_transfer_never_goes ON billing_transfer",
}


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseDatabaseWrapper]:
    """A second database of the same kind in which billing, and what it stands on, is migrated."""
    default = connections["default"]
    name = str(tmp_path / "ledger.sqlite3") if default.vendor == "sqlite" else f"ledger_{uuid4().hex}"
    if default.vendor == "postgresql":
        with default._nodb_cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
    options = {key: value for key, value in default.settings_dict["OPTIONS"].items() if key != "pool"}
    monkeypatch.setitem(connections.databases, "ledger", default.settings_dict | {"NAME": name, "OPTIONS": options})
    ledger = connections["ledger"]
    ledger.connect()  # Tests may open only the databases they declare, and this one was not there to declare.
    MigrationExecutor(ledger).migrate([("billing", "0002_ledger_guards")])
    yield ledger
    ledger.close()
    del connections["ledger"]
    if default.vendor == "postgresql":
        with default._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")


def names_of_guards(connection: BaseDatabaseWrapper) -> set[str]:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute(
                "SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal"
                " UNION SELECT proname || '()' FROM pg_proc WHERE starts_with(proname, 'billing')"
            )
        return {name for (name,) in cursor.fetchall()}


def later_migration(operation: Operation) -> Migration:
    migration: Any = Migration("0003_later", "billing")
    migration.operations = [operation]
    return migration


def change(connection: BaseDatabaseWrapper, operation: Operation) -> Callable[[], None]:
    """Apply an operation of a later migration; answers the way back."""
    before = MigrationExecutor(connection).loader.project_state([("billing", "0002_ledger_guards")])
    migration = later_migration(operation)
    with connection.schema_editor() as editor:
        migration.apply(before.clone(), editor)

    def undo() -> None:
        with connection.schema_editor() as editor:
            migration.unapply(before.clone(), editor)

    return undo


def longer_text(table: str) -> AlterField:
    return AlterField(table, "model", models.CharField(max_length=150, blank=True))


def test_guards_exist_after_all_migrations() -> None:
    connection = connections["default"]

    expected = GUARDS | (ONLY_POSTGRESQL if connection.vendor == "postgresql" else set())

    assert names_of_guards(connection) == expected
    assert missing_guards(connection) == []


def test_guard_that_was_dropped_is_found_and_restored(ledger: BaseDatabaseWrapper) -> None:
    with ledger.cursor() as cursor:
        cursor.execute(DROP_TRIGGER[ledger.vendor])

    assert missing_guards(ledger) == ["billing_transfer_never_goes"]
    [error] = checks.ledger_is_guarded(None, ["default", "ledger"])
    assert (error.id, "billing_transfer_never_goes" in error.msg) == ("billing.E001", True)

    restore_guards(ledger)
    assert missing_guards(ledger) == []


def test_guard_that_was_weakened_is_found(ledger: BaseDatabaseWrapper) -> None:
    weakened = {
        "sqlite": [
            DROP_TRIGGER["sqlite"],
            "CREATE TRIGGER billing_transfer_never_goes BEFORE DELETE ON billing_transfer BEGIN SELECT 1; END",
        ],
        "postgresql": ["ALTER TABLE billing_transfer DISABLE TRIGGER billing_transfer_never_goes"],
    }
    with ledger.cursor() as cursor:
        for statement in weakened[ledger.vendor]:
            cursor.execute(statement)

    assert missing_guards(ledger) == ["billing_transfer_never_goes"]


def test_command_names_missing_guards_and_restores_them(
    ledger: BaseDatabaseWrapper, capsys: pytest.CaptureFixture[str]
) -> None:
    with ledger.cursor() as cursor:
        cursor.execute(DROP_TRIGGER[ledger.vendor])

    for options in ({}, {"restore": True}, {}):
        call_command("ledger_guards", database="ledger", **options)

    assert capsys.readouterr().out.splitlines() == [
        "missing: billing_transfer_never_goes",
        "restored: billing_transfer_never_goes",
        "every guard is in place",
    ]


def test_database_that_was_never_guarded_lacks_nothing(ledger: BaseDatabaseWrapper) -> None:
    MigrationExecutor(ledger).migrate([("billing", "0001_accounts_transfers_and_holds")])

    assert (names_of_guards(ledger), missing_guards(ledger)) == (set(), [])


def test_change_of_holds_without_the_operation_loses_their_guards_on_sqlite(ledger: BaseDatabaseWrapper) -> None:
    change(ledger, longer_text("hold"))

    lost = {"sqlite": ["billing_hold_settles_once", "billing_hold_stays"], "postgresql": []}
    assert missing_guards(ledger) == lost[ledger.vendor]


REFUSED_UNWRAPPED = {
    # The guards of transfers and accounts name each other's table: SQLite notices when one of both is rebuilt.
    "sqlite": [
        ("transfer", "no such table: main.billing_transfer"),
        ("account", "no such table: main.billing_account"),
    ],
    "postgresql": [("account", "cannot alter type of a column used in a trigger definition")],
}[connections["default"].vendor]


@pytest.mark.parametrize(("table", "refusal"), REFUSED_UNWRAPPED)
def test_change_without_the_operation_is_refused(ledger: BaseDatabaseWrapper, table: str, refusal: str) -> None:
    with pytest.raises(DatabaseError, match=refusal):
        change(ledger, AlterField(table, "kind", models.CharField(max_length=30)))

    assert missing_guards(ledger) == []


@pytest.mark.parametrize("table", ["transfer", "hold"])
def test_change_inside_the_operation_keeps_every_guard(ledger: BaseDatabaseWrapper, table: str) -> None:
    undo = change(ledger, LedgerGuards(1, replaces=1, around=[longer_text(table)]))
    assert missing_guards(ledger) == []

    undo()
    assert missing_guards(ledger) == []


def test_change_of_the_accounts_table_keeps_every_guard_inside_the_operation(ledger: BaseDatabaseWrapper) -> None:
    change(
        ledger,
        LedgerGuards(1, replaces=1, around=[AlterField("account", "kind", models.CharField(max_length=30))]),
    )

    assert missing_guards(ledger) == []


def test_operation_can_be_written_into_a_migration_file() -> None:
    migration = later_migration(LedgerGuards(1, replaces=1, around=[longer_text("hold")]))

    written = MigrationWriter(migration).as_string()

    assert "billing.guards.LedgerGuards(" in written
    assert "migrations.AlterField(" in written
