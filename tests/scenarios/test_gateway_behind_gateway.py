"""One Tutti sells what another makes: two servers, real HTTP between them, books in both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.scenarios.playing import play
from tests.scenarios.servers import QUICK_RECOVERY, TuttiServer

pytestmark = [pytest.mark.whole_server, pytest.mark.timeout(300)]

OFFER = """
owner: tutti
providers:
  neighbour: {{name: The Tutti next door}}
upstreams:
  neighbour:
    name: The Tutti next door
    provider: openai_music
    base_url: {url}
    credential: {{env: NEIGHBOUR_KEY}}
prices:
  neighbour: {{name: Asked, rows: [{{unit: song, credits: 0.30}}]}}
  neighbour-cost: {{name: Owed, rows: [{{unit: song, credits: 0.10}}]}}
models:
  - name: neighbour-song
    provider: neighbour
    upstream_model: rehearsal
    capabilities: {{prompt: required, lyrics: optional, instrumental: exact, duration: exact, seed: true}}
    limits: {{prompt: [1, 2000], lyrics: [1, 3500], takes_max: 3, promises_length: true}}
    mappings:
      - catalog: music_gen
        upstream: neighbour
        upstream_shape: tutti
        sale_prices: neighbour
        cost_prices: neighbour-cost
        poll_seconds: 0.2
"""
BODY = {
    "model": "neighbour-song",
    "catelogid": "music_gen",
    "prompt": "a short folk song",
    "lyrics": "[Verse]\nOver the garden fence",
    "duration": 3,
    "seed": 11,
}


@dataclass
class Street:
    """The seller, and the neighbour it buys from."""

    seller: TuttiServer
    neighbour: TuttiServer


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    homes = [tmp_path / name for name in ("seller", "neighbour")]
    for home in homes:
        home.mkdir()
    neighbour = TuttiServer(homes[1], **QUICK_RECOVERY)
    seller = TuttiServer(homes[0], NEIGHBOUR_KEY=neighbour.demo["keys"]["funded"])
    seller.demo  # noqa: B018 - writes the data before the server starts
    offer = tmp_path / "offer.yaml"
    offer.write_text(OFFER.format(url=neighbour.url))
    seller.manage("catalog", "apply", str(offer))
    neighbour.start()
    seller.start()
    yield Street(seller, neighbour)
    seller.close()
    neighbour.close()


def assert_books_balance(street: Street) -> None:
    for server in (street.seller, street.neighbour):
        assert server.manage("reconcile") == "The books balance: 1 jobs, no disagreement.\n"


def test_song_is_bought_next_door_and_sold_on(street: Street) -> None:
    answer = street.seller.order("funded", {**BODY, "n": 2, "prompt": "slow:2 a short folk song"})

    assert answer.status_code == httpx.codes.OK, answer.text + street.seller.log
    song = answer.json()
    assert [round(play(httpx.get(take["audio"]).content).seconds) for take in song["audios"]] == [3, 3]
    assert song["usage"]["micro_credits"] == 600_000
    assert (song["audios"][0]["seed"], len({take["sha256"] for take in song["audios"]})) == (11, 2)
    reference = street.seller.ask_database("Attempt.objects.get().reference")
    assert street.neighbour.ask_database("IdempotencyKey.objects.get().key") == reference
    assert street.neighbour.ask_database("[Job.objects.get().charged_micro, Track.objects.count()]") == [200_000, 2]
    assert_books_balance(street)


def test_neighbour_whose_power_is_cut_makes_the_song_once(street: Street) -> None:
    later = {"Prefer": "respond-async"}
    job_id = street.seller.order("funded", {**BODY, "prompt": "slow:4 a short folk song"}, **later).json()["id"]
    street.neighbour.wait_for_states({"running": 1})

    street.neighbour.kill()
    street.neighbour.start()

    street.seller.wait_for_states({"succeeded": 1})
    assert street.seller.calls_upstream() == 1
    assert street.neighbour.ask_database("[Job.objects.count(), Track.objects.count()]") == [1, 1]
    headers = {"Authorization": f"Bearer {street.seller.demo['keys']['funded']}"}
    song = httpx.get(f"{street.seller.url}/v1/music/generations/{job_id}", headers=headers).json()
    assert round(play(httpx.get(song["audio"]).content).seconds) == 3
    assert_books_balance(street)


def test_refusal_next_door_is_a_refusal_here(street: Street) -> None:
    answer = street.seller.order("funded", {**BODY, "prompt": "fail:refused song"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "content_policy")
    assert street.seller.calls_upstream() == street.neighbour.calls_upstream() == 1
    assert_books_balance(street)
