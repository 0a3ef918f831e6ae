"""YAML read strictly, with the line of everything: unknown keys, repeated keys and wrong types are errors.

Built on PyYAML's nodes rather than its objects, because only nodes know where they stand, and because a price must
reach us as the digits that were written, never as a float.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Self

import yaml
from django.utils.dateparse import parse_datetime

from billing.money import MICRO, micro

_TAG: Final = "tag:yaml.org,2002:"
_TEXT, _TRUTH, _WHOLE, _NUMBER, _NOTHING = (_TAG + name for name in ("str", "bool", "int", "float", "null"))
_TRUE: Final = ("yes", "true", "on")
_DIGITS: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_DEEPEST: Final = 4
_LARGEST: Final = 2**31 - 1
"""The largest whole number PostgreSQL keeps in an integer column."""
_MOST_CREDITS: Final = Decimal(1_000_000)


class OfferError(Exception):
    """The offer cannot be read or applied; the message begins with the file and the line at fault."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file, self.line, self.message = file, line, message


class Name(str):
    """A text of the file that remembers its line."""

    __slots__ = ("line",)
    line: int

    @classmethod
    def at(cls, text: str, line: int) -> Self:
        name = cls(text)
        name.line = line
        return name


def read_root(text: str, file: str) -> Fields:
    """The top mapping of a YAML document; raises OfferError."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise OfferError(file, line, f"this is not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise OfferError(file, 1, f"this is not YAML: {error}") from None
    if node is None:
        raise OfferError(file, 1, "the file is empty")
    return Fields(node, file, "the file")


class Fields:
    """The keys of one mapping. Each reader takes its key; `done` refuses whatever nobody took."""

    def __init__(self, node: yaml.Node, file: str, what: str) -> None:
        self.file, self.what, self.line = file, what, _line(node)
        if not isinstance(node, yaml.MappingNode):
            raise self.error(f"{what} must be a mapping of names to values")
        self._nodes: dict[str, yaml.Node] = {}
        self._lines: dict[str, int] = {}
        self._taken: set[str] = set()
        for key, value in node.value:
            self._add(key, value)

    def _add(self, key: yaml.Node, value: yaml.Node) -> None:
        if not isinstance(key, yaml.ScalarNode) or key.tag != _TEXT:
            raise self.error(f"a key of {self.what} must be text; write it in quotes", _line(key))
        if key.value in self._nodes:
            raise self.error(f"{key.value!r} is there twice", _line(key))
        self._nodes[key.value], self._lines[key.value] = value, _line(key)

    def __contains__(self, key: str) -> bool:
        return key in self._nodes

    def error(self, message: str, line: int | None = None) -> OfferError:
        return OfferError(self.file, line or self.line, message)

    def line_of(self, key: str) -> int:
        return self._lines.get(key, self.line)

    def done(self) -> None:
        """Raises OfferError for the first key that means nothing here."""
        for key, line in self._lines.items():
            if key not in self._taken:
                known = ", ".join(sorted(self._taken))
                raise self.error(f"unknown key {key!r} in {self.what}; known are {known}", line)

    def name(self, key: str) -> Name:
        """A text that must be there and not empty."""
        node = self._take(key)
        if node is None or (isinstance(node, yaml.ScalarNode) and node.value == ""):
            raise self.error(f"{self.what} needs {key!r}", self.line_of(key))
        return Name.at(self._scalar(key, node, _TEXT, "a text; write it in quotes"), _line(node))

    def optional_name(self, key: str) -> Name | None:
        return self.name(key) if self._is_given(key) else None

    def text(self, key: str, default: str = "", *, longest: int = 500) -> str:
        node = self._take(key)
        text = default if node is None else self._scalar(key, node, _TEXT, "a text; write it in quotes")
        if len(text) > longest:
            raise self.error(f"{key} is longer than {longest} characters", self.line_of(key))
        return text

    def choice(self, key: str, choices: Collection[str], default: str | None = None) -> str:
        value = str(self.name(key)) if default is None else self.text(key, default)
        if value not in choices:
            raise self.error(f"{key} must be one of {', '.join(choices)}", self.line_of(key))
        return value

    def truth(self, key: str, *, default: bool) -> bool:
        node = self._take(key)
        return default if node is None else self._scalar(key, node, _TRUTH, "true or false").lower() in _TRUE

    def whole(self, key: str, default: int, *, least: int = 0) -> int:
        node = self._take(key)
        if node is None:
            return default
        self._scalar(key, node, _WHOLE, "a whole number")
        value = int(self._number(node))
        if value < least:
            raise self.error(f"{key} must be at least {least}", self.line_of(key))
        if value > _LARGEST:
            raise self.error(f"{key} must be at most {_LARGEST}", self.line_of(key))
        return value

    def seconds(self, key: str, default: float) -> float:
        seconds = self.optional_seconds(key)
        return default if seconds is None else seconds

    def optional_seconds(self, key: str) -> float | None:
        if not self._is_given(key):
            return None
        seconds = float(self._decimal(key))
        if seconds <= 0:
            raise self.error(f"{key} must be above 0", self.line_of(key))
        return seconds

    def credits_micro(self, key: str) -> int:
        """An amount in credits, with at most six decimals, as micro-credits."""
        amount = self._decimal(key)
        if not 0 <= amount <= _MOST_CREDITS:
            raise self.error(f"{key} must be from 0 to {_MOST_CREDITS}", self.line_of(key))
        if amount * MICRO != micro(amount):
            raise self.error(f"{key} has more than six decimals", self.line_of(key))
        return micro(amount)

    def moment(self, key: str) -> datetime | None:
        node = self._take(key)
        if node is None:
            return None
        moment = self._parse_moment(node)
        if moment is None or moment.tzinfo is None:
            raise self.error(f"{key} must be a moment with a time zone, such as 2027-01-31T00:00:00Z", _line(node))
        return moment

    def names(self, key: str) -> list[Name]:
        node = self._take(key)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise self.error(f"{key} must be a list of texts", _line(node))
        names = [Name.at(self._scalar(key, one, _TEXT, "a list of texts"), _line(one)) for one in node.value]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise self.error(f"{str(name)!r} is there twice in {key}", name.line)
        return names

    def fields(self, key: str) -> Fields | None:
        """The mapping under a key, as fields of its own."""
        node = self._take(key)
        return None if node is None else Fields(node, self.file, key)

    def entries(self, key: str) -> Iterator[tuple[Name, Fields]]:
        """A mapping of names to mappings."""
        inner = self.fields(key)
        for name, node in inner._nodes.items() if inner else ():  # noqa: SLF001
            yield Name.at(name, inner.line_of(name) if inner else 0), Fields(node, self.file, name)

    def items(self, key: str, what: str) -> list[Fields]:
        """A list of mappings."""
        node = self._take(key)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise self.error(f"{key} must be a list", _line(node))
        return [Fields(one, self.file, what) for one in node.value]

    def plain(self, key: str) -> dict[str, Any]:
        """A mapping as plain values, for readers that check it themselves; numbers with a point become floats."""
        inner = self.fields(key)
        return {} if inner is None else {name: inner._plain(node) for name, node in inner._nodes.items()}  # noqa: SLF001

    def inner_line(self, key: str, name: str) -> int:
        """The line of `name` inside the mapping under `key`."""
        inner = self.fields(key)
        return inner.line_of(name) if inner else self.line

    def _take(self, key: str) -> yaml.Node | None:
        self._taken.add(key)
        return self._nodes.get(key)

    def _is_given(self, key: str) -> bool:
        node = self._take(key)
        return node is not None and node.tag != _NOTHING

    def _scalar(self, key: str, node: yaml.Node, tag: str, wanted: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or node.tag != tag:
            raise self.error(f"{key} must be {wanted}", _line(node))
        return str(node.value)

    def _decimal(self, key: str) -> Decimal:
        node = self._take(key)
        if not isinstance(node, yaml.ScalarNode) or node.tag not in (_WHOLE, _NUMBER):
            raise self.error(f"{key} must be a number", self.line_of(key))
        return self._number(node)

    def _number(self, node: yaml.Node) -> Decimal:
        # YAML also has octal, hexadecimal and base-sixty numbers, infinity and NaN; a price is none of these.
        if not _DIGITS.fullmatch(node.value):
            raise self.error(f"{node.value!r} must be a number in plain digits", _line(node))
        return Decimal(node.value)

    @staticmethod
    def _parse_moment(node: yaml.Node) -> datetime | None:
        try:
            return parse_datetime(node.value) if isinstance(node, yaml.ScalarNode) else None
        except ValueError:
            return None

    def _plain(self, node: yaml.Node, depth: int = 0) -> Any:
        # An anchor may hold itself; nothing an offer says is nested this deeply.
        if depth > _DEEPEST:
            raise self.error("this is nested too deeply", _line(node))
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(one, depth + 1) for one in node.value]
        if isinstance(node, yaml.MappingNode):
            inner = Fields(node, self.file, self.what)
            return {name: inner._plain(one, depth + 1) for name, one in inner._nodes.items()}
        return self._plain_scalar(node)

    def _plain_scalar(self, node: yaml.Node) -> Any:
        match node.tag:
            case tag if tag == _TRUTH:
                return node.value.lower() in _TRUE
            case tag if tag == _NOTHING:
                return None
            case tag if tag == _WHOLE:
                return int(self._number(node))
            case tag if tag == _NUMBER:
                return float(self._number(node))
            case tag if tag == _TEXT:
                return node.value
        raise self.error(f"{node.value!r} is of a kind no offer uses; write it in quotes", _line(node))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
