"""Several calls of one order, each for takes of its own: what some deliver is not lost with the others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from generation.contract import Delivery, Fault, MissingTake, Tokens
from generation.providers.base import NO_AUDIO, ProviderError, UpstreamAccess

logger = logging.getLogger("tutti.upstreams")

SHARE_OF_PARALLEL: Final = 0.9
"""Parallel calls end before the job does, so that one that hangs does not take the finished ones with it."""
BROKEN: Final = Fault("internal_error", "Something broke on our side while the song was made. Nothing was charged.")

Call = Callable[[UpstreamAccess], Awaitable[Delivery]]


async def in_parallel(
    upstream: UpstreamAccess, calls: Sequence[Call], *, takes_of: Sequence[int] | None = None
) -> Delivery:
    """What the calls deliver, in their order; for each that fails, what became of its takes is `missing`.

    `calls` get an access of their own: it leaves them a little less time, and each has another `reference`. `takes_of`
    tells how many takes each is for, one where not given. Raises the weightiest error when nothing came.
    """
    hurried = replace(upstream, deadline_seconds=SHARE_OF_PARALLEL * upstream.deadline_seconds)
    named = [replace(hurried, reference=f"{upstream.reference}-{number}") for number in range(len(calls))]
    ends = await asyncio.gather(*map(_heard, calls, named), return_exceptions=True)
    delivered = [end for end in ends if isinstance(end, Delivery)]
    failed = [end for end in ends if isinstance(end, BaseException)]
    if not delivered:
        raise max(failed, key=_weight)
    missing = [
        gone
        for end, count in zip(ends, takes_of or [1] * len(calls), strict=True)
        for gone in (end.missing if isinstance(end, Delivery) else (_missing(end),) * count)
    ]
    return Delivery(
        takes=tuple(take for delivery in delivered for take in delivery.takes),
        missing=tuple(missing),
        lyrics=next((one.lyrics for one in delivered if one.lyrics), None),
        tokens=_counted_together(delivered),
    )


async def _heard(call: Call, upstream: UpstreamAccess) -> Delivery:
    delivery = await call(upstream)
    if not any(take.audio for take in delivery.takes):
        # Beside takes that can be heard it would pass for a bad one, and be ordered again.
        raise ProviderError("upstream_error", NO_AUDIO, seen="unknown")
    return delivery


def _missing(error: BaseException) -> MissingTake:
    if isinstance(error, ProviderError):
        logger.warning("A take was not delivered: %s", error)
        return MissingTake(Fault(error.code, error.message, error.param), is_unknown=error.seen == "unknown")
    logger.error("A provider broke over one of its takes.", exc_info=error)
    return MissingTake(BROKEN, is_unknown=True)


def _counted_together(delivered: Sequence[Delivery]) -> Tokens | None:
    """None where one of them was not counted: a sum without it would be no count."""
    counts = [one.tokens for one in delivered if one.tokens is not None]
    if len(counts) < len(delivered):
        return None
    return Tokens(sum(count.prompt for count in counts), sum(count.candidates for count in counts))


def _weight(error: BaseException) -> tuple[int, float]:
    """A bug outweighs all, then an unknown fate, then what is in vain to repeat, then the longest pause."""
    if not isinstance(error, ProviderError):
        return 3, 0.0
    if error.seen == "unknown":
        return 2, 0.0
    return (0, error.retry_after or 0.0) if error.retryable else (1, 0.0)
