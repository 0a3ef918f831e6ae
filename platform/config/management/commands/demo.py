from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from functools import partial
from io import StringIO
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from config.demo import make_first_song, tell
from config.management.commands.serve import require_migrated_database

if TYPE_CHECKING:
    from config.serve import Service


class Command(BaseCommand):
    help = "Fill in the demo data, serve, and order a first song. DEMO_EXIT=1 stops after the song."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        require_migrated_database()
        world = demo_world()
        from config.serve import Service, allow_many_sockets  # noqa: PLC0415 (needs the migrated database)

        allow_many_sockets()
        order = partial(self._order, world=world, port=options["port"])
        sys.exit(Service(host=settings.HOST, port=options["port"], when_ready=order).run())

    def _order(self, service: Service, *, world: Mapping[str, Any], port: int) -> None:
        """Runs beside the server, in a thread of its own."""
        try:
            song = make_first_song(base_url=f"http://127.0.0.1:{port}", key=world["keys"]["funded"])
            tell(song, world, self._say)
        except Exception as failure:  # noqa: BLE001 - whatever it is, the demo has failed and says so
            self.stderr.write(f"The demo failed: {failure}")
            service.stop(exit_code=1)
            return
        if os.environ.get("DEMO_EXIT") == "1":
            service.stop()
        else:
            self._say("Tutti stays up; Ctrl-C stops it.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def demo_world() -> dict[str, Any]:
    """What `demo_data --json` prints last: addresses, people and keys of the demo."""
    printed = StringIO()
    call_command("demo_data", "--json", stdout=printed)
    world: dict[str, Any] = json.loads(printed.getvalue().strip().splitlines()[-1])
    return world
