"""Who listens to a song that is made for its listeners: on the wire `musicgen` leaving cancels.

An order without an idempotency key has one listener, whose leaving ends it. One with a key may be joined by others
who send it again, here or in another process: they are counted, and the last one's leaving ends it.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from typing import Self

from django.core.cache import cache

from generation.services.cancel import cancel_unheard

logger = logging.getLogger("tutti.jobs")


@dataclass(frozen=True, slots=True)
class Listener:
    """One who listens to a job. `is_alone`: nobody else can; `is_counted`: among those who may."""

    job_id: uuid.UUID
    is_alone: bool
    is_counted: bool = False

    @classmethod
    def alone(cls, job_id: uuid.UUID) -> Self:
        return cls(job_id, is_alone=True)

    @classmethod
    def among_others(cls, job_id: uuid.UUID, *, seconds: float) -> Self:
        """One more; forgotten after `seconds`, when the job has long ended."""
        name = _name(job_id)
        try:
            cache.add(name, 0, timeout=seconds)
            cache.incr(name)
        except Exception as broken:  # noqa: BLE001 - whatever the cache's client raises
            logger.warning("A listener was not counted; the song is made whoever leaves: %s", broken)
            return cls(job_id, is_alone=False)
        return cls(job_id, is_alone=False, is_counted=True)

    def leave(self, *, may_come_back: bool = False) -> None:
        """Cancel the song if nobody is left. `may_come_back`: it goes on for one who can send the order again."""
        is_last = self._is_last()
        if is_last and (self.is_alone or not may_come_back):
            cancel_unheard(self.job_id)

    def _is_last(self) -> bool:
        if self.is_alone:
            return True
        if not self.is_counted:
            return False
        try:
            return cache.decr(_name(self.job_id)) <= 0
        except Exception as broken:  # noqa: BLE001 - whatever the cache's client raises
            logger.warning("Nobody can tell who else listens; the song is made: %s", broken)
            return False


def _name(job_id: uuid.UUID) -> str:
    return f"listeners:{job_id}"
