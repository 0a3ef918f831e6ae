"""System checks of the project as a whole; each tells what to change and why."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.utils.module_loading import import_string


@register(Tags.async_support)
def middleware_is_async(**_: Any) -> list[CheckMessage]:
    return [
        Error(
            f"{path} is sync-only: every waiting request would hold a thread while it waits.",
            hint="Use or write one with `async_capable = True`, or leave it out of MIDDLEWARE.",
            id="tutti.E001",
        )
        for path in settings.MIDDLEWARE
        if not getattr(import_string(path), "async_capable", False)
    ]


@register(Tags.database)
def requests_are_not_transactions(**_: Any) -> list[CheckMessage]:
    return [
        Error(
            f"ATOMIC_REQUESTS of database {alias!r} makes every read a writer and holds a lock while a request waits.",
            hint="Open a transaction where rows are changed.",
            id="tutti.E002",
        )
        for alias, database in settings.DATABASES.items()
        if database.get("ATOMIC_REQUESTS")
    ]
