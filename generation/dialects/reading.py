"""Reading the fields of a JSON body: each reader takes what JSON may hold and gives a sound value, or refuses by name.

An absent field and null read as None.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from generation.contract import Refusal


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object whose fields are read; `place` stands before their names in what is refused."""

    body: Mapping[str, Any]
    place: str = ""

    def required_text(self, name: str) -> None:
        """Raises Refusal when the field is absent, null or the empty string."""
        if self.body.get(name) in (None, ""):
            path = self._path(name)
            raise Refusal("missing_parameter", f"Missing required parameter: {path}", param=path)

    def text(self, name: str, *, longest: int | None = None) -> str | None:
        """A text in NFC without what no database keeps; None for the empty one."""
        value = self.body.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self._invalid(name, "must be a string")
        normal = unicodedata.normalize("NFC", value)
        if "\x00" in normal or any("\ud800" <= character <= "\udfff" for character in normal):
            raise self._invalid(name, "must be Unicode text without NUL characters and lone surrogates")
        if longest is not None and len(normal) > longest:
            raise self._invalid(name, f"must have at most {longest} characters")
        return normal

    def choice(self, name: str, choices: Collection[Any]) -> Any:
        value = self.body.get(name)
        if value is None:
            return None
        if not isinstance(value, str | int) or isinstance(value, bool) or value not in choices:
            raise self._invalid(name, f"must be one of {', '.join(str(choice) for choice in choices)}")
        return value

    def truth(self, name: str) -> bool | None:
        value = self.body.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._invalid(name, "must be true or false")
        return value

    def whole(self, name: str, *, low: int, high: int) -> int | None:
        """A whole number; 15.0 is one, "15" and true are none."""
        value = self.body.get(name)
        if value is None:
            return None
        # A whole number beyond what a float holds compares soundly; infinity and NaN lie between no two bounds.
        if not _is_number(value) or not low <= value <= high or value != int(value):
            raise self._invalid(name, f"must be a whole number from {low} to {high}")
        return int(value)

    def number(self, name: str, *, low: float, high: float) -> float | None:
        """A finite number."""
        value = self.body.get(name)
        if value is None:
            return None
        if not _is_number(value) or not low <= value <= high:
            raise self._invalid(name, f"must be a number from {low:g} to {high:g}")
        return float(value)

    def inside(self, name: str) -> Fields:
        """The fields of an object; none when it is absent."""
        value = self.body.get(name)
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            raise self._invalid(name, "must be an object")
        return Fields(value, f"{self._path(name)}.")

    def _path(self, name: str) -> str:
        return f"{self.place}{name}"

    def _invalid(self, name: str, rule: str) -> Refusal:
        path = self._path(name)
        return Refusal("invalid_parameter", f"Invalid value for parameter {path}: it {rule}.", param=path)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
