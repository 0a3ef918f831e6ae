"""The documented fields of every wire that is served, and which of their values ask for nothing.

A field of any of these wires that would change the result is conveyed or refused by name, never dropped; a name that
none of them documents is ignored, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from generation.contract import Refusal
from generation.dialects.reading import Fields

NOTHING: Final[tuple[Any, ...]] = (None, "", (), [], {})

VOCABULARY: Final[dict[str, tuple[Any, ...]]] = {
    # openai_music
    "model": (),
    "catelogid": (),
    "prompt": (),
    "lyrics": (),
    "output_format": ("url",),
    "audio_setting": (),
    "transno": (),
    "n": (1,),
    "duration": (),
    "instrumental": (False,),
    "seed": (),
    "title": (),
    "watermark": (False,),
    "stream": (False,),
    "webhook": (),
    # lyria and chat
    "contents": (),
    "generationConfig": (),
    "messages": (),
    "modalities": (),
    "audio": (),
    # musicgen
    "description": (),
    "mbd": (False,),
    "top_k": (250,),
    "top_p": (0.0,),
    "temperature": (1.0,),
    "cfg_coef": (3.0,),
    "stereo": (False,),
    # minimax
    "aigc_watermark": (False,),
    "is_instrumental": (False,),
    "lyrics_optimizer": (False,),
    "mode": ("write_full_song",),
    # mureka
    "reference_id": (),
    "vocal_id": (),
    "melody_id": (),
    "instrumental_id": (),
    "song_id": (),
    "upload_audio_id": (),
    "extend_at": (),
}
"""Name -> the documented defaults of the wire that has it: an order that says them asks for nothing."""

INSIDE: Final[dict[str, tuple[Any, ...]]] = {
    # audio_setting
    "format": (),
    "sample_rate": (),
    "bitrate": (),
    "channel": (),
    # generationConfig
    "responseModalities": (),
    "candidateCount": (1,),
    "topK": (250,),
    "topP": (0.0, 1.0),
}
"""The same for the fields that the wires document inside objects."""

LONGEST_HEADER: Final = 1000
ELSEWHERE: Final = "The parameter {name} belongs to another API and cannot be conveyed here. Leave it out."


def is_asked(body: Mapping[str, Any], name: str) -> bool:
    """True when the body holds the field with a value that is not null, not empty and not the documented default."""
    value = body.get(name)
    return not _is_one_of(value, NOTHING) and not _is_one_of(value, VOCABULARY.get(name, ()))


def asked(body: Mapping[str, Any]) -> Iterator[str]:
    """The documented fields this body asks something with, in the order of the vocabulary."""
    return (name for name in VOCABULARY if is_asked(body, name))


def refuse_unconveyed(body: Mapping[str, Any], conveyed: Collection[str], why: Mapping[str, str] | None = None) -> None:
    """Raises Refusal for the first documented field that is asked and that this wire does not convey.

    `why` holds sentences of the wire's own, by field; `{name}` in them becomes the name.
    """
    for name in asked(body):
        if name not in conveyed:
            sentence = (why or {}).get(name, ELSEWHERE)
            raise Refusal("unsupported_parameter", sentence.format(name=name), param=name)


def unknown(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The names no wire documents."""
    return tuple(name for name in body if name not in VOCABULARY)


def unread(fields: Fields, read: Collection[str], why: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The names inside an object that this wire does not read there, each with its place.

    Raises Refusal for the first documented one among them that is asked; `why` is that of `refuse_unconveyed`.
    """
    names = [name for name in fields.body if name not in read]
    documented = VOCABULARY | INSIDE
    for name in names:
        if name in documented and not _is_one_of(fields.body[name], (*NOTHING, *documented[name])):
            path, sentence = fields.path_of(name), (why or {}).get(name, ELSEWHERE)
            raise Refusal("unsupported_parameter", sentence.format(name=path), param=path)
    return tuple(map(fields.path_of, names))


def as_header(names: Collection[str]) -> str:
    """Names as one header value; what a header cannot carry is percent-encoded, a long list is cut at a name."""
    listed = ""
    for name in names:
        longer = f"{listed}, {quote(name, safe='._-[]', errors='replace')}".removeprefix(", ")
        if len(longer) > LONGEST_HEADER:
            return f"{listed}, ...".removeprefix(", ")
        listed = longer
    return listed


def _is_one_of(value: Any, values: Collection[Any]) -> bool:
    """Equality that keeps true apart from 1, as JSON does."""
    return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in values)
