"""The call upstream: one attempt, inside the job's deadline, with every ending named."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from django.utils import timezone

from generation.contract import Delivery
from generation.providers.base import NO_AUDIO, Line, ProviderError, Resumes
from generation.providers.registry import provider_named
from generation.services.claim import Work
from generation.services.write import write

logger = logging.getLogger("tutti.jobs")
Result = TypeVar("Result")


class DeadlinePassed(Exception):
    """The job's deadline came before the upstream's answer."""


async def make(work: Work, line: Line) -> Delivery:
    """Have the song made, or the text written. Raises ProviderError or DeadlinePassed."""
    logger.info("Calling %s for job %s, attempt %s.", work.provider, work.job_id, work.number)
    if work.text is not None:
        return Delivery(takes=(), text=await in_time(work, write(work.text, work.provider, work.access)))
    delivery = await in_time(work, _delivery(work, line))
    if not any(take.audio for take in delivery.takes):
        raise ProviderError("upstream_error", NO_AUDIO, seen="unknown")
    return delivery


async def in_time(work: Work, call: Awaitable[Result]) -> Result:
    """Await a call of an upstream until the job's deadline. Raises ProviderError or DeadlinePassed."""
    left = (work.deadline - timezone.now()).total_seconds()
    try:
        async with asyncio.timeout(left) as limit:
            return await call
    except ProviderError:
        raise
    except Exception as broken:
        if isinstance(broken, TimeoutError) and limit.expired():
            raise DeadlinePassed from None
        # A provider that breaks has perhaps been heard upstream: its fate is not known.
        logger.exception("Provider %s broke on job %s.", work.provider, work.job_id)
        raise ProviderError(
            "internal_error",
            "Something broke on our side while the order was worked on. Nothing was charged.",
            seen="unknown",
        ) from None


async def _delivery(work: Work, line: Line) -> Delivery:
    provider = provider_named(work.provider)
    if work.tickets is None:
        return await provider.make(work.song, work.access, line)
    if not isinstance(provider, Resumes):
        raise TypeError(f"{work.provider} cannot be asked for what another process ordered")
    return await provider.resume(work.song, work.access, work.tickets, line)
