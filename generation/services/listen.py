"""Who listens to a song that is made for its listeners: on the wire `musicgen` leaving cancels.

An order without an idempotency key has one listener, whose leaving ends it. One with a key may be joined by others
who send it again, here or in another process: they are counted, and the last one's leaving ends it. Each is counted
before the order is given: one who joins a song that is there already must not see it cancelled on the way in.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from django.core.cache import cache

from accounts.caller import Caller
from generation.services.cancel import cancel_unheard
from generation.services.submit import canonical_hash

logger = logging.getLogger("tutti.jobs")

FORGOTTEN_SECONDS: Final = 24 * 3600
"""How long is counted at most: longer than a song takes, no longer than its key is kept."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A place among those who listen to one order, whichever job that becomes; without a `name` nobody counts it."""

    name: str = ""

    @classmethod
    def taken(cls, caller: Caller, *, dialect: str, idempotency_key: str, body: Mapping[str, Any]) -> Self:
        """Count one more who gives this order under this key. Raises Refusal for a body that is none."""
        order = [caller.organization.pk, caller.live, idempotency_key, canonical_hash(dialect, body)]
        name = f"listeners:{hashlib.sha256(repr(order).encode(errors='surrogatepass')).hexdigest()}"
        try:
            cache.add(name, 0, timeout=FORGOTTEN_SECONDS)
            cache.incr(name)
        except Exception as broken:  # noqa: BLE001 - whatever the cache's client raises
            logger.warning("A listener was not counted; the song is made whoever leaves: %s", broken)
            return cls()
        return cls(name)

    def given_up(self) -> bool:
        """Count one less; True when nobody is left."""
        if not self.name:
            return False
        try:
            return cache.decr(self.name) <= 0
        except Exception as broken:  # noqa: BLE001 - whatever the cache's client raises
            logger.warning("Nobody can tell who else listens; the song is made: %s", broken)
            return False


@dataclass(frozen=True, slots=True)
class Listener:
    """One who listens to a job. Without a `seat`: nobody else can."""

    job_id: uuid.UUID
    seat: Seat | None = None

    @property
    def is_alone(self) -> bool:
        return self.seat is None

    def leave(self, *, may_come_back: bool = False) -> None:
        """Cancel the song if nobody is left. `may_come_back`: it goes on for one who can send the order again."""
        is_last = self.seat is None or self.seat.given_up()
        if is_last and (self.is_alone or not may_come_back):
            cancel_unheard(self.job_id)
