from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from billing.guards import missing_guards


@register(Tags.database)
def ledger_is_guarded(
    app_configs: Sequence[AppConfig] | None,
    databases: Iterable[str] | None,
    **_options: Any,
) -> list[CheckMessage]:
    """Each trigger of the ledger is in the database, enabled and unchanged."""
    return [
        Error(
            f"The ledger's guard {name} is missing in the database {alias!r}, disabled or changed.",
            hint="Find out who removed it, run `manage.py reconcile`, then `manage.py ledger_guards --restore`.",
            id="billing.E001",
        )
        for alias in databases or ()
        for name in missing_guards(connections[alias])
    ]
