"""A file that a caller names by its address: fetched by us, through the guarded way out, within narrow bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from typing import BinaryIO, Final

from generation.audio.purposes import MOST_BYTES
from generation.contract import Refusal
from ground.outbound import OUTBOUND

URL: Final = "url"
FETCH_SECONDS: Final = 30.0
CONNECT_SECONDS: Final = 10.0
REDIRECTS: Final = 3
MOST_AT_ONCE: Final = 20
"""Fetches under way in the same moment, of one server process."""
MOST_OF_ONE: Final = 4
"""Of them, for one organization: nobody's slow address keeps everybody else waiting."""
RETRY_SECONDS: Final = 10
# One sentence for an address that may not be called, a name nobody knows and a door nobody opens: which of them it
# was would tell a stranger what there is inside.
NOT_FETCHED: Final = (
    "The file could not be fetched from the address given as 'url': it must be an http or https address on the public "
    f"internet, on port 80, 443 or 8443, which gives the file within {FETCH_SECONDS:g} seconds."
)

_under_way: Final[dict[asyncio.Task[object], int]] = {}


async def fetch_file(link: str, target: BinaryIO, *, organization_id: int) -> int:
    """Write what stands at the address to `target`; the number of its bytes. No credential is sent.

    Raises Refusal. Holds no thread and no database connection.
    """
    with _turn(organization_id):
        try:
            return await _written(link, target)
        except OverflowError:
            message = f"A file may have at most {MOST_BYTES:,} bytes."
            raise Refusal("body_too_large", message, param=URL) from None
        except (PermissionError, ConnectionError, EOFError):
            raise Refusal("invalid_parameter", NOT_FETCHED, param=URL) from None


async def _written(link: str, target: BinaryIO) -> int:
    size = 0
    async with OUTBOUND.open(
        "GET",
        link,
        headers={"Connection": "close"},
        connect_seconds=CONNECT_SECONDS,
        deadline_seconds=FETCH_SECONDS,
        max_bytes=MOST_BYTES,
        redirects=REDIRECTS,
    ) as incoming:
        if incoming.status != 200:  # noqa: PLR2004 - nothing else brings a whole file
            message = f"The address given as 'url' was answered with HTTP {incoming.status}."
            raise Refusal("invalid_parameter", message, param=URL)
        async with aclosing(incoming.chunks()) as chunks:
            async for chunk in chunks:
                size += target.write(chunk)
    target.flush()
    return size


@contextmanager
def _turn(organization_id: int) -> Iterator[None]:
    """Raises Refusal where too many are fetched already."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - only coroutines call this
    if list(_under_way.values()).count(organization_id) >= MOST_OF_ONE:
        message = f"At most {MOST_OF_ONE} files are fetched for an organization at once. Try again shortly."
        raise Refusal("concurrency_limit_exceeded", message, retry_after=RETRY_SECONDS)
    if len(_under_way) >= MOST_AT_ONCE:
        raise Refusal("busy", "Too many files are being fetched already. Try again shortly.", retry_after=RETRY_SECONDS)
    _under_way[task] = organization_id
    try:
        yield
    finally:
        del _under_way[task]
