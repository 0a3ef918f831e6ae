"""Tests talk to this machine alone: a name is not looked up and an address is not called outside it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest


class NetworkBlocked(RuntimeError):
    """A test reached for the network. No OSError, lest code that handles those takes it for a failed call."""


@pytest.fixture(autouse=True, scope="session")
def only_loopback() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", _guarded_lookup(socket.getaddrinfo))
        yield


def _guarded(call: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX:
            _refuse_outside(address[0])
        return call(self, address)

    return guarded


def _guarded_lookup(call: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_outside(host)
        return call(host, *args, **kwargs)

    return guarded


def _refuse_outside(host: str | bytes | None) -> None:
    name = host.decode() if isinstance(host, bytes) else host or "localhost"
    if name != "localhost" and not _is_loopback(name):
        raise NetworkBlocked(f"A test reached for {name!r}; only this machine is open to tests.")


def _is_loopback(name: str) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
