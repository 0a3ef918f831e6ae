"""How every provider fetches a song from the link its upstream gave.

The song exists, and is perhaps paid for: a download that fails is tried again until the deadline.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from generation.providers.base import Answer, ProviderError, UpstreamAccess
from generation.providers.http import OK, pauses, retry_after
from generation.providers.untrusted import host_of

logger = logging.getLogger("tutti.upstreams")

FILE_BYTES: Final = 100 * 1024 * 1024
DOWNLOAD_SECONDS: Final = 300.0
NOT_FETCHED: Final = "The song was made, but its upstream offers it where it may not be fetched. Nothing was charged."


async def download(upstream: UpstreamAccess, url: str) -> bytes:
    """Fetch a result from its link, again after growing pauses until the caller's deadline: the song exists.

    A page or nothing in place of audio counts as a failed download; otherwise the bytes are trusted, whatever their
    label.
    Raises ProviderError where the link can never be followed.
    """
    for pause in pauses():
        answer = await _fetched(upstream, url)
        if answer is not None and answer.status == OK and answer.body and not is_page(answer.body):
            return answer.body
        status = answer.status if answer is not None else "no answer"
        logger.warning("A result was not fetched from %s (%s); again in %s s.", host_of(url), status, pause)
        asked = retry_after(answer.headers) if answer is not None else None
        await asyncio.sleep(max(pause, asked or 0.0))
    raise AssertionError("the pauses never end")


async def _fetched(upstream: UpstreamAccess, url: str) -> Answer | None:
    try:
        # No credential: the link is signed, and may lead to another house.
        return await upstream.http.send(
            "GET",
            url,
            connect_seconds=upstream.connect_seconds,
            deadline_seconds=DOWNLOAD_SECONDS,
            max_bytes=FILE_BYTES,
            redirects=3,
        )
    except (PermissionError, OverflowError) as never:
        logger.error("A result cannot be fetched from %s: %s", host_of(url), never)  # noqa: TRY400
        raise ProviderError("upstream_error", NOT_FETCHED, seen="unknown") from None
    except (ConnectionError, EOFError):
        return None


def is_page(body: bytes) -> bool:
    """Whether a body is text for a browser or a program; no audio begins so."""
    return body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"{", b"[")


def is_link(text: str) -> bool:
    return text[:8].lower().startswith(("http://", "https://"))
