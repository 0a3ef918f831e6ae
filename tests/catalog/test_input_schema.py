from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from catalog.capabilities import Bounds, Capabilities, Limits
from catalog.input_schema import describe

MUSICGEN = Capabilities(prompt="required", instrumental="always", duration="exact", seed=True, sampling=("top_k",))
MINIMAX_25 = Capabilities(prompt="optional", lyrics="required")
MINIMAX_26 = Capabilities(prompt="optional", lyrics="required", instrumental="exact", lyrics_optimizer=True)
OFFICIAL = Capabilities(prompt="optional", lyrics="required", instrumental="exact")
ANYTHING = Capabilities(prompt="optional", lyrics="optional")


def accepts(capabilities: Capabilities, limits: Limits | None = None, **order: Any) -> bool:
    schema = describe("aria-1", capabilities, limits or Limits())
    Draft202012Validator.check_schema(schema)
    return bool(Draft202012Validator(schema).is_valid({"model": "aria-1", **order}))


@pytest.mark.parametrize(
    ("capabilities", "order", "is_accepted"),
    [
        (MUSICGEN, {"prompt": "drums"}, True),
        (MUSICGEN, {}, False),
        (MINIMAX_25, {"lyrics": "la"}, True),
        (MINIMAX_25, {"prompt": "pop"}, False),
        (MINIMAX_26, {"prompt": "pop"}, True),
        (MINIMAX_26, {}, False),
        (OFFICIAL, {"prompt": "pop"}, False),
        (OFFICIAL, {"prompt": "pop", "instrumental": True}, True),
        (OFFICIAL, {"prompt": "pop", "instrumental": False}, False),
        (OFFICIAL, {"lyrics": "la"}, True),
        (ANYTHING, {}, False),
        (ANYTHING, {"lyrics": "la"}, True),
        (ANYTHING, {"prompt": "pop"}, True),
    ],
)
def test_schema_demands_what_the_model_needs(
    capabilities: Capabilities, order: dict[str, Any], is_accepted: bool
) -> None:
    assert accepts(capabilities, **order) is is_accepted


def test_schema_keeps_the_limits() -> None:
    limits = Limits(prompt=Bounds(10, 20), duration_seconds=Bounds(1, 60), takes_max=3)

    assert accepts(MUSICGEN, limits, prompt="x" * 10, duration=60, n=3)
    assert not accepts(MUSICGEN, limits, prompt="x" * 9)
    assert not accepts(MUSICGEN, limits, prompt="x" * 21)
    assert not accepts(MUSICGEN, limits, prompt="x" * 10, duration=61)
    assert not accepts(MUSICGEN, limits, prompt="x" * 10, n=4)


def test_schema_counts_code_points_not_bytes() -> None:
    assert accepts(MINIMAX_25, Limits(lyrics=Bounds(1, 3)), lyrics="青春🎵")


def test_schema_lists_only_what_can_be_conveyed() -> None:
    schema = describe("musicgen-small", MUSICGEN, Limits(default_duration_seconds=30.0))

    assert sorted(schema["properties"]) == [
        "audio_setting",
        "duration",
        "instrumental",
        "model",
        "n",
        "prompt",
        "seed",
        "title",
        "top_k",
        "watermark",
    ]
    assert schema["properties"]["duration"]["default"] == 30.0


def test_schema_lists_no_references_while_files_cannot_be_handed_over() -> None:
    schema = describe("mureka", Capabilities(references=("reference", "vocal", "melody")), Limits())

    assert sorted(schema["properties"]) == ["audio_setting", "model", "n", "prompt", "title", "watermark"]


def test_schema_says_that_a_duration_is_a_wish() -> None:
    schema = describe("lyria", Capabilities(duration="wish"), Limits())

    assert schema["properties"]["duration"]["description"] == "A wish: said to the model in words."
