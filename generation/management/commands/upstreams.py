"""`manage.py upstreams`: how each upstream stands; `open` and `close` decide by hand whether orders go there."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.tenancy import system_scope
from catalog.models import Upstream
from generation.services.upstreams import UpstreamStanding, beyond_reach, close_upstream, open_upstream, standings


class Command(BaseCommand):
    help = "Shows circuit, failures, slots and next trial of each upstream; opens or closes a circuit by hand."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", nargs="?", choices=["show", "open", "close"], default="show")
        parser.add_argument("slug", nargs="?", help="the upstream to open (no order goes there) or to close again")

    def handle(self, *_: Any, what: str, slug: str | None, **options: Any) -> None:
        with system_scope():
            if what != "show":
                self._decide(what, slug)
            for standing in standings():
                self.stdout.write(line_of(standing))
            for mapping, name in beyond_reach():
                self.stdout.write(f"note: {mapping} promises {name}, which its upstream does not carry")

    def _decide(self, what: str, slug: str | None) -> None:
        if slug is None:
            raise CommandError(f"Say which upstream to {what}.")
        try:
            open_upstream(slug) if what == "open" else close_upstream(slug)
        except Upstream.DoesNotExist:
            raise CommandError(f"There is no upstream {slug!r}.") from None


def line_of(standing: UpstreamStanding) -> str:
    words = [
        standing.slug,
        standing.provider,
        f"circuit {standing.circuit}" + (f" ({standing.reason})" if standing.reason else ""),
        f"failures {standing.failed} of {standing.ended}",
        f"in hand {standing.in_hand} of {standing.slots}",
    ]
    if standing.retry_at is not None:
        words.append(f"next trial {standing.retry_at:%Y-%m-%d %H:%M:%S} UTC")
    return ", ".join(words)
