"""What the ends of attempts say of their upstreams: passive alone, for a probe would be a paid song.

A success writes nothing: the attempts themselves are the record, and are looked at when one fails.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from catalog.models import CircuitReason, Upstream
from catalog.services.circuits import fail_trial, open_circuit, pass_trial
from generation.models import Attempt
from generation.providers.base import Blame
from generation.services.claim import REHEARSAL, Work
from generation.services.parking import call_next
from generation.services.routes import slots_free

logger = logging.getLogger("tutti.upstreams")

LOOKED_AT: Final = 20
"""How many of the last attempts are looked at."""
WINDOW: Final = timedelta(minutes=5)
FEWEST_FAILURES: Final = 5
SHARE_OF_FAILURES: Final = 0.5


def hold_against(work: Work, blame: Blame) -> None:
    """Note that an attempt failed; the circuit opens where half of the last ones did, or at once for our account."""
    if work.upstream_id is None or work.provider == REHEARSAL or blame == "nobody":
        return
    if blame == "order":
        vouch_for(work)
        return
    Attempt.unscoped.filter(pk=work.attempt_id).update(is_held_against=True)
    reason = CircuitReason.ACCOUNT if blame == "account" else CircuitReason.FAILURES
    if work.is_on_trial:
        has_opened = fail_trial(work.upstream_id, order=work.token, reason=reason)
    else:
        is_failing = reason == CircuitReason.ACCOUNT or _is_failing(work.upstream_id)
        has_opened = is_failing and open_circuit(work.upstream_id, reason=reason)
    if has_opened:
        logger.error("The circuit of upstream %s is open (%s): no order goes there.", work.upstream_id, reason)


def vouch_for(work: Work) -> None:
    """Note that the upstream answered: it passes the trial it was on, and those who wait for it are called."""
    if work.upstream_id is None or not work.is_on_trial or not pass_trial(work.upstream_id, order=work.token):
        return
    logger.warning("The circuit of upstream %s is closed again.", work.upstream_id)
    call_waiting(work.upstream_id)


def call_waiting(upstream_id: int) -> None:
    """Call as many of those who wait as there are free slots."""
    call_next(upstream_id, count=slots_free(Upstream.unscoped.get(pk=upstream_id)))


def failures_lately(upstream_id: int) -> tuple[int, int]:
    """How many of the last ended attempts failed by the upstream's fault, and how many those are.

    What ended before its circuit last changed is no longer looked at.
    """
    ended = _ended_lately().filter(upstream=upstream_id)
    verdicts = list(ended.order_by("-ended_at").values_list("is_held_against", flat=True)[:LOOKED_AT])
    return sum(verdicts), len(verdicts)


def failures_by_upstream(upstream_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """The same for several at once, in one query; without those of which nothing has ended lately."""
    place = Window(RowNumber(), partition_by=F("upstream"), order_by=F("ended_at").desc())
    ended = _ended_lately().filter(upstream__in=upstream_ids).order_by().annotate(place=place)
    verdicts: dict[int, list[bool]] = defaultdict(list)
    for upstream_id, verdict in ended.filter(place__lte=LOOKED_AT).values_list("upstream_id", "is_held_against"):
        verdicts[upstream_id].append(verdict)
    return {upstream_id: (sum(seen), len(seen)) for upstream_id, seen in verdicts.items()}


def _ended_lately() -> QuerySet[Attempt]:
    still_counts = Q(upstream__circuit=None) | Q(ended_at__gte=F("upstream__circuit__changed_at"))
    return Attempt.unscoped.filter(still_counts, ended_at__gte=timezone.now() - WINDOW)


def _is_failing(upstream_id: int) -> bool:
    """The attempt that has just failed is not among the ended ones yet."""
    failed, ended = failures_lately(upstream_id)
    return failed + 1 >= FEWEST_FAILURES and failed + 1 >= SHARE_OF_FAILURES * (ended + 1)
