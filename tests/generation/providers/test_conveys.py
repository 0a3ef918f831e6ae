from __future__ import annotations

import pytest

from catalog.capabilities import Capabilities
from generation.providers.conveys import _CEILINGS, ceiling_of
from generation.providers.registry import _PROVIDERS


def carried(provider: str, shape: str = "") -> Capabilities:
    ceiling = ceiling_of(provider, shape)
    assert ceiling is not None
    return Capabilities.from_json(ceiling)


@pytest.mark.parametrize("name", _CEILINGS)
def test_ceiling_is_written_in_the_words_of_a_models_row(name: str) -> None:
    provider, _, shape = name.partition("/")

    assert carried(provider, shape).prompt != "none"


def test_every_provider_has_a_ceiling() -> None:
    assert [slug for slug in _PROVIDERS if ceiling_of(slug, "") is None] == []


def test_shape_nobody_described_is_the_providers_plain_one() -> None:
    assert ceiling_of("mureka", "maas") == ceiling_of("mureka", "")
    assert ceiling_of("nobody", "") is None


@pytest.mark.parametrize(
    ("field", "carriers"),
    [
        (
            "duration_seconds",
            {"lyria", "musicgen", "musicgen_http", "musicgen_http/tutti", "openai_music/tutti", "rehearsal"},
        ),
        ("seed", {"musicgen", "musicgen_http/tutti", "openai_music/tutti", "rehearsal"}),
        ("extend", {"mureka", "mureka/official", "musicgen", "rehearsal"}),
        ("melody", {"mureka", "mureka/official", "musicgen", "rehearsal"}),
        ("vocal", {"mureka", "mureka/official", "rehearsal"}),
        ("write_lyrics", {"minimax", "openai_music/tutti", "rehearsal"}),
    ],
)
def test_field_is_carried_by_these_alone(field: str, carriers: set[str]) -> None:
    carrying = set()
    for name in _CEILINGS:
        provider, _, shape = name.partition("/")
        if carried(provider, shape).conveys(field) != "none":
            carrying.add(name)

    assert carrying == carriers
