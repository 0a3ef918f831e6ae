from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor


class Command(BaseCommand):
    help = "Run all of Tutti in this one process: web server, queue workers and runner."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        require_migrated_database()
        # Importing them starts nothing, but they need the applications loaded.
        from config.serve import Service, allow_many_sockets  # noqa: PLC0415

        allow_many_sockets()
        self.stdout.write(f"Tutti takes requests at http://{options['host']}:{options['port']} (Ctrl-C stops it)")
        sys.exit(Service(host=options["host"], port=options["port"]).run())


def require_migrated_database() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError("The database is behind the code. Run `python manage.py migrate` first.")
