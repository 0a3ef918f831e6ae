"""Reading the fields of a JSON body: each reader takes what JSON may hold and gives a sound value, or refuses by name.

An absent field and null read as None.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from generation.contract import Refusal

LONGEST_IN_PATH: Final = 100


@dataclass(frozen=True, slots=True)
class Fields:
    """A JSON object whose fields are read; `place` stands before their names in what is refused."""

    body: Mapping[str, Any]
    place: str = ""

    def required_text(self, name: str) -> None:
        """Raises Refusal when the field is absent, null or the empty string."""
        if self.body.get(name) in (None, ""):
            path = self.path_of(name)
            raise Refusal("missing_parameter", f"Missing required parameter: {path}", param=path)

    def required_value(self, name: str) -> None:
        """Raises Refusal when the field is absent or holds nothing, of whatever kind it should be."""
        if self.body.get(name) in (None, "", [], {}):
            path = self.path_of(name)
            raise Refusal("missing_parameter", f"Missing required parameter: {path}", param=path)

    def text(self, name: str, *, longest: int | None = None) -> str | None:
        """A text in NFC without what no database keeps; None for the empty one."""
        value = self.body.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self.invalid(name, "must be a string")
        normal = unicodedata.normalize("NFC", value)
        if "\x00" in normal or any("\ud800" <= character <= "\udfff" for character in normal):
            raise self.invalid(name, "must be Unicode text without NUL characters and lone surrogates")
        if longest is not None and len(normal) > longest:
            raise self.invalid(name, f"must have at most {longest} characters")
        return normal

    def choice(self, name: str, choices: Collection[Any]) -> Any:
        value = self.body.get(name)
        if value is None:
            return None
        if not isinstance(value, str | int) or isinstance(value, bool) or value not in choices:
            raise self.invalid(name, f"must be one of {', '.join(str(choice) for choice in choices)}")
        return value

    def word(self, name: str, words: Collection[str]) -> str | None:
        """One of some words, in any letter case; given in lower case."""
        value = self.body.get(name)
        lowered: str | None = Fields({name: value.lower() if isinstance(value, str) else value}, self.place).choice(
            name, words
        )
        return lowered

    def truth(self, name: str) -> bool | None:
        value = self.body.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.invalid(name, "must be true or false")
        return value

    def whole(self, name: str, *, low: int, high: int) -> int | None:
        """A whole number; 15.0 is one, "15" and true are none."""
        value = self.body.get(name)
        if value is None:
            return None
        # A whole number beyond what a float holds compares soundly; infinity and NaN lie between no two bounds.
        if not _is_number(value) or not low <= value <= high or value != int(value):
            raise self.invalid(name, f"must be a whole number from {low} to {high}")
        return int(value)

    def number(self, name: str, *, low: float, high: float) -> float | None:
        """A finite number."""
        value = self.body.get(name)
        if value is None:
            return None
        if not _is_number(value) or not low <= value <= high:
            raise self.invalid(name, f"must be a number from {low:g} to {high:g}")
        return float(value)

    def each(self, name: str) -> Iterator[Fields]:
        """The objects of a list; one that stands alone counts as a list of one."""
        value = self.body.get(name)
        if isinstance(value, Mapping):
            value = [value]
        if not isinstance(value, list):
            raise self.invalid(name, "must be a list of objects")
        for place, one in enumerate(value):
            path = f"{self.path_of(name)}[{place}]"
            if not isinstance(one, Mapping):
                raise Refusal(
                    "invalid_parameter", f"Invalid value for parameter {path}: it must be an object.", param=path
                )
            yield Fields(one, f"{path}.")

    def inside(self, name: str) -> Fields:
        """The fields of an object; none when it is absent."""
        value = self.body.get(name)
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            raise self.invalid(name, "must be an object")
        return Fields(value, f"{self.path_of(name)}.")

    def path_of(self, name: str) -> str:
        """The name with its place before it, as refusals say it."""
        return f"{self.place}{name}"

    def invalid(self, name: str, rule: str) -> Refusal:
        """The refusal of a value; `rule` goes on after "it"."""
        path = self.path_of(name)
        return Refusal("invalid_parameter", f"Invalid value for parameter {path}: it {rule}.", param=path)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def in_path(path: Mapping[str, str], name: str, *, missing: str) -> str | None:
    """What the address says; a name no offer could have is a missing one, with that code. Raises Refusal."""
    try:
        return Fields(path).text(name, longest=LONGEST_IN_PATH)
    except Refusal:
        raise Refusal(missing, f"There is no such {name}.") from None
