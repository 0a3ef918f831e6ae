"""What the orders of the wire `mureka` hold, in either envelope: songs, continuations, pieces without a voice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from generation.contract import Extend, Order, References, Refusal, SongRequest
from generation.dialects.digits import id_of
from generation.dialects.reading import Fields, in_path
from generation.dialects.vocabulary import is_asked, refuse_unconveyed, unknown

WIRE: Final = "mureka"
AUTO: Final = "auto"
"""The name by which a client leaves the choice of the model to the wire; leaving it out says the same."""

GENERATE, EXTEND, INSTRUMENTAL = "song/generate", "song/extend", "instrumental/generate"
"""What is ordered: the address says it, as `call`."""

FORMATS: Final = ("mp3", "flac", "wav")
"""Every song is offered in each of these."""
TAKES: Final = 2
"""How many songs an order means that names no number."""
MOST_TAKES: Final = 3
EARLIEST_MS, LATEST_MS = 8_000, 420_000
"""Where a continuation may begin."""
LONGEST_NAME: Final = 100
LONGEST_TEXT: Final = 100_000
LONGEST_TRANSNO: Final = 255
LONGEST_ID: Final = 100

EXCLUSIONS: Final = (
    ("prompt", "reference_id"),
    ("prompt", "vocal_id"),
    ("prompt", "melody_id"),
    ("reference_id", "melody_id"),
    ("vocal_id", "melody_id"),
)
"""Controls that cannot stand in one order; a reference and a vocal can."""

SOURCES: Final = {"song_id": "track", "upload_audio_id": "upload"}
"""What may be continued -> what the song request calls it."""

NAMES: Final = {
    "takes": "n",
    "partial_audio": "stream",
    "reference": "reference_id",
    "vocal": "vocal_id",
    "melody": "melody_id",
    "extend": "song_id",
}
"""How this wire spells the fields of the song request."""

_SHARED: Final = frozenset({"model", "lyrics", "transno"})
_WHY: Final = {
    "instrumental": "The parameter {name} belongs to another API. Order it by POST /v1/instrumental/generate.",
    "is_instrumental": "The parameter {name} belongs to another API. Order it by POST /v1/instrumental/generate.",
    "description": "The parameter {name} belongs to another API. Say it in `prompt`.",
    "audio_setting": "The parameter {name} belongs to another API. Every song comes as mp3, flac and wav.",
    "instrumental_id": "A reference for music without a voice cannot be conveyed. Leave out {name}.",
}


@dataclass(frozen=True, slots=True)
class _Call:
    """One kind of order: the kind of work it is, how its song is read, and which fields it takes."""

    catalog: str
    read: Callable[[Fields], SongRequest]
    conveyed: frozenset[str]
    why: Mapping[str, str] = field(default_factory=lambda: _WHY)


def read_order(body: Mapping[str, Any], path: Mapping[str, str]) -> Order:
    """What is missing, then what is unsound, then what excludes each other, then what is not conveyed.

    Raises Refusal. With an `endpoint` in the address, that decides the model; else the body does, or the wire.
    """
    fields, call = Fields(body), _CALLS[path["call"]]
    song = call.read(fields)
    endpoint = in_path(path, "endpoint", missing="not_found")
    order = Order(
        song=song,
        model=_model(fields),
        catalog=call.catalog,
        wire={"stream": song.partial_audio, "formats": list(FORMATS)},
        names=NAMES | _spelled(body),
        ignored=unknown(body),
        transno=fields.text("transno", longest=LONGEST_TRANSNO),
        endpoint=endpoint,
        wire_default="" if endpoint else WIRE,
    )
    refuse_unconveyed(body, call.conveyed, call.why)
    return order


def _song(fields: Fields) -> SongRequest:
    fields.required_text("lyrics")
    song = SongRequest(
        prompt=fields.text("prompt", longest=LONGEST_TEXT) or "",
        lyrics=fields.text("lyrics", longest=LONGEST_TEXT),
        takes=_takes(fields),
        references=References(
            reference=_id(fields, "reference_id"), vocal=_id(fields, "vocal_id"), melody=_id(fields, "melody_id")
        ),
        partial_audio=fields.truth("stream") or False,
    )
    _refuse_excluded(fields.body)
    return song


def _continuation(fields: Fields) -> SongRequest:
    """One take: the contract of this call knows no number."""
    fields.required_text("lyrics")
    fields.required_text("extend_at")
    return SongRequest(lyrics=fields.text("lyrics", longest=LONGEST_TEXT), extend=_extend(fields))


def _instrumental(fields: Fields) -> SongRequest:
    if not is_asked(fields.body, "instrumental_id"):
        fields.required_text("prompt")
    return SongRequest(
        prompt=fields.text("prompt", longest=LONGEST_TEXT) or "",
        instrumental=True,
        takes=_takes(fields),
        partial_audio=fields.truth("stream") or False,
    )


_CALLS: Final = {
    GENERATE: _Call("music_gen", _song, _SHARED | {"n", "prompt", "reference_id", "vocal_id", "melody_id", "stream"}),
    EXTEND: _Call(
        "music_extend",
        _continuation,
        _SHARED | {"song_id", "upload_audio_id", "extend_at"},
        _WHY | {"n": "A continuation is one song. Leave out {name}."},
    ),
    INSTRUMENTAL: _Call(
        "music_gen",
        _instrumental,
        frozenset({"model", "transno", "n", "prompt", "stream"}),
        _WHY | {"lyrics": "Nobody sings here. Leave out {name}, or order a song by POST /v1/song/generate."},
    ),
}


def _model(fields: Fields) -> str:
    named = fields.text("model", longest=LONGEST_NAME) or ""
    return "" if named == AUTO else named


def _takes(fields: Fields) -> int:
    return fields.whole("n", low=1, high=MOST_TAKES) or TAKES


def _id(fields: Fields, name: str) -> str | None:
    """The id of an upload or a song, which this wire writes in digits. Raises Refusal for what is no id."""
    text = fields.text(name, longest=LONGEST_ID)
    if text is None:
        return None
    found = id_of(text)
    if found is None:
        raise fields.invalid(name, "must be an id as it was given: a string of digits")
    return found


def _extend(fields: Fields) -> Extend:
    asked = [name for name in SOURCES if is_asked(fields.body, name)]
    if not asked:
        either = " or ".join(SOURCES)
        raise Refusal("missing_parameter", f"Missing required parameter: {either}", param=next(iter(SOURCES)))
    if len(asked) > 1:
        raise _excluded(*asked)
    source = {SOURCES[asked[0]]: _id(fields, asked[0])}
    return Extend(at_ms=_milliseconds(fields), **source)


def _milliseconds(fields: Fields) -> int:
    """Digits in a string, as the contract says, or the number they are."""
    value = fields.body["extend_at"]
    is_digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < LONGEST_ID
    read = Fields({"extend_at": int(value) if is_digits else value})
    return read.whole("extend_at", low=EARLIEST_MS, high=LATEST_MS) or EARLIEST_MS


def _refuse_excluded(body: Mapping[str, Any]) -> None:
    for one, other in EXCLUSIONS:
        if is_asked(body, one) and is_asked(body, other):
            raise _excluded(one, other)


def _excluded(one: str, other: str) -> Refusal:
    rule = f"The parameters {one} and {other} exclude each other. Leave out one of them."
    return Refusal("invalid_parameter", rule, param=other)


def _spelled(body: Mapping[str, Any]) -> dict[str, str]:
    """The spelling this order chose, where the wire knows two."""
    return {"extend": "upload_audio_id"} if is_asked(body, "upload_audio_id") else {}
