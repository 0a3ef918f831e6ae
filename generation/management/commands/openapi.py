from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from generation.api.published import as_yaml, schema

KEPT = Path(__file__).parents[3] / "docs" / "openapi.yaml"


class Command(BaseCommand):
    help = "Write the published schema to docs/openapi.yaml, where a test compares it with what is served."

    def handle(self, **options: Any) -> None:
        text = as_yaml(schema())
        is_new = not KEPT.exists() or KEPT.read_text() != text
        KEPT.write_text(text)
        self.stdout.write(f"{KEPT.name}: {'written' if is_new else 'no change'}")
