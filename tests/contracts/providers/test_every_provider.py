"""Every provider in every scene: how the job ends, what its log says, what the upstream saw, who paid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from generation.models import Attempt
from generation.providers.registry import _PROVIDERS
from generation.runner.hands import Hands
from generation.services.cancel import cancel_job
from tests.contracts.providers.behaviour import columns, document
from tests.contracts.providers.cells.base import SCENES
from tests.contracts.providers.conftest import ROOT, Standin, live_through
from tests.contracts.providers.upstreams import assert_paid, at_upstream
from tests.generation.worlds import SONG_COST, World, log_of, submitted

SHORT_DEADLINE_SECONDS = 1.5

PROMPTS = {
    "slow": "slow:0.2 song",
    "rate_limited": "fail:rate_limit song",
    "cut": "fail:cut song",
    "no_answer": "fail:timeout song",
    "empty_audio": "fail:empty song",
    "silent_audio": "fail:bad_audio song",
    "never_finishing": "slow:600 song",
    "refused_content": "fail:refused song",
}
"""How a rehearsal is asked for a scene."""


COLUMNS = columns()
CASES = [(slug, scene) for slug, column in COLUMNS.items() for scene in column.cells]


@pytest.mark.parametrize(("column", "scene"), CASES)
def test_order_ends_as_the_table_says(
    column: str, scene: str, house: World, standin_of: Callable[[str], Standin]
) -> None:
    provider, _, shape = column.partition("/")
    cell, has_wire = COLUMNS[column].cells[scene], COLUMNS[column].has_wire
    standin = standin_of(provider) if has_wire else None
    house.mapping.llm.capabilities.update(COLUMNS[column].capabilities)
    house.mapping.llm.save()
    at_upstream(house, standin, scene, provider=provider, shape=shape, endpoint=COLUMNS[column].endpoint)
    if cell.state == "expired":
        house.mapping.deadline_seconds = SHORT_DEADLINE_SECONDS
        house.mapping.save()
    job = submitted(house, **COLUMNS[column].order | ({} if has_wire else on_rehearsal(scene)))

    def cancel(hands: Hands) -> None:
        cancel_job(job.pk, caller=house.caller)
        if standin is not None:
            standin.release()

    ended = live_through(job, cancel if scene == "late_result" else None)

    log = " ".join(kind for kind in log_of(job) if kind not in ("progress", "lyrics"))
    assert (ended.state, ended.error_code, log) == (cell.state, cell.code, cell.events)
    assert ended.is_flagged == cell.is_flagged
    assert_paid(house, ended, cell.charged)
    attempts = list(Attempt.unscoped.filter(job=job))
    assert len(attempts) == cell.events.split().count("started")
    if cell.attempts:
        assert [attempt.state for attempt in attempts] == cell.attempts.split()
        assert [attempt.cost_micro for attempt in attempts] == [SONG_COST]
    if standin is not None:
        record = standin.record
        assert len(record["orders"]) == cell.orders
        assert record["songs"] == (cell.orders if cell.songs is None else cell.songs)


def on_rehearsal(scene: str) -> dict[str, Any]:
    """How a rehearsal is asked for a scene."""
    return {"prompt": PROMPTS.get(scene, "a song"), "duration_seconds": 1.0}


def test_every_scene_is_played_for_every_provider_that_has_a_wire() -> None:
    assert {slug: set(column.cells) for slug, column in COLUMNS.items() if column.has_wire} == {
        slug: {*SCENES, *column.own_scenes} for slug, column in COLUMNS.items() if column.has_wire
    }
    assert {slug.partition("/")[0] for slug in COLUMNS} == set(_PROVIDERS)


def test_document_is_what_the_tests_play() -> None:
    assert (ROOT / "docs" / "upstream-behaviour.md").read_text() == document()
