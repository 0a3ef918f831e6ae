"""One Tutti buys from another over every wire that a Tutti serves: real HTTP between them, books in both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from tests.scenarios.playing import play
from tests.scenarios.servers import TuttiServer

pytestmark = [pytest.mark.whole_server, pytest.mark.timeout(600)]

LYRICAL: Final = {"prompt": "optional", "lyrics": "required"}
SUNG: Final = {"prompt": "a short folk song", "lyrics": "[Verse]\nOver the garden fence"}
PLAYED: Final = {"prompt": "a short folk song", "instrumental": True, "duration": 2}
PRICE_MICRO: Final = 300_000


@dataclass(frozen=True)
class Wire:
    """How the neighbour is spoken to, for which of its models, and what it asks for one song, in micro-credits."""

    provider: str
    shape: str
    model: str
    asked_micro: int
    endpoint: str = ""


LYRIA: Final = "MaaS_Lyria_3_pro_preview"
LYRIA_AT: Final = {
    "endpoint": "lyria-3-pro",
    "endpoint_model": "lyria-3-pro",
    "endpoint_google_chat": "lyria-3-pro",
    "endpoint_chat": "lyria-3-pro",
    "chat": "",
    "google": "",
    "vertex": "projects/garden/locations/fence",
}
"""By shape: what the neighbour's address holds for it."""
WIRES: Final = {
    "by-openai-music": Wire("openai_music", "tutti", "rehearsal", 100_000),
    "by-minimax": Wire("minimax", "", "music-2.6", 1_500_000),
    "by-mureka": Wire("mureka", "maas", "MaaS_Mureka_v7.6", 1_600_000, "mureka-v7-6"),
    "by-mureka-official": Wire("mureka", "official", "MaaS_Mureka_v7.6", 1_600_000),
    "by-musicgen": Wire("musicgen_http", "tutti", "musicgen-small", 20_000),
} | {
    f"by-lyria-{shape.replace('_', '-')}": Wire("lyria", shape, LYRIA, 2_000_000, endpoint)
    for shape, endpoint in LYRIA_AT.items()
}


def offer(url: str) -> str:
    """A model of the seller's for each wire, all made next door."""
    prices = {"rows": [{"unit": "song", "credits": 0.30}]}
    owed = {"rows": [{"unit": "song", "credits": 0.10}]}
    providers = {wire.provider for wire in WIRES.values()}
    return yaml.safe_dump(
        {
            "owner": "tutti",
            "providers": {"neighbour": {"name": "The Tutti next door"}},
            "upstreams": {
                f"next-door-{provider.replace('_', '-')}": {
                    "name": f"Next door by {provider}",
                    "provider": provider,
                    "base_url": url,
                    "credential": {"env": "NEIGHBOUR_KEY"},
                }
                for provider in providers
            },
            "prices": {"asked": {"name": "Asked", **prices}, "owed": {"name": "Owed", **owed}},
            "models": [model(name, wire) for name, wire in WIRES.items()],
        }
    )


def model(name: str, wire: Wire) -> dict[str, Any]:
    silent = {"prompt": "required", "instrumental": "always", "duration": "exact"}
    return {
        "name": name,
        "provider": "neighbour",
        "upstream_model": wire.model,
        "capabilities": silent if wire.provider == "musicgen_http" else LYRICAL,
        "mappings": [
            {
                "catalog": "music_gen",
                "upstream": f"next-door-{wire.provider.replace('_', '-')}",
                "upstream_shape": wire.shape,
                "upstream_endpoint": wire.endpoint,
                "sale_prices": "asked",
                "cost_prices": "owed",
                "poll_seconds": 0.2,
            }
        ],
    }


@dataclass
class Street:
    """The seller, and the neighbour it buys from."""

    seller: TuttiServer
    neighbour: TuttiServer

    def order(self, name: str) -> str:
        """The id of a job that is not waited for."""
        words = PLAYED if WIRES[name].provider == "musicgen_http" else SUNG
        body = {"model": name, "catelogid": "music_gen", **words}
        answer = self.seller.order("funded", body, Prefer="respond-async")
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.seller.demo['keys']['funded']}"}
        found: dict[str, Any] = httpx.get(
            f"{self.seller.url}/v1/music/generations/{job_id}", headers=headers, timeout=60
        ).json()
        return found


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    homes = [tmp_path / name for name in ("seller", "neighbour")]
    for home in homes:
        home.mkdir()
    neighbour = TuttiServer(homes[1])
    seller = TuttiServer(homes[0], NEIGHBOUR_KEY=neighbour.demo["keys"]["funded"])
    seller.demo  # noqa: B018 - writes the data before the server starts
    written = tmp_path / "offer.yaml"
    written.write_text(offer(neighbour.url))
    seller.manage("catalog", "apply", str(written))
    try:
        neighbour.start()
        seller.start()
        yield Street(seller, neighbour)
    finally:
        seller.close()
        neighbour.close()


def test_song_is_bought_next_door_over_every_wire(street: Street) -> None:
    jobs = {name: street.order(name) for name in WIRES}

    street.seller.wait_for_states({"succeeded": len(WIRES)}, within_seconds=400)
    songs = {name: street.job(job_id) for name, job_id in jobs.items()}

    for name, song in songs.items():
        assert play(httpx.get(song["audio"], timeout=60).content).seconds > 1, name
        assert song["usage"]["micro_credits"] == PRICE_MICRO, name
    charged = "sorted(Job.objects.values_list('model', 'charged_micro'))"
    assert street.neighbour.ask_database(charged) == sorted([wire.model, wire.asked_micro] for wire in WIRES.values())
    assert_known_by_reference(street)
    for server in (street.seller, street.neighbour):
        assert server.manage("reconcile") == f"The books balance: {len(WIRES)} jobs, no disagreement.\n"


def assert_known_by_reference(street: Street) -> None:
    """The neighbour would know each order again: it is ordered once, whatever breaks in between."""
    references = street.seller.ask_database(
        "sorted(str(one) for one in Attempt.objects.values_list('reference', flat=True))"
    )
    keys = street.neighbour.ask_database("sorted(IdempotencyKey.objects.values_list('key', flat=True))")
    assert (keys, len(keys)) == (references, len(WIRES))
