"""How every provider hears an answer while it comes: its head, and its body in chunks."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

from generation.providers import http
from generation.providers.base import Incoming, UpstreamAccess

logger = logging.getLogger("tutti.upstreams")


@asynccontextmanager
async def opened(
    upstream: UpstreamAccess,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str],
    fields: Mapping[str, Any],
    deadline_seconds: float,
    max_bytes: int,
) -> AsyncIterator[tuple[Incoming, AsyncGenerator[bytes, None]]]:
    """Send `fields` as JSON and hear the answer. Raises ProviderError: not made if nothing was sent, else unknown."""
    url, given, body = http.written(upstream, path, headers, fields)
    try:
        async with AsyncExitStack() as stack:
            with http.failures_to(url):
                way_in = upstream.http.open(
                    method,
                    url,
                    headers=given,
                    body=body,
                    connect_seconds=upstream.connect_seconds,
                    deadline_seconds=deadline_seconds,
                    max_bytes=max_bytes,
                )
                incoming = await stack.enter_async_context(way_in)
            yield incoming, await stack.enter_async_context(aclosing(incoming.chunks()))
    except (EOFError, OverflowError) as lost:
        # Not what else may break while the answer is taken in: that tells nothing of the call.
        logger.warning("%s", lost)
        raise http.unknown() from None
