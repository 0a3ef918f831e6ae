from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections

from billing.guards import missing_guards, restore_guards


class Command(BaseCommand):
    help = "Names the triggers of the ledger that are missing; --restore makes all of them anew."
    # The check that finds a missing guard would stop the command that brings it back.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--restore", action="store_true")
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS)

    def handle(self, *, restore: bool, database: str, **_options: Any) -> None:
        connection = connections[database]
        missing = missing_guards(connection)
        if restore:
            restore_guards(connection)
        state = "restored" if restore else "missing"
        self.stdout.write("\n".join(f"{state}: {name}" for name in missing) or "every guard is in place")
