"""Which orders a price row is for.

A row's filters name properties of the order; all of them must match, none means every order:

- `format`: a format or a list of formats
- `takes`: a number of takes, or `[minimum, maximum]`, both included
- `duration_seconds`: a band `[above, up to]`; a song of exactly 30 s is in `[0, 30]`, not in `[30, 60]`. The length is
  the one that is quoted: the ordered one, else the longest the model may make.
- `instrumental`: true or false
- `upstream`: the slug of the upstream that makes the song
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from catalog.capabilities import BadValue

FORMATS: Final = ("mp3", "wav", "flac", "opus", "m4a", "pcm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What of an order its price may depend on."""

    takes: int
    duration_seconds: float
    format: str
    instrumental: bool
    upstream: str


def matches(filters: Mapping[str, Any], ordered: Ordered) -> bool:
    return all(_MATCHERS[name](value, ordered) for name, value in filters.items())


def read_filters(data: Mapping[str, Any]) -> dict[str, Any]:
    """The filters, checked; raises BadValue naming an unknown name or a value no order could match."""
    for name, value in data.items():
        if name not in _CHECKS:
            raise BadValue(str(name), f"unknown filter {name!r}; known are {', '.join(sorted(_CHECKS))}")
        is_good, expected = _CHECKS[name]
        if not is_good(value):
            raise BadValue(name, f"{name} must be {expected}")
    return dict(data)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_pair(value: Any, is_one: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(is_one, value)) and value[0] <= value[1]  # noqa: PLR2004


def _is_format(value: Any) -> bool:
    formats = value if isinstance(value, list) else [value]
    return bool(formats) and all(one in FORMATS for one in formats)


_CHECKS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "format": (_is_format, f"one or several of {', '.join(FORMATS)}"),
    "takes": (lambda value: _is_whole(value) or _is_pair(value, _is_whole), "a number or [minimum, maximum]"),
    "duration_seconds": (lambda value: _is_pair(value, _is_number), "[above, up to] in seconds"),
    "instrumental": (lambda value: isinstance(value, bool), "true or false"),
    "upstream": (lambda value: isinstance(value, str) and value != "", "the slug of an upstream"),
}


def _matches_format(value: Any, ordered: Ordered) -> bool:
    return ordered.format in (value if isinstance(value, list) else [value])


def _matches_takes(value: Any, ordered: Ordered) -> bool:
    fewest, most = value if isinstance(value, list) else (value, value)
    return bool(fewest <= ordered.takes <= most)


def _matches_duration(value: Any, ordered: Ordered) -> bool:
    return bool(value[0] < ordered.duration_seconds <= value[1])


_MATCHERS: Final[dict[str, Callable[[Any, Ordered], bool]]] = {
    "format": _matches_format,
    "takes": _matches_takes,
    "duration_seconds": _matches_duration,
    "instrumental": lambda value, ordered: value is ordered.instrumental,
    "upstream": lambda value, ordered: value == ordered.upstream,
}
