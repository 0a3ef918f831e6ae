"""The two envelopes of the wire `mureka`: where its calls go, and how an answer says yes or no.

- MaaS (shape empty or `maas`): `/v1/ai/{endpoint}/mureka/…`; the endpoint is the model; every answer lies in
  `{"code", "data", "code_msg", "trace_id"}`, of which `code` 0 is success.
- official (shape `official`): `/v1/…`; the body names the model; an answer is the object itself, an error is
  `{"error": {"message"}, "trace_id"}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import quote

from generation.providers import http
from generation.providers.base import UpstreamAccess
from generation.providers.http import Heard, Kind, Told

OFFICIAL: Final = "official"
BAD_GATEWAY, GATEWAY_TIMEOUT = 502, 504
OF_A_GATEWAY: Final = frozenset({BAD_GATEWAY, GATEWAY_TIMEOUT})
"""Said by whoever stands in front of the service: it does not know what became of the order behind it."""

_CONTENT: Final = ("content policy", "sensitive", "moderation", "prohibited", "inappropriate", "违规", "敏感", "审核")
_CREDITS: Final = ("quota", "balance", "billing", "credit", "余额", "额度", "欠费")


class Envelope(Protocol):
    """One of the two ways to speak the wire."""

    def path(self, call: str) -> str:
        """The path of a call, such as `song/generate`."""

    def model(self) -> str | None:
        """What the body of an order names as the model; None where the path tells."""

    def milliseconds(self, value: int) -> int | str:
        """A moment in a body."""

    def data(self, heard: Heard) -> Mapping[str, Any]:
        """What a successful answer holds; empty for any other."""

    def told(self, heard: Heard) -> Told | None:
        """What the documented error says; None where there is none."""


@dataclass(frozen=True, slots=True)
class Maas:
    """Satisfies `Envelope`."""

    upstream: UpstreamAccess

    def path(self, call: str) -> str:
        return f"/v1/ai/{quote(self.upstream.endpoint, safe='')}/mureka/{call}"

    def model(self) -> str | None:
        return None

    def milliseconds(self, value: int) -> int | str:
        return str(value)

    def data(self, heard: Heard) -> Mapping[str, Any]:
        data = heard.fields.get("data")
        if heard.status != http.OK or heard.fields.get("code", 0) != 0:
            return {}
        # An upload is answered without the envelope.
        return data if isinstance(data, dict) else {} if "code" in heard.fields else heard.fields

    def told(self, heard: Heard) -> Told | None:
        code, message = heard.fields.get("code"), heard.fields.get("code_msg")
        if isinstance(code, bool) or not isinstance(code, int) or code == 0:
            return None
        return _told(code if http.BAD_REQUEST <= code < 600 else heard.status, _text(message))  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Official:
    """Satisfies `Envelope`."""

    upstream: UpstreamAccess

    def path(self, call: str) -> str:
        return f"/v1/{call}"

    def model(self) -> str | None:
        return self.upstream.model

    def milliseconds(self, value: int) -> int | str:
        return value

    def data(self, heard: Heard) -> Mapping[str, Any]:
        return heard.fields if heard.status == http.OK and not heard.fields.get("error") else {}

    def told(self, heard: Heard) -> Told | None:
        error = heard.fields.get("error")
        return _told(heard.status, _text(error.get("message"))) if isinstance(error, dict) else None


def envelope_of(upstream: UpstreamAccess) -> Envelope:
    """How this upstream is spoken to."""
    return Official(upstream) if upstream.shape == OFFICIAL else Maas(upstream)


def kind_of_reason(reason: str) -> Kind | None:
    """What a refusal is about, where its words leave no doubt."""
    words = reason.casefold()
    return "content" if any(word in words for word in _CONTENT) else None


def _told(status: int, message: str) -> Told | None:
    return None if status in OF_A_GATEWAY else Told(_kind(status, message), message)


def _kind(status: int, message: str) -> Kind | None:
    """None: the HTTP status decides."""
    if status >= http.SERVER_ERROR:
        return "broken"
    if status == http.TOO_MANY_REQUESTS:
        return "ours" if any(word in message.casefold() for word in _CREDITS) else "busy"
    if status in http.OURS_TO_MEND:
        return "ours"
    return kind_of_reason(message) or ("order" if status >= http.BAD_REQUEST else None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
