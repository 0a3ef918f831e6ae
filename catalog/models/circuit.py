from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models

from catalog.models.upstream import Upstream


class CircuitState(models.TextChoices):
    CLOSED = "closed"
    """Orders go there."""
    OPEN = "open"
    """No order goes there."""
    HALF_OPEN = "half-open"
    """One order at a time goes there, on trial."""


class CircuitReason(models.TextChoices):
    FAILURES = "failures"
    """Too many of the last songs were not made."""
    ACCOUNT = "account"
    """Our key or our credits there: no song would be made."""
    BY_HAND = "by hand"


class CircuitQuerySet(models.QuerySet["Circuit"]):
    def closed(self) -> Self:
        return self.filter(opened_until__isnull=True)


class Circuit(models.Model):
    """Whether orders go to an upstream, for all runners alike. An upstream that never failed has none: closed."""

    upstream = models.OneToOneField(Upstream, primary_key=True, on_delete=models.CASCADE, related_name="circuit")
    opened_until = models.DateTimeField(null=True)
    """None: closed. Later than now: open. Past: half-open."""
    openings = models.PositiveIntegerField(default=0)
    """How often it opened since it was last closed: each time for longer."""
    reason = models.CharField(max_length=20, choices=CircuitReason.choices, blank=True)
    trial = models.UUIDField(null=True)
    """The order that was let through last while half-open."""
    changed_at = models.DateTimeField()
    """What failed before is no longer counted."""

    objects = CircuitQuerySet.as_manager()

    def __str__(self) -> str:
        return f"circuit of {self.upstream_id}"

    def state_at(self, moment: datetime) -> CircuitState:
        if self.opened_until is None:
            return CircuitState.CLOSED
        return CircuitState.OPEN if self.opened_until > moment else CircuitState.HALF_OPEN
