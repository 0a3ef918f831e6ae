"""What became of holds, for those who must compare work with money."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from billing.models import Hold


def settlements_of(references: Sequence[UUID]) -> dict[UUID, int | None]:
    """The micro-credits charged for each reference that has a hold; None while the hold is open."""
    return dict(Hold.unscoped.filter(reference__in=references).values_list("reference", "charged"))
