from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.db import OperationalError
from django.utils import timezone

from generation.runner import database
from generation.runner.database import DatabaseThreads
from generation.runner.line import JobLine, News
from generation.services.claim import Work


class Restarting:
    """A database that is not there for the first call."""

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self._is_there = False

    async def run(self, call: Callable[..., Any], *args: Any) -> None:
        if not self._is_there:
            self._is_there = True
            raise OperationalError("the database is starting up")
        self.kept.append(args[-1])


async def test_ticket_outlives_a_database_that_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "FIRST_PAUSE_SECONDS", 0)
    restarting = Restarting()
    threads = cast(DatabaseThreads, restarting)
    work = cast(Work, SimpleNamespace(deadline=timezone.now() + timedelta(minutes=1)))

    await JobLine(work, News(threads), threads).ticket("task-1")

    assert restarting.kept == ["task-1"]
