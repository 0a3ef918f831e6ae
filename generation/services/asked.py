"""What an order asks of a model, and the lengths it must keep to."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Final

from catalog.capabilities import Bounds, Capabilities, Limits, code_points
from catalog.models import LlmMapping
from generation.contract import Order, Refusal, SongRequest

EXTEND: Final = "extend"


def asked_of(song: SongRequest) -> list[str]:
    """The fields that hold something other than the default: sampling and references by their own names."""
    plain = SongRequest()
    asked = [
        field.name
        for field in dataclasses.fields(song)
        if field.name not in ("sampling", "references") and getattr(song, field.name) != getattr(plain, field.name)
    ]
    for group in (song.sampling, song.references):
        asked += [field.name for field in dataclasses.fields(group) if getattr(group, field.name) is not None]
    return asked


def refuse_without_source(order: Order, mapping: LlmMapping) -> None:
    """A continuation needs the song it continues."""
    if mapping.operation == EXTEND and order.song.extend is None:
        raise _missing(order, "extend")


def lacks(song: SongRequest, capabilities: Capabilities) -> str | None:
    """The text that the model needs and this order does not hold: `lyrics` or `prompt`."""
    plays_without = song.instrumental and capabilities.instrumental != "none"
    if capabilities.lyrics == "required" and not (song.lyrics or plays_without or song.write_lyrics):
        return "lyrics"
    return "prompt" if capabilities.prompt == "required" and not song.prompt else None


def with_words(order: Order, capabilities: Capabilities) -> SongRequest:
    """The order with its lyrics to be written, where the model needs some, has none, and writes its own.

    Raises Refusal for a model that needs a text which nobody gives it.
    """
    song = order.song
    if lacks(song, capabilities) == "lyrics" and capabilities.lyrics_optimizer:
        song = replace(song, write_lyrics=True)
    missing = lacks(song, capabilities)
    if missing is not None:
        raise _missing(order, missing)
    return song


def refuse_beyond_limits(order: Order, limits: Limits) -> None:
    """Texts by code points after NFC, the duration in seconds, the number of takes."""
    song = order.song
    if song.prompt:
        _refuse_outside(order, "prompt", code_points(song.prompt), limits.prompt, "characters")
    if song.lyrics:
        _refuse_outside(order, "lyrics", code_points(song.lyrics), limits.lyrics, "characters")
    if song.duration_seconds is not None:
        _refuse_outside(order, "duration_seconds", song.duration_seconds, limits.duration_seconds, "seconds")
    _refuse_outside(order, "takes", song.takes, Bounds(1, limits.takes_max), "takes")


def _refuse_outside(order: Order, field: str, value: float, bounds: Bounds, unit: str) -> None:
    if not bounds.allows(value):
        name = order.names.get(field, field)
        raise Refusal(
            "invalid_parameter",
            f"'{name}' must be {bounds} {unit} for {order.model}; this one is {value:g}.",
            param=name,
        )


def _missing(order: Order, field: str) -> Refusal:
    name = order.names.get(field, field)
    return Refusal("missing_parameter", f"Missing required parameter: {name}", param=name)
