"""The inputs of a model as JSON Schema, made from what it can convey and the lengths it accepts."""

from __future__ import annotations

from typing import Any, Final

from catalog.capabilities import Bounds, Capabilities, Limits

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_SAMPLING: Final[dict[str, dict[str, Any]]] = {
    "top_k": {"type": "integer", "minimum": 0},
    "top_p": {"type": "number", "minimum": 0, "maximum": 1},
    "temperature": {"type": "number", "minimum": 0},
    "cfg_coef": {"type": "number", "minimum": 0},
}
_AUDIO_SETTING: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "format": {"enum": ["mp3", "wav", "flac", "opus", "m4a", "pcm"]},
        "sample_rate": {"type": "integer", "description": "hertz"},
        "bitrate": {"type": "integer", "description": "bits per second"},
        "channel": {"enum": [1, 2]},
    },
}


def describe(name: str, capabilities: Capabilities, limits: Limits) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of an order's inputs for the model `name`.

    Only what the model can convey is listed; of that, references not before files can be handed over. Texts are
    measured in code points, `duration` in seconds. A wire may demand more than the model does: POST
    /v1/music/generations always needs a prompt.
    """
    return {
        "$schema": DRAFT,
        "title": f"Inputs of {name}",
        "type": "object",
        "properties": {"model": {"const": name}, **_texts(capabilities, limits), **_others(capabilities, limits)},
        "required": ["model", *_always_needed(capabilities)],
        **_needed_together(capabilities),
    }


def describe_text(capabilities: Capabilities, limits: Limits, *, name: str, edits: bool) -> dict[str, Any]:
    """JSON Schema of an order for a text alone, which names no model; `edits`: its call edits texts too.

    Texts are measured in code points.
    """
    texts = {"prompt": _text(limits.prompt)}
    needed = ["prompt"] * (capabilities.prompt == "required")
    editing: dict[str, Any] = {}
    if edits:
        texts |= {"mode": {"enum": ["write_full_song", "edit"]}, "title": {"type": "string"}}
        texts |= {"lyrics": _text(limits.lyrics)}
        needed.append("mode")
        editing = {"if": {"properties": {"mode": {"const": "edit"}}}, "then": {"required": ["lyrics"]}}
    return {
        "$schema": DRAFT,
        "title": f"Inputs of {name}",
        "type": "object",
        "properties": texts,
        "required": needed,
        **editing,
    }


def _texts(capabilities: Capabilities, limits: Limits) -> dict[str, Any]:
    texts = {"prompt": _text(limits.prompt)}
    if capabilities.lyrics != "none":
        texts["lyrics"] = _text(limits.lyrics)
    return texts


def _text(bounds: Bounds) -> dict[str, Any]:
    return {"type": "string", "minLength": int(bounds.minimum), "maxLength": int(bounds.maximum)}


def _others(capabilities: Capabilities, limits: Limits) -> dict[str, Any]:
    offered: dict[str, tuple[bool, dict[str, Any]]] = {
        "instrumental": (capabilities.instrumental != "none", {"type": "boolean"}),
        "lyrics_optimizer": (capabilities.lyrics_optimizer, {"type": "boolean"}),
        "duration": (capabilities.duration != "none", _duration(capabilities, limits)),
        "n": (True, {"type": "integer", "minimum": 1, "maximum": limits.takes_max}),
        "seed": (capabilities.seed, {"type": "integer"}),
        **{sampler: (sampler in capabilities.sampling, schema) for sampler, schema in _SAMPLING.items()},
        "mbd": (capabilities.enhance, {"type": "boolean"}),
        "title": (True, {"type": "string"}),
        "watermark": (True, {"type": "boolean"}),
        "audio_setting": (True, _AUDIO_SETTING),
    }
    return {name: schema for name, (is_offered, schema) in offered.items() if is_offered}


def _duration(capabilities: Capabilities, limits: Limits) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "number",
        "minimum": limits.duration_seconds.minimum,
        "maximum": limits.duration_seconds.maximum,
    }
    if limits.default_duration_seconds is not None:
        schema["default"] = limits.default_duration_seconds
    if capabilities.duration == "wish":
        schema["description"] = "A wish: said to the model in words."
    return schema


def _always_needed(capabilities: Capabilities) -> list[str]:
    return ["prompt"] * (capabilities.prompt == "required") + ["lyrics"] * _insists_on_lyrics(capabilities)


def _insists_on_lyrics(capabilities: Capabilities) -> bool:
    is_way_out = capabilities.lyrics_optimizer or capabilities.instrumental in ("exact", "always")
    return capabilities.lyrics == "required" and not is_way_out


def _needed_together(capabilities: Capabilities) -> dict[str, Any]:
    """A song is made from something: whoever gives no lyrics gives a prompt, and says what to do without lyrics."""
    if _insists_on_lyrics(capabilities) or capabilities.lyrics == "none":
        return {}
    if capabilities.lyrics == "required" and not capabilities.lyrics_optimizer:
        silent = {"required": ["prompt", "instrumental"], "properties": {"instrumental": {"const": True}}}
        return {"anyOf": [{"required": ["lyrics"]}, silent]}
    return {"anyOf": [{"required": ["lyrics"]}, {"required": ["prompt"]}]}
