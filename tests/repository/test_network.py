"""Tests cannot reach the network by accident."""

from __future__ import annotations

import asyncio
import socket

import httpx
import pytest

from tests.plugins.network import NetworkBlocked

OUTSIDE = ("192.0.2.1", 80)  # reserved for documentation: nobody has it


def test_address_outside_is_refused() -> None:
    with socket.socket() as caller, pytest.raises(NetworkBlocked, match=r"192\.0\.2\.1"):
        caller.connect(OUTSIDE)


def test_name_is_not_looked_up() -> None:
    with pytest.raises(NetworkBlocked, match=r"music\.example"):
        socket.getaddrinfo("music.example", 443)


def test_http_client_is_refused() -> None:
    with pytest.raises(NetworkBlocked):
        httpx.get("http://192.0.2.1/", trust_env=False)


async def test_asyncio_is_refused() -> None:
    with pytest.raises(NetworkBlocked):
        await asyncio.open_connection(*OUTSIDE)


def test_this_machine_is_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as caller:
        assert caller.getpeername() == server.getsockname()
