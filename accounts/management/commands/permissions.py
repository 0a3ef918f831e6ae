from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from accounts.api.routes import routes


class Command(BaseCommand):
    help = "Print path, method and permission word of every route, one line each, sorted."

    def handle(self, *_: Any, **__: Any) -> None:
        rows = sorted({(route.path, method, word or "-") for route in routes() for method, word in route.words.items()})
        path_width = max((len(path) for path, _, _ in rows), default=0)
        for path, method, word in rows:
            self.stdout.write(f"{path:<{path_width}}  {method:<6}  {word}")
