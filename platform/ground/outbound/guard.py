"""The guard at the way out: a name is looked up once, every address found is checked, a checked one is called.

Nothing is looked up again between check and call, so a name that changes its mind in between changes nothing.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Final

import httpcore
import httpx
from django.conf import settings

from ground.outbound.addresses import Address, address_in, may_be_called

LookUp = Callable[[str, int], Awaitable[Sequence[str]]]

PORTS: Final = frozenset({80, 443, 8443})
LONGEST_HOST: Final = 253
MOST_ADDRESSES: Final = 4
"""How many addresses of one name are tried before it counts as not to be reached."""


class CallRefused(PermissionError):
    """The call may not leave: its address is not on the public internet, or it is not written as it must be."""


async def look_up(host: str, port: int) -> Sequence[str]:
    """Every address of a name, as the system knows them. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[4][0]) for address in found))


def checked_url(text: str | httpx.URL) -> httpx.URL:
    """An address that may be called as far as its spelling tells. Raises CallRefused, which never repeats it."""
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise CallRefused("The address to call is not written as one.") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise CallRefused("Only http and https addresses are called.")
    if url.userinfo:
        raise CallRefused("An address with a user name in it is not called.")
    if len(url.host) > LONGEST_HOST:
        raise CallRefused("The host name of the address is too long.")
    if url.port not in (None, *PORTS) and not settings.TUTTI_PRIVATE_UPSTREAMS:
        raise CallRefused(f"Port {url.port} is not called; the ports are 80, 443 and 8443.")
    return url


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections to checked addresses alone. The name stays what TLS and the Host header speak of."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend | None = None, look_up: LookUp = look_up) -> None:
        self._inner = inner or httpcore.AnyIOBackend()
        self._look_up = look_up

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Look up, check all, connect to the first that answers. `timeout` bounds the whole, in seconds."""
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._checked_addresses(host, port)
                share = None if timeout is None else timeout / len(addresses)
                return await self._connect_to_one(addresses, port, share, local_address, socket_options)
        except TimeoutError:
            raise httpcore.ConnectTimeout("nobody answered in time") from None

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise CallRefused("Sockets of this machine are not called.")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

    async def _checked_addresses(self, host: str, port: int) -> list[Address]:
        """Every address of the host. Raises CallRefused when a single one of them may not be called."""
        try:
            written = address_in(host)
            found = [written] if written else [ip_address(text) for text in await self._look_up(host, port)]
        except ValueError:  # UnicodeError too: a name the resolver cannot spell
            raise CallRefused(f"The host {host!r} is neither a name nor an address in its usual spelling.") from None
        except OSError:
            raise httpcore.ConnectError(f"the name {host!r} is not known") from None
        if not found:
            raise httpcore.ConnectError(f"the name {host!r} has no address")
        for address in found:
            if not may_be_called(address, allows_private=settings.TUTTI_PRIVATE_UPSTREAMS):
                # The address itself is not told: it would describe the network inside to whoever chose the name.
                raise CallRefused(f"The host {host!r} is not on the public internet.")
        return found[:MOST_ADDRESSES]

    async def _connect_to_one(
        self,
        addresses: Sequence[Address],
        port: int,
        seconds_each: float | None,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        failed: Exception = httpcore.ConnectError("nobody answered")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(str(address), port, seconds_each, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed
