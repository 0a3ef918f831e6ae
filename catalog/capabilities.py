"""What a model can convey and which lengths it accepts: the meaning of the JSON columns of an `Llm`.

Both are read strictly: a name that is not listed here, or a value of another type, is an error that names it, so a
typing mistake in an offer never turns into a silent default.
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, get_args

Need = Literal["none", "optional", "required"]
Conveyed = Literal["none", "wish", "exact"]
"""`wish`: said in the text of the order; the model may or may not follow, and nobody judges the result by it."""
Instrumental = Literal["none", "wish", "exact", "always"]
Timings = Literal["none", "lines", "words"]
Streaming = Literal["refused", "after", "live"]
SamplingName = Literal["top_k", "top_p", "temperature", "cfg_coef"]
ReferenceName = Literal["reference", "vocal", "melody"]

OURS: Final = frozenset({"prompt", "title", "takes", "format", "sample_rate", "bitrate", "channels", "watermark"})
"""Fields every model takes: transcoding, marking and counting are done by us where an upstream does not."""


class BadValue(ValueError):
    """A capability or a limit that cannot be read; `name` is the key at fault."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def code_points(text: str) -> int:
    """The length of a text as limits count it: Unicode code points after NFC."""
    return len(unicodedata.normalize("NFC", text))


@dataclass(frozen=True, slots=True)
class Bounds:
    """The smallest and the largest value that is accepted, both included. JSON: `[minimum, maximum]`."""

    minimum: float
    maximum: float

    def __str__(self) -> str:
        return f"{self.minimum:g}-{self.maximum:g}"

    def allows(self, value: float) -> bool:
        return self.minimum <= value <= self.maximum

    def as_json(self) -> list[float]:
        return [self.minimum, self.maximum]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an order for this model may hold. Names and meanings follow the canonical song request."""

    prompt: Need = "required"
    lyrics: Need = "none"
    """`required` is met by `instrumental` or `lyrics_optimizer` too, where the model has them."""
    instrumental: Instrumental = "none"
    lyrics_optimizer: bool = False
    """Writes lyrics from the prompt when none are given."""
    duration: Conveyed = "none"
    seed: bool = False
    sampling: tuple[SamplingName, ...] = ()
    enhance: bool = False
    references: tuple[ReferenceName, ...] = ()
    extend: bool = False
    timings: Timings = "none"
    """The finest timing of the lyrics the model gives."""
    watermark: Literal["native", "added"] = "added"
    """Whether the upstream sets the audible mark itself; otherwise we add it."""
    streaming: Streaming = "after"
    """`live`: can be heard while it is made; `after`: a stream brings it once it is whole; `refused`: no streams."""
    stereo: bool = True
    """Makes two channels itself; a mono model is delivered in two by copying."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read the column; raises `BadValue` naming an unknown key or a value of another kind."""
        return cls(**_read(data, _CAPABILITY_READERS))

    def as_json(self) -> dict[str, Any]:
        return {name: _plain(value) for name, value in _values(self).items()}

    def conveys(self, field: str) -> Conveyed:
        """How a field of the song request reaches this model.

        `field` is a field of the song request, or a name inside its sampling or references. Raises KeyError for a
        name that is neither.
        """
        if field in OURS:
            return "exact"
        if field in get_args(SamplingName):
            return _exact(field in self.sampling)
        if field in get_args(ReferenceName):
            return _exact(field in self.references)
        return self._conveyed_alone()[field]

    def within(self, ceiling: Self) -> Self:
        """What is left of this row where no more than `ceiling` can be carried to whoever makes the song.

        Either may ask for lyrics or a prompt; a model without a voice is one whatever carries the order.
        """
        return dataclasses.replace(
            self,
            prompt=_need(self.prompt, ceiling.prompt),
            lyrics=_need(self.lyrics, ceiling.lyrics),
            instrumental=_instrumental(self.instrumental, ceiling.instrumental),
            lyrics_optimizer=self.lyrics_optimizer and ceiling.lyrics_optimizer,
            duration=least(self.duration, ceiling.duration),
            seed=self.seed and ceiling.seed,
            sampling=tuple(name for name in self.sampling if name in ceiling.sampling),
            enhance=self.enhance and ceiling.enhance,
            references=tuple(name for name in self.references if name in ceiling.references),
            extend=self.extend and ceiling.extend,
            timings=min(self.timings, ceiling.timings, key=get_args(Timings).index),
            streaming=min(self.streaming, ceiling.streaming, key=get_args(Streaming).index),
            stereo=self.stereo and ceiling.stereo,
        )

    def _conveyed_alone(self) -> dict[str, Conveyed]:
        return {
            "lyrics": _exact(self.lyrics != "none"),
            "instrumental": "exact" if self.instrumental == "always" else self.instrumental,
            "duration_seconds": self.duration,
            "seed": _exact(self.seed),
            "stereo": _exact(self.stereo),
            "enhance": _exact(self.enhance),
            "extend": _exact(self.extend),
            "partial_audio": _STREAMED[self.streaming],
            "write_lyrics": _exact(self.lyrics_optimizer),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Lengths a model accepts: texts in code points after NFC (see `code_points`), durations in seconds."""

    prompt: Bounds = Bounds(0, 2000)
    lyrics: Bounds = Bounds(1, 3500)
    duration_seconds: Bounds = Bounds(1, 300)
    default_duration_seconds: float | None = None
    """The length of a song when none was asked; None: the model decides, up to `max_seconds`."""
    max_seconds: float = 600
    """The longest song it makes: what a price per second is held for when the length is not known before."""
    takes_max: int = 1
    promises_length: bool = False
    """The length that was asked is kept, so a take of another length is a bad one."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read the column; raises `BadValue` naming an unknown key or a value of another kind."""
        return cls(**_read(data, _LIMIT_READERS))

    def as_json(self) -> dict[str, Any]:
        return {name: _plain(value) for name, value in _values(self).items()}


def without_defaults(row: Capabilities | Limits) -> dict[str, Any]:
    """The JSON of a row without what it would say anyway: for reading by people."""
    plain = type(row)().as_json()
    return {name: value for name, value in row.as_json().items() if value != plain[name]}


def least(one: Conveyed, other: Conveyed) -> Conveyed:
    """The lesser of two: none, wish, exact."""
    return min(one, other, key=get_args(Conveyed).index)


def _need(one: Need, other: Need) -> Need:
    if "none" in (one, other):
        return "none"
    return "required" if "required" in (one, other) else "optional"


def _instrumental(one: Instrumental, other: Instrumental) -> Instrumental:
    if one == "always" or other == "always":
        return "always"
    return least(one, other)


def _exact(is_conveyed: bool) -> Conveyed:
    return "exact" if is_conveyed else "none"


def _values(row: Capabilities | Limits) -> dict[str, Any]:
    return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}


def _plain(value: Any) -> Any:
    if isinstance(value, Bounds):
        return value.as_json()
    return list(value) if isinstance(value, tuple) else value


_STREAMED: Final[dict[Streaming, Conveyed]] = {"refused": "none", "after": "wish", "live": "exact"}

Reader = Callable[[str, Any], Any]


def _read(data: Mapping[str, Any], readers: Mapping[str, Reader]) -> dict[str, Any]:
    for name in data:
        if name not in readers:
            raise BadValue(str(name), f"unknown key {name!r}; known are {', '.join(sorted(readers))}")
    return {name: readers[name](name, value) for name, value in data.items()}


def _truth(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadValue(name, f"{name} must be true or false")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _seconds(name: str, value: Any) -> float:
    if not _is_number(value) or value <= 0:
        raise BadValue(name, f"{name} must be a number of seconds above 0")
    return float(value)


def _seconds_or_none(name: str, value: Any) -> float | None:
    return None if value is None else _seconds(name, value)


def _count(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise BadValue(name, f"{name} must be a whole number from 1")
    return value


def _bounds(name: str, value: Any) -> Bounds:
    is_pair = isinstance(value, list | tuple) and len(value) == 2 and all(_is_number(one) for one in value)  # noqa: PLR2004
    if not is_pair or not 0 <= value[0] <= value[1]:
        raise BadValue(name, f"{name} must be [minimum, maximum] with 0 <= minimum <= maximum")
    return Bounds(*value)


def _one_of(choices: Any) -> Reader:
    words = get_args(choices)

    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise BadValue(name, f"{name} must be one of {', '.join(words)}")
        return value

    return read


def _some_of(choices: Any) -> Reader:
    words = get_args(choices)

    def read(name: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or any(one not in words for one in value):
            raise BadValue(name, f"{name} must be a list out of {', '.join(words)}")
        return tuple(word for word in words if word in value)

    return read


_CAPABILITY_READERS: Final[dict[str, Reader]] = {
    "prompt": _one_of(Need),
    "lyrics": _one_of(Need),
    "instrumental": _one_of(Instrumental),
    "lyrics_optimizer": _truth,
    "duration": _one_of(Conveyed),
    "seed": _truth,
    "sampling": _some_of(SamplingName),
    "enhance": _truth,
    "references": _some_of(ReferenceName),
    "extend": _truth,
    "timings": _one_of(Timings),
    "watermark": _one_of(Literal["native", "added"]),
    "streaming": _one_of(Streaming),
    "stereo": _truth,
}
_LIMIT_READERS: Final[dict[str, Reader]] = {
    "prompt": _bounds,
    "lyrics": _bounds,
    "duration_seconds": _bounds,
    "default_duration_seconds": _seconds_or_none,
    "max_seconds": _seconds,
    "takes_max": _count,
    "promises_length": _truth,
}
