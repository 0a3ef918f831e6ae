from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.offers.nodes import OfferError
from catalog.services.apply_offer import apply_offer
from catalog.services.export_offer import export_offer


class Command(BaseCommand):
    help = "Read or write the whole offer as one YAML file."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        apply = actions.add_parser("apply", help="make the offer what a file says; all of it, or nothing")
        apply.add_argument("file", type=Path)
        apply.add_argument(
            "--prune", action="store_true", help="retire models and switch off mappings that the file does not list"
        )
        actions.add_parser("export", help="write the offer as a file that apply reads")

    def handle(self, *_: Any, action: str, **options: Any) -> None:
        if action == "export":
            self.stdout.write(export_offer(), ending="")
            return
        try:
            changes = apply_offer(file=options["file"], prune=options["prune"])
        except (OfferError, OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write("\n".join(changes) or "no change")
