"""A thousand songs are with a slow upstream at once, in the hands of one runner that stays light."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.scenarios.servers import ROOT, TuttiServer

pytestmark = [pytest.mark.whole_server, pytest.mark.timeout(900)]

ORDERS = 1_000
AT_ONCE = 50
ANSWER_SECONDS = 60
MOST_THREADS = 40
OFFER = """
owner: tutti
providers:
  patient: {{name: A patient studio}}
upstreams:
  patient: {{name: A patient studio, provider: openai_music, base_url: {url}, credential: {{env: PATIENT_KEY}}}}
prices:
  patient: {{name: Asked, rows: [{{unit: song, credits: 0.30}}]}}
models:
  - name: patient-song
    provider: patient
    capabilities: {{prompt: required, lyrics: required}}
    mappings:
      - {{catalog: music_gen, upstream: patient, sale_prices: patient}}
"""
BODY = {
    "model": "patient-song",
    "catelogid": "music_gen",
    "prompt": "a calm piano song",
    "lyrics": "[Verse]\nWaiting for the morning",
}


@pytest.fixture
def patient() -> Iterator[str]:
    """The address of an upstream that answers each order after a minute."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.scenarios.patient_upstream", str(ANSWER_SECONDS)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    process.communicate(timeout=20)


def counts(patient: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{patient}/counts", timeout=30).json()
    return found


async def order_all(server: TuttiServer) -> Counter[int]:
    headers = {"Authorization": f"Bearer {server.demo['keys']['funded']}", "Prefer": "respond-async"}
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(limits=limits, timeout=120, headers=headers) as client:
        orders = [client.post(f"{server.url}/v1/music/generations", json=BODY) for _ in range(ORDERS)]
        return Counter(answer.status_code for answer in await asyncio.gather(*orders))


def test_thousand_calls_are_open_at_once_in_one_runner(tmp_path: Path, patient: str) -> None:
    server = TuttiServer(tmp_path, PATIENT_KEY="a-key-of-the-studio")
    server.demo  # noqa: B018 - writes the data before the server starts
    offer = tmp_path / "offer.yaml"
    offer.write_text(OFFER.format(url=patient))
    server.manage("catalog", "apply", str(offer))
    try:
        server.start()
        assert asyncio.run(order_all(server)) == {202: ORDERS}

        threads = [server.threads()]
        end = time.monotonic() + ANSWER_SECONDS
        while counts(patient)["orders"] < ORDERS:
            assert time.monotonic() < end, f"only {counts(patient)} came:\n{server.log[-4000:]}"
            threads.append(server.threads())
            time.sleep(0.5)
        threads.append(server.threads())
        server.wait_for_states({"succeeded": ORDERS}, within_seconds=400)

        assert counts(patient) == {"orders": ORDERS, "most_open": ORDERS}
        assert max(threads) <= MOST_THREADS
        assert server.manage("reconcile") == f"The books balance: {ORDERS} jobs, no disagreement.\n"
        print(f"open at once: {ORDERS}; threads: {max(threads)}")
    finally:
        server.close()
