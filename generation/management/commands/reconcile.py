"""`manage.py reconcile`: compare jobs, holds, transfers and balances."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.tenancy import system_scope
from generation.services.reconcile import reconcile


class Command(BaseCommand):
    help = "Compares every balance with its transfers and every final job with its one settlement; exits 1 on drift."

    def handle(self, *args: Any, **options: Any) -> None:
        with system_scope():
            found = reconcile()
        for drift in [*found.books, *found.work]:
            self.stdout.write(str(drift))
        if not found.is_clean:
            raise CommandError(f"{len(found.books) + len(found.work)} disagreements among {found.jobs} jobs.")
        self.stdout.write(f"The books balance: {found.jobs} jobs, no disagreement.")
