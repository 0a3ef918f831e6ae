from __future__ import annotations

from typing import Any

import pytest

from catalog.capabilities import BadValue, Bounds, Capabilities, Limits, Need, Streaming, code_points, without_defaults


def test_capabilities_of_nothing_are_the_defaults() -> None:
    assert Capabilities.from_json({}) == Capabilities()


def test_capabilities_read_back_are_the_same() -> None:
    written = Capabilities(
        prompt="optional",
        lyrics="required",
        instrumental="wish",
        duration="exact",
        sampling=("top_k", "temperature"),
        references=("melody",),
        timings="words",
        stereo=False,
    )

    assert Capabilities.from_json(written.as_json()) == written


def test_limits_read_back_are_the_same() -> None:
    written = Limits(prompt=Bounds(10, 2000), default_duration_seconds=30.0, takes_max=3, promises_length=True)

    assert Limits.from_json(written.as_json()) == written


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        ({"lyrik": "required"}, "lyrik", "unknown key 'lyrik'; known are duration, enhance, extend"),
        ({"lyrics": "maybe"}, "lyrics", "lyrics must be one of none, optional, required"),
        ({"lyrics": ["none"]}, "lyrics", "lyrics must be one of none, optional, required"),
        ({"seed": 1}, "seed", "seed must be true or false"),
        ({"sampling": "top_k"}, "sampling", "sampling must be a list out of top_k, top_p, temperature, cfg_coef"),
        ({"references": ["tune"]}, "references", "references must be a list out of reference, vocal, melody"),
    ],
)
def test_capability_that_cannot_be_read_is_named(data: dict[str, Any], name: str, message: str) -> None:
    with pytest.raises(BadValue) as caught:
        Capabilities.from_json(data)

    assert caught.value.name == name
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"takes": 2}, "unknown key 'takes'"),
        ({"prompt": [10]}, "prompt must be [minimum, maximum]"),
        ({"prompt": [20, 10]}, "prompt must be [minimum, maximum]"),
        ({"prompt": [-1, 10]}, "prompt must be [minimum, maximum]"),
        ({"prompt": [True, 10]}, "prompt must be [minimum, maximum]"),
        ({"takes_max": 0}, "takes_max must be a whole number from 1"),
        ({"takes_max": 1.5}, "takes_max must be a whole number from 1"),
        ({"takes_max": True}, "takes_max must be a whole number from 1"),
        ({"max_seconds": 0}, "max_seconds must be a number of seconds above 0"),
        ({"max_seconds": None}, "max_seconds must be a number of seconds above 0"),
        ({"promises_length": "yes"}, "promises_length must be true or false"),
    ],
)
def test_limit_that_cannot_be_read_is_named(data: dict[str, Any], message: str) -> None:
    with pytest.raises(BadValue) as caught:
        Limits.from_json(data)

    assert str(caught.value).startswith(message)


def test_bounds_include_both_ends() -> None:
    bounds = Bounds(10, 2000)

    assert [bounds.allows(length) for length in (9, 10, 2000, 2001)] == [False, True, True, False]
    assert str(bounds) == "10-2000"


def test_code_points_are_counted_after_composition() -> None:
    assert code_points("e\u0301") == 1
    assert code_points("青春🎵") == 3


@pytest.mark.parametrize(
    ("capabilities", "field", "conveyed"),
    [
        (Capabilities(lyrics="none"), "lyrics", "none"),
        (Capabilities(lyrics="optional"), "lyrics", "exact"),
        (Capabilities(instrumental="always"), "instrumental", "exact"),
        (Capabilities(instrumental="wish"), "instrumental", "wish"),
        (Capabilities(duration="wish"), "duration_seconds", "wish"),
        (Capabilities(duration="exact"), "duration_seconds", "exact"),
        (Capabilities(sampling=("top_k",)), "top_k", "exact"),
        (Capabilities(sampling=("top_k",)), "top_p", "none"),
        (Capabilities(references=("melody",)), "melody", "exact"),
        (Capabilities(references=("melody",)), "vocal", "none"),
        (Capabilities(streaming="live"), "partial_audio", "exact"),
        (Capabilities(), "partial_audio", "wish"),
        (Capabilities(streaming="refused"), "partial_audio", "none"),
        (Capabilities(lyrics_optimizer=True), "write_lyrics", "exact"),
        (Capabilities(), "seed", "none"),
        (Capabilities(), "extend", "none"),
        (Capabilities(), "enhance", "none"),
        (Capabilities(), "bitrate", "exact"),
        (Capabilities(), "watermark", "exact"),
    ],
)
def test_conveys_says_how_a_field_reaches_the_model(capabilities: Capabilities, field: str, conveyed: str) -> None:
    assert capabilities.conveys(field) == conveyed


def test_conveys_a_name_that_is_no_field_is_an_error() -> None:
    with pytest.raises(KeyError):
        Capabilities().conveys("tempo")


def test_without_defaults_says_only_what_differs() -> None:
    assert without_defaults(Capabilities(lyrics="required", seed=True)) == {"lyrics": "required", "seed": True}
    assert without_defaults(Limits(takes_max=3)) == {"takes_max": 3}


# --- Below a ceiling ----------------------------------------------------------------------------------------------


def test_row_below_a_ceiling_keeps_what_both_carry() -> None:
    row = Capabilities(
        lyrics="optional", instrumental="exact", duration="exact", seed=True, sampling=("top_k", "top_p"), extend=True
    )
    ceiling = Capabilities(prompt="optional", lyrics="required", duration="wish", seed=True, sampling=("top_p",))

    assert row.within(ceiling) == Capabilities(lyrics="required", duration="wish", seed=True, sampling=("top_p",))


@pytest.mark.parametrize(
    ("row", "ceiling", "left"),
    [
        ("none", "required", "none"),
        ("required", "none", "none"),
        ("required", "optional", "required"),
        ("optional", "required", "required"),
        ("optional", "optional", "optional"),
    ],
)
def test_lyrics_below_a_ceiling_are_needed_where_either_needs_them(row: Need, ceiling: Need, left: Need) -> None:
    assert Capabilities(lyrics=row).within(Capabilities(lyrics=ceiling)).lyrics == left


def test_model_without_a_voice_has_none_whatever_carries_its_order() -> None:
    assert Capabilities(instrumental="always").within(Capabilities()).instrumental == "always"
    assert Capabilities().within(Capabilities(instrumental="always")).instrumental == "always"
    assert Capabilities(instrumental="exact").within(Capabilities(instrumental="wish")).instrumental == "wish"


@pytest.mark.parametrize(
    ("row", "ceiling", "left"),
    [("live", "after", "after"), ("refused", "live", "refused"), ("live", "live", "live")],
)
def test_streams_below_a_ceiling_are_the_lesser(row: Streaming, ceiling: Streaming, left: Streaming) -> None:
    assert Capabilities(streaming=row).within(Capabilities(streaming=ceiling)).streaming == left
