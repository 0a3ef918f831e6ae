"""One circuit for each upstream, shared by all runners: every change is one conditional UPDATE."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from catalog.models import Circuit, CircuitReason

FIRST_PAUSE: Final = {CircuitReason.FAILURES: timedelta(seconds=15), CircuitReason.ACCOUNT: timedelta(minutes=5)}
LONGEST_PAUSE: Final = {CircuitReason.FAILURES: timedelta(minutes=10), CircuitReason.ACCOUNT: timedelta(hours=1)}
BY_HAND: Final = timedelta(days=3650)
"""Until somebody closes it, or a trial is let through after ten years."""


def pause_of(reason: CircuitReason, openings: int) -> timedelta:
    """How long a circuit stays open at the n-th opening in a row: twice as long each time."""
    if reason == CircuitReason.BY_HAND:
        return BY_HAND
    return min(FIRST_PAUSE[reason] * (1 << min(openings - 1, 10)), LONGEST_PAUSE[reason])


def open_circuit(upstream_id: int, *, reason: CircuitReason) -> bool:
    """Let no order through from now on; False where it was open or half-open before."""
    now = timezone.now()
    Circuit.objects.get_or_create(upstream_id=upstream_id, defaults={"changed_at": now})
    return bool(Circuit.objects.closed().filter(upstream=upstream_id).update(**_opened(reason, 1, now)))


def begin_trial(circuit: Circuit, *, order: UUID, instead_of: UUID | None) -> bool:
    """Let one order through a half-open circuit; `instead_of` is the trial that has ended. False: another was first."""
    is_free = Circuit.objects.filter(pk=circuit.pk, trial=instead_of, opened_until__lte=timezone.now())
    return bool(is_free.update(trial=order))


def pass_trial(upstream_id: int, *, order: UUID) -> bool:
    """The order on trial was answered: let all through. False where it is on trial no longer."""
    return _close(upstream_id, trial=order)


def fail_trial(upstream_id: int, *, order: UUID, reason: CircuitReason) -> bool:
    """The order on trial failed as those before: open again, for longer."""
    on_trial = Circuit.objects.filter(upstream=upstream_id, trial=order, opened_until__isnull=False)
    circuit = on_trial.first()
    if circuit is None:
        return False
    return bool(on_trial.update(**_opened(reason, circuit.openings + 1, timezone.now())))


def open_by_hand(upstream_id: int) -> None:
    """Let no order through until the circuit is closed by hand, whatever it was before."""
    now = timezone.now()
    Circuit.objects.get_or_create(upstream_id=upstream_id, defaults={"changed_at": now})
    Circuit.objects.filter(upstream=upstream_id).update(**_opened(CircuitReason.BY_HAND, 1, now))


def close_by_hand(upstream_id: int) -> bool:
    """Let all orders through, and count failures from now; False where it was closed."""
    return _close(upstream_id)


def _close(upstream_id: int, **which: UUID) -> bool:
    opened = Circuit.objects.filter(upstream=upstream_id, opened_until__isnull=False, **which)
    return bool(opened.update(opened_until=None, openings=0, reason="", trial=None, changed_at=timezone.now()))


def _opened(reason: CircuitReason, openings: int, now: datetime) -> dict[str, object]:
    until = now + pause_of(reason, openings)
    return {"opened_until": until, "openings": openings, "reason": reason, "trial": None, "changed_at": now}
