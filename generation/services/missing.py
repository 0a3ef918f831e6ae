"""Takes that were ordered and did not come: kept with their attempt, never ordered again, told at the job's end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from generation.contract import Fault, MissingTake
from generation.models import Attempt, Job
from generation.services.events import Entry

Row = dict[str, Any]


def rows_of(missing: Sequence[MissingTake], takes: Sequence[int]) -> list[Row]:
    """What is kept of them; `takes` are the numbers that no delivered take has."""
    return [
        {"take": take, "code": gone.fault.code, "message": gone.fault.message, "is_unknown": gone.is_unknown}
        for take, gone in zip(takes, missing, strict=False)
    ]


def missing_takes(job: Job) -> dict[int, Row]:
    """Every missing take of a job's attempts, by its number."""
    attempts = Attempt.unscoped.filter(job=job).order_by("number").values_list("missing", flat=True)
    found = {row["take"]: row for rows in attempts for row in rows}
    return dict(sorted(found.items()))


def take_failed(take: int, fault: Fault) -> Entry:
    """How the log tells of a take that is not delivered."""
    return Entry("take_failed", {"take": take, "error": {"code": fault.code, "message": fault.message}})
