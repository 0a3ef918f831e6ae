from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from generation.services.demo import NotInProduction, prepare_demo


class Command(BaseCommand):
    help = "Make the demo's offer, organizations, people, keys and credits, and print how to use them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="the last line printed is one JSON object")
        parser.add_argument("--reset", action="store_true", help="make the balances again what they were at first")

    def handle(self, *_: Any, reset: bool, **options: Any) -> None:
        try:
            demo = prepare_demo(reset=reset)
        except NotInProduction as refusal:
            raise CommandError(str(refusal)) from None
        if options["json"]:
            self.stdout.write(json.dumps(demo))
            return
        self.stdout.write(f"{demo['base_url']}")
        for who in ("admin", "customer"):
            self.stdout.write(f"{who}: {demo[who]['email']} {demo[who]['password']}")
        for part in ("keys", "endpoints"):
            for name, value in demo[part].items():
                self.stdout.write(f"{part} {name}: {value}")
        self.stdout.write(f"models: {', '.join(demo['models'])}")
