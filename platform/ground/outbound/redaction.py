"""Secrets taken out of what is logged or told: by the name of the header that carries them, and by their value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, quote

REDACTED: Final = "[redacted]"
SHORTEST_SECRET: Final = 4
"""A shorter value hides nothing, and taking it out would leave holes in every sentence."""

SENSITIVE_HEADERS: Final = frozenset(
    {"authorization", "proxy-authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie", "set-cookie"}
)
SENSITIVE_PARAMETERS: Final = frozenset(
    {"key", "api_key", "apikey", "token", "access_token", "secret", "sig", "signature", "x-amz-signature"}
)
_NAMED: Final = re.compile(
    r"""(?P<name>(?:{names})["']?\s*[:=]\s*["']?)(?:(?:bearer|basic)\s+)?[^\s"',;&]+""".format(
        names="|".join(sorted(SENSITIVE_HEADERS))
    ),
    re.IGNORECASE,
)
_BEARER: Final = re.compile(r"\b(bearer)\s+[\w.~+/=-]{4,}", re.IGNORECASE)


def secrets_in(headers: Mapping[str, str], query: str = "") -> tuple[str, ...]:
    """The secret values of a call, the longest first; a scheme before them (`Bearer`) is no part of the secret."""
    named = (value for name, value in headers.items() if name.lower() in SENSITIVE_HEADERS)
    asked = (value for name, value in parse_qsl(query) if name.lower() in SENSITIVE_PARAMETERS)
    values = {spelling for value in (*named, *asked) for spelling in _spellings(value)}
    return tuple(sorted(values, key=len, reverse=True))


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without these values, and without whatever stands behind the name of a sensitive header."""
    for secret in secrets:
        text = text.replace(secret, REDACTED)
    text = _NAMED.sub(rf"\g<name>{REDACTED}", text)
    return _BEARER.sub(rf"\1 {REDACTED}", text)


def without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that may go to another origin."""
    return {name: value for name, value in headers.items() if name.lower() not in SENSITIVE_HEADERS}


def _spellings(value: str) -> Iterator[str]:
    for secret in (value.strip(), value.strip().rpartition(" ")[2]):
        if len(secret) >= SHORTEST_SECRET:
            yield secret
            yield quote(secret, safe="")
