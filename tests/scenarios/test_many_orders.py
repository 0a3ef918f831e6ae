"""Two hundred orders at once on a wallet that can pay thirty-seven."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import httpx
import pytest

from tests.postgres import embedded_postgres
from tests.scenarios.playing import play
from tests.scenarios.servers import ROOT, TuttiServer

pytestmark = [pytest.mark.whole_server, pytest.mark.timeout(600)]

FIRST_SONG = json.loads((ROOT / "docs" / "first-song.json").read_text())
ORDERS, PAYABLE = 200, 37


@contextmanager
def serving(*servers: TuttiServer) -> Iterator[None]:
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in servers:
            server.close()


async def order_from(servers: tuple[TuttiServer, ...], key: str) -> list[httpx.Response]:
    """All orders in one moment, each on a connection of its own."""
    limits = httpx.Limits(max_connections=ORDERS, max_keepalive_connections=0)
    async with httpx.AsyncClient(limits=limits, timeout=300, headers={"Authorization": f"Bearer {key}"}) as client:
        turns = zip(range(ORDERS), cycle(servers), strict=False)
        orders = [client.post(f"{server.url}/v1/music/generations", json=FIRST_SONG) for _, server in turns]
        return await asyncio.gather(*orders)


def assert_only_the_payable_were_made(answers: list[httpx.Response], server: TuttiServer) -> None:
    outcomes = Counter((answer.status_code, answer.json().get("error", {}).get("code")) for answer in answers)
    assert outcomes == {(200, None): PAYABLE, (429, "insufficient_quota"): ORDERS - PAYABLE}
    for answer in answers:
        if answer.status_code == httpx.codes.OK:
            song = answer.json()
            played = play(httpx.get(song["audio"], timeout=60).content)
            assert song["status"] == "SUCCEEDED"
            assert (30 <= played.seconds <= 60, played.channels) == (True, 2)
    assert server.states() == {"succeeded": PAYABLE}
    wallet = "[list(row) for row in Account.objects.filter(organization__slug='limited', live=True, has_floor=True)"
    assert server.ask_database(wallet + ".order_by('kind').values_list('kind', 'balance')]") == [
        ["available", 0],
        ["held", 0],
    ]
    charges = "sum(Job.objects.values_list('charged_micro', flat=True))"
    quotes = f"{PAYABLE} * Transfer.objects.filter(kind='charge').first().amount"
    assert server.ask_database(charges) == server.ask_database(quotes)
    assert server.manage("reconcile") == f"The books balance: {PAYABLE} jobs, no disagreement.\n"


def test_wallet_pays_exactly_its_songs_on_one_process(tmp_path: Path) -> None:
    server = TuttiServer(tmp_path)
    key = server.demo["keys"]["limited"]

    with serving(server):
        answers = asyncio.run(order_from((server,), key))

        assert_only_the_payable_were_made(answers, server)


def test_wallet_pays_exactly_its_songs_on_postgresql_and_two_web_processes(tmp_path: Path) -> None:
    with embedded_postgres() as database_url:
        servers = (TuttiServer(tmp_path, database_url=database_url), TuttiServer(tmp_path, database_url=database_url))
        key = servers[0].demo["keys"]["limited"]

        with serving(*servers):
            answers = asyncio.run(order_from(servers, key))

            assert_only_the_payable_were_made(answers, servers[0])
