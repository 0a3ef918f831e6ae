from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from generation.runner import database
from generation.runner.database import insist


class Stumbling:
    """A step that fails a number of times before it goes well."""

    def __init__(self, failures: int) -> None:
        self.tries = 0
        self._failures = failures

    async def __call__(self) -> str:
        self.tries += 1
        if self.tries <= self._failures:
            raise OperationalError("the database is starting up")
        return "kept"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "FIRST_PAUSE_SECONDS", 0)


async def test_step_that_must_not_be_lost_is_done_again_until_it_goes_well() -> None:
    step = Stumbling(failures=3)

    assert await insist(step, until=timezone.now() + timedelta(minutes=1)) == "kept"
    assert step.tries == 4


async def test_step_that_never_goes_well_is_given_up_at_its_time() -> None:
    step = Stumbling(failures=10)

    with pytest.raises(OperationalError):
        await insist(step, until=timezone.now())
    assert step.tries == 1
