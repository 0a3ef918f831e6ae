"""The demo offer sells what it says, with the limits its models document."""

from __future__ import annotations

from pathlib import Path

import pytest

import catalog
from accounts.models import Organization
from catalog.capabilities import Bounds, Capabilities, Limits
from catalog.models import Llm, LlmCatalog, LlmMapping
from catalog.services.apply_offer import apply_offer
from catalog.services.lookup import find_offer

DEMO = Path(catalog.__file__).parent / "offers" / "demo.yaml"


@pytest.fixture(autouse=True)
def _demo(platform: Organization) -> None:
    apply_offer(file=DEMO)


def model(name: str) -> tuple[Capabilities, Limits]:
    llm = Llm.objects.get(public_name=name)
    return Capabilities.from_json(llm.capabilities), Limits.from_json(llm.limits)


def test_demo_applied_twice_changes_nothing() -> None:
    assert apply_offer(file=DEMO) == []


def test_demo_sells_every_kind_of_model(customer: Organization) -> None:
    sold = LlmMapping.objects.filter(catalog="music_gen").values_list("llm__public_name", flat=True)

    assert sorted(sold) == [
        "MaaS_Lyria_3_pro_preview",
        "MaaS_Mureka_o2",
        "MaaS_Mureka_v7.6",
        "music-1.5",
        "music-2.0",
        "music-2.5",
        "music-2.6",
        "music-2.6-free",
        "music-3.0",
        "music-3.0-free",
        "musicgen-small",
        "rehearsal",
    ]
    assert sorted(LlmCatalog.objects.values_list("pk", flat=True)) == ["lyrics", "music_extend", "music_gen"]


def test_demo_runs_on_rehearsal_and_says_so() -> None:
    assert set(LlmMapping.objects.values_list("upstream__provider", flat=True)) == {"rehearsal"}
    assert [llm.public_name for llm in Llm.objects.all() if not llm.description.startswith("Rehearsal ")] == []


@pytest.mark.parametrize(
    ("name", "prompt", "prompt_bounds", "lyrics_bounds"),
    [
        ("music-1.5", "required", Bounds(10, 2000), Bounds(10, 3500)),
        ("music-2.0", "required", Bounds(10, 2000), Bounds(10, 3500)),
        ("music-2.5", "optional", Bounds(0, 2000), Bounds(1, 3500)),
        ("music-2.6", "optional", Bounds(0, 2000), Bounds(1, 3500)),
        ("music-2.6-free", "optional", Bounds(0, 2000), Bounds(1, 3500)),
        ("music-3.0", "optional", Bounds(0, 2000), Bounds(1, 3500)),
        ("music-3.0-free", "optional", Bounds(0, 2000), Bounds(1, 3500)),
    ],
)
def test_minimax_models_have_their_documented_limits(
    name: str, prompt: str, prompt_bounds: Bounds, lyrics_bounds: Bounds
) -> None:
    capabilities, limits = model(name)

    assert (capabilities.prompt, capabilities.lyrics) == (prompt, "required")
    assert (limits.prompt, limits.lyrics) == (prompt_bounds, lyrics_bounds)
    assert capabilities.conveys("duration_seconds") == "none"


@pytest.mark.parametrize(("name", "has"), [("music-2.0", False), ("music-2.5", False), ("music-2.6", True)])
def test_minimax_plays_without_lyrics_from_2_6_on(name: str, has: bool) -> None:
    capabilities, _ = model(name)

    assert (capabilities.instrumental == "exact", capabilities.lyrics_optimizer) == (has, has)


def test_mureka_needs_lyrics_and_decides_its_length() -> None:
    capabilities, limits = model("MaaS_Mureka_v7.6")

    assert (capabilities.lyrics, capabilities.duration, capabilities.extend) == ("required", "none", True)
    assert (limits.prompt, limits.takes_max) == (Bounds(0, 1024), 3)
    assert (capabilities.timings, capabilities.references) == ("words", ("reference", "vocal", "melody"))


def test_lyria_takes_a_length_as_a_wish() -> None:
    capabilities, limits = model("MaaS_Lyria_3_pro_preview")

    assert (capabilities.prompt, capabilities.lyrics) == ("optional", "optional")
    assert (capabilities.duration, capabilities.instrumental) == ("wish", "wish")
    assert not limits.promises_length


def test_musicgen_keeps_its_length_and_may_not_be_sold_on() -> None:
    capabilities, limits = model("musicgen-small")
    llm = Llm.objects.get(public_name="musicgen-small")

    assert (capabilities.lyrics, capabilities.instrumental, capabilities.duration) == ("none", "always", "exact")
    assert (limits.duration_seconds, limits.default_duration_seconds) == (Bounds(1, 60), 30)
    assert limits.promises_length
    assert (llm.licence, llm.commercial_use) == ("CC-BY-NC-4.0", False)


def test_rehearsal_takes_what_the_composer_can_play() -> None:
    capabilities, limits = model("rehearsal")

    fields = ["lyrics", "instrumental", "duration_seconds", "seed", "temperature", "reference", "vocal", "melody"]
    assert {field: capabilities.conveys(field) for field in [*fields, "extend", "partial_audio", "write_lyrics"]} == (
        dict.fromkeys([*fields, "extend", "partial_audio", "write_lyrics"], "exact")
    )
    assert limits.duration_seconds == Bounds(1, 300)


@pytest.mark.parametrize(("wire", "name"), [("mureka", "MaaS_Mureka_v7.6"), ("musicgen", "musicgen-small")])
def test_wire_without_a_model_means_its_default(customer: Organization, wire: str, name: str) -> None:
    offer = find_offer(organization=customer, catalog="music_gen", model="auto", wire=wire)

    assert offer.llm.public_name == name


def test_free_models_cost_nothing() -> None:
    free = LlmMapping.objects.filter(llm__public_name__endswith="-free")

    assert [price.amount_micro for one in free for price in one.sale_prices.prices.all()] == [0, 0]
