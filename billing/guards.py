"""The ledger's triggers: made by one migration operation, looked for by one check.

SQLite rebuilds a table for most changes of it and drops its triggers without a word. So every later migration that
touches `billing_transfer`, `billing_account` or `billing_hold` wraps its operations in `LedgerGuards`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

SQL: Final = Path(__file__).parent / "migrations" / "sql"
TRIGGER: Final = re.compile(r"^CREATE TRIGGER (\w+) .*?\bON (\w+)", re.MULTILINE)
FUNCTION: Final = re.compile(r"^CREATE FUNCTION (\w+)\(\).*?\$\$(.*?)\$\$", re.MULTILINE | re.DOTALL)


class LedgerGuards(Operation):
    """Replaces the guards of version `replaces` by those of `version`, and changes tables in between.

    Both are numbers of `sql/ledger_guards_<n>.<vendor>.sql`; None: there were no guards before. Going backwards
    undoes `around` and leaves the guards of `replaces`.
    """

    reduces_to_sql = True
    reversible = True
    serialization_expand_args = ["around"]

    def __init__(self, version: int, *, replaces: int | None, around: Sequence[Operation] = ()) -> None:
        self.version = version
        self.replaces = replaces
        self.around = list(around)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        for operation in self.around:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        drop_guards(schema_editor, self.replaces)
        for operation, before, after in self._steps(app_label, from_state):
            operation.database_forwards(app_label, schema_editor, before, after)
        create_guards(schema_editor, self.version)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        drop_guards(schema_editor, self.version)
        for operation, before, after in reversed(list(self._steps(app_label, to_state))):
            operation.database_backwards(app_label, schema_editor, after, before)
        create_guards(schema_editor, self.replaces)

    def _steps(self, app_label: str, state: ProjectState) -> Iterator[tuple[Operation, ProjectState, ProjectState]]:
        for operation in self.around:
            before, state = state, state.clone()
            operation.state_forwards(app_label, state)
            yield operation, before, state

    def describe(self) -> str:
        return f"Guard the ledger with triggers (version {self.version})"


def missing_guards(connection: BaseDatabaseWrapper) -> list[str]:
    """Names of the guards that the applied migrations promise and the database lacks, or has disabled or changed."""
    version = _applied_version(connection)
    if version is None:
        return []
    promised, found = _definitions(connection.vendor, version), _found(connection)
    return sorted(name for name, definition in promised.items() if found.get(name) != definition)


def restore_guards(connection: BaseDatabaseWrapper) -> None:
    """Make all guards anew, in one transaction: for a database whose guards were lost."""
    version = _applied_version(connection)
    with connection.schema_editor(atomic=True) as schema_editor:
        drop_guards(schema_editor, version)
        create_guards(schema_editor, version)


def create_guards(schema_editor: BaseDatabaseSchemaEditor, version: int | None) -> None:
    if version is None:
        return
    for statement in _statements(schema_editor.connection.vendor, version):
        schema_editor.execute(statement, params=None)


def drop_guards(schema_editor: BaseDatabaseSchemaEditor, version: int | None) -> None:
    if version is None:
        return
    vendor = schema_editor.connection.vendor
    for name, table in TRIGGER.findall(_script(vendor, version)):
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}" + (f" ON {table}" if vendor == "postgresql" else ""))
    for name, _body in FUNCTION.findall(_script(vendor, version)):
        schema_editor.execute(f"DROP FUNCTION IF EXISTS {name}()")


@cache
def _script(vendor: str, version: int) -> str:
    return (SQL / f"ledger_guards_{version}.{vendor}.sql").read_text(encoding="utf-8")


def _statements(vendor: str, version: int) -> list[str]:
    """SQLite's driver takes one statement at a time, and only SQLite can tell where a trigger's body ends."""
    if vendor != "sqlite":
        return [_script(vendor, version)]
    statements = [""]
    for line in _script(vendor, version).splitlines(keepends=True):
        if line.startswith("--"):
            continue
        statements[-1] += line
        if sqlite3.complete_statement(statements[-1]):
            statements.append("")
    return [statement.strip().removesuffix(";") for statement in statements if statement.strip()]


def _definitions(vendor: str, version: int) -> dict[str, str]:
    """Name to definition: on SQLite a trigger's text, on PostgreSQL its table, and a function's body."""
    if vendor == "sqlite":
        return {TRIGGER.findall(text)[0][0]: _plain(text) for text in _statements(vendor, version)}
    script = _script(vendor, version)
    bodies = {f"{name}()": _plain(body) for name, body in FUNCTION.findall(script)}
    return dict(TRIGGER.findall(script)) | bodies


def _found(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """What the database holds now, in the form of `_definitions`; a disabled trigger is left out."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute(
                "SELECT tgname::text, relname::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
                " WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND pg_table_is_visible(tgrelid)"
                " UNION ALL SELECT proname || '()', prosrc FROM pg_proc"
                " WHERE proname LIKE 'billing\\_%' AND pg_function_is_visible(oid)"
            )
        rows: list[tuple[Any, Any]] = cursor.fetchall()
    return {str(name): _plain(str(definition)) for name, definition in rows}


def _plain(text: str) -> str:
    return " ".join(text.split())


def _applied_version(connection: BaseDatabaseWrapper) -> int | None:
    loader = MigrationLoader(connection)
    applied = (loader.disk_migrations[key] for key in loader.applied_migrations if key in loader.disk_migrations)
    operations = (operation for migration in applied for operation in migration.operations)
    versions = [operation.version for operation in operations if isinstance(operation, LedgerGuards)]
    return max(versions, default=None)
