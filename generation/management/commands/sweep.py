"""`manage.py sweep`: what every runner does by itself, once and now."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from accounts.tenancy import system_scope
from generation.services.sweep import sweep


class Command(BaseCommand):
    help = "Recovers jobs of dead runners, ends what is overdue and sends lost hints again."

    def handle(self, *args: Any, **options: Any) -> None:
        with system_scope():
            swept = sweep()
        self.stdout.write(", ".join(f"{name} {count}" for name, count in asdict(swept).items()))
