"""Which way an order goes: the first of its routes whose circuit lets it through and whose upstream has a slot free."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Count

from catalog.models import CircuitState, LlmMapping, Upstream
from catalog.services.circuits import begin_trial
from generation.models import Attempt, Job
from generation.states import AttemptState

PARKED: Final = timedelta(seconds=30)
"""After which a job that waits for a slot looks by itself, should nobody have called it."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where an attempt goes; `upstream` None: rehearsal, as for every test key."""

    mapping: LlmMapping
    upstream: Upstream | None
    is_on_trial: bool = False


@dataclass(frozen=True, slots=True)
class NoWay:
    """Every route is closed or full: until when, and at which upstream the wait is shortest."""

    until: datetime
    upstream_id: int
    is_full: bool


def in_order(routes: Sequence[LlmMapping], *, job_id: uuid.UUID) -> list[int]:
    """The ids of an order's routes as it will try them: by priority, among equals drawn by weight.

    The draw is the job's own, and the same however often it is made.
    """
    chance = random.Random(job_id.int)
    # The heavier, the nearer to one; a route without weight comes last.
    drawn = {route.pk: chance.random() ** (1 / route.weight) if route.weight else 0.0 for route in routes}
    return [route.pk for route in sorted(routes, key=lambda route: (route.priority, -drawn[route.pk], route.pk))]


def find_way(job: Job, *, token: uuid.UUID, now: datetime) -> Way | NoWay:
    """Choose inside the claim's transaction: who counts the free slots holds their lock until its own is taken."""
    routes = _routes_of(job)
    if job.upstream_id is None:
        return Way(routes[0], None)
    lock_slots(route.upstream_id for route in routes)
    waits = []
    for route in routes:
        upstream = route.upstream
        closed_until = upstream.closed_until(now)
        if closed_until is not None:
            waits.append(NoWay(closed_until, upstream.pk, is_full=False))
        elif slots_free(upstream) <= 0:
            waits.append(NoWay(now + PARKED, upstream.pk, is_full=True))
        elif not _is_half_open(upstream, now):
            return Way(route, upstream)
        elif _is_put_on_trial(upstream, token):
            return Way(route, upstream, is_on_trial=True)
        else:
            waits.append(NoWay(now + PARKED, upstream.pk, is_full=False))
    return min(waits, key=lambda wait: (not wait.is_full, wait.until))


def lock_slots(upstream_ids: Iterable[int]) -> None:
    """Let nobody else count or take these upstreams' slots before this transaction ends.

    On SQLite a transaction that writes is alone already.
    """
    if connection.features.has_select_for_update:
        rows = Upstream.unscoped.select_for_update(no_key=True).filter(pk__in=set(upstream_ids))
        list(rows.order_by("pk").values_list("pk"))


def slots_free(upstream: Upstream) -> int:
    """How many more orders may be with the upstream; those of a lost runner count until they are taken up."""
    return upstream.slots - Attempt.unscoped.filter(upstream=upstream, state=AttemptState.SUBMITTING).count()


def in_hand_by_upstream(upstream_ids: Collection[int]) -> Counter[int]:
    """How many orders are with each upstream, counted as for `slots_free`."""
    at_work = Attempt.unscoped.filter(upstream__in=upstream_ids, state=AttemptState.SUBMITTING)
    return Counter(dict(at_work.order_by().values_list("upstream").annotate(Count("pk"))))


def _routes_of(job: Job) -> list[LlmMapping]:
    """The job's routes in its order. What was switched off since is used only if nothing else is left."""
    ids = job.routes or [job.mapping_id]
    rows = LlmMapping.objects.filter(pk__in=ids).select_related("llm", "upstream__circuit")
    routes = sorted(rows, key=lambda route: ids.index(route.pk))
    return [route for route in routes if route.is_enabled and route.upstream.is_enabled] or routes or [job.mapping]


def _is_half_open(upstream: Upstream, now: datetime) -> bool:
    circuit = getattr(upstream, "circuit", None)
    return circuit is not None and circuit.state_at(now) == CircuitState.HALF_OPEN


def _is_put_on_trial(upstream: Upstream, token: uuid.UUID) -> bool:
    """One at a time: a trial that has ended without a verdict (cancelled, lost) makes room for the next."""
    circuit = upstream.circuit
    if circuit.trial is not None:
        under_way = Attempt.unscoped.filter(token=circuit.trial, state=AttemptState.SUBMITTING)
        if under_way.exists():
            return False
    return begin_trial(circuit, order=token, instead_of=circuit.trial)
