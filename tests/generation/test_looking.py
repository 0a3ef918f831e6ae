"""How the looks read: by SQLite's plans, which do not hang on what is in the tables."""

from __future__ import annotations

from generation.looking import Look, parts_of
from tests.generation.worlds import World


def test_a_look_at_organizations_reads_by_indexes_alone(world: World) -> None:
    plans = [jobs.order_by().explain() for jobs in parts_of(Look(frozenset(), frozenset({1, 2})))]

    assert [plan.split("USING ")[1] for plan in plans] == [
        "INDEX job_under_way (organization_id=? AND state=? AND run_after>?)",
        "INDEX job_under_way (organization_id=? AND state=?)",
        "INDEX job_ended (organization_id=? AND finished_at>?)",
    ]
