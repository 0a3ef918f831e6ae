"""How every provider speaks HTTP: send, read JSON, and tell what a failure means.

What a failure means decides about money, so it is decided here for all:

- nothing was sent, or the upstream says by status or by its documented error body that it made no song: known;
- anything else after the request was sent (silence, a cut body, a page instead of JSON, a bare 5xx): unknown, never
  ordered again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import chain, repeat
from typing import Any, Final, Literal
from urllib.parse import urlencode

from generation.providers.base import Blame, ProviderError, UpstreamAccess
from generation.providers.multipart import Form
from generation.providers.untrusted import host_of, read_json, storable

logger = logging.getLogger("tutti.upstreams")

JSON_BYTES: Final = 32 * 1024 * 1024
CALL_SECONDS: Final = 60.0
"""For a call that only asks."""
FIRST_PAUSES_SECONDS: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
LONGEST_PAUSE_SECONDS: Final = 30.0
LONGEST_RETRY_AFTER: Final = 3600.0
LONGEST_QUOTED: Final = 200

OK, ACCEPTED, REDIRECTS, BAD_REQUEST, SERVER_ERROR = 200, 202, 300, 400, 500
NOT_FOUND, REQUEST_TIMEOUT, CONFLICT, TOO_MANY_REQUESTS, UNAVAILABLE = 404, 408, 409, 429, 503
ABOUT_ACCOUNTS: Final = frozenset({401, 402, 403, TOO_MANY_REQUESTS})
OURS_TO_MEND: Final = frozenset({401, 402, 403, NOT_FOUND, 405})

Kind = Literal["content", "order", "ours", "busy", "broken"]
"""What an upstream's refusal is about: the content, another field of the order, something we have to mend at the
upstream (key, credits, model), its load, or its own failure."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    code: str
    message: str
    retryable: bool = False


_MEANINGS: Final[dict[Kind, _Meaning]] = {
    "content": _Meaning("content_policy", "The model does not make songs of this content. Nothing was charged."),
    "order": _Meaning("upstream_error", "The model's upstream did not take the order. Nothing was charged."),
    "ours": _Meaning(
        "upstream_error", "The model's upstream does not serve us at the moment. We were told; nothing was charged."
    ),
    "busy": _Meaning(
        "upstream_error", "The model takes no more songs at the moment. Nothing was charged.", retryable=True
    ),
    "broken": _Meaning(
        "upstream_error", "The model's upstream failed to make the song. Nothing was charged.", retryable=True
    ),
}
NOT_REACHED: Final = "The model's upstream was not reached. Nothing was charged."
UNKNOWN: Final = "The model's upstream broke off without telling whether it made the song. Nothing was charged."
TOO_LATE: Final = "The model's upstream did not answer in time. Nothing was charged."


@dataclass(frozen=True, slots=True)
class Told:
    """What an upstream's documented error says, in our words: it made no song.

    `kind` None leaves it to the HTTP status what the refusal is about; `message` is the upstream's own. `param` is
    the field of the song request at fault, `audio` for what was made of it.
    """

    kind: Kind | None
    message: str = ""
    param: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer with its JSON; `json` is None where there is none to read. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    json: Any
    redacted: Callable[[str], str] = field(compare=False, repr=False)

    @property
    def fields(self) -> Mapping[str, Any]:
        """The JSON object that came; empty where another thing came."""
        return self.json if isinstance(self.json, dict) else {}


# --- Calls --------------------------------------------------------------------------------------------------------


async def call(
    upstream: UpstreamAccess,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str],
    fields: Mapping[str, Any] | None = None,
    form: Form | None = None,
    query: Mapping[str, str] | None = None,
    deadline_seconds: float = CALL_SECONDS,
) -> Heard:
    """Send `fields` as JSON, or a form, and hear the answer.

    Raises ProviderError: not made if nothing was sent, else unknown.
    """
    url, given, body = written(upstream, path, headers, fields, query)
    if form is not None:
        body, content_type = form.encoded()
        given = {**given, "Content-Type": content_type}
    with failures_to(url):
        answer = await upstream.http.send(
            method,
            url,
            headers=given,
            body=body,
            connect_seconds=upstream.connect_seconds,
            deadline_seconds=deadline_seconds,
            max_bytes=JSON_BYTES,
        )
    return Heard(answer.status, answer.headers, read_json(answer.body), answer.redacted)


def known_by(upstream: UpstreamAccess) -> dict[str, str]:
    """The header by which a Tutti knows an order again; to anyone else it says nothing."""
    return {"Idempotency-Key": upstream.reference}


def written(
    upstream: UpstreamAccess,
    path: str,
    headers: Mapping[str, str],
    fields: Mapping[str, Any] | None,
    query: Mapping[str, str] | None = None,
) -> tuple[str, Mapping[str, str], bytes | None]:
    """The address, the headers and the body of a call."""
    url = f"{upstream.base_url.rstrip('/')}{path}" + (f"?{urlencode(query)}" if query else "")
    given = {"Accept": "application/json", **headers}
    if fields is None:
        return url, given, None
    return url, {**given, "Content-Type": "application/json"}, json.dumps(fields, ensure_ascii=False).encode()


@contextmanager
def failures_to(url: str) -> Iterator[None]:
    """What a call means that broke before its answer was there. Raises ProviderError."""
    try:
        yield
    except PermissionError as refused:
        logger.error("A call to %s was refused on our side: %s", host_of(url), refused)  # noqa: TRY400
        raise ProviderError("upstream_error", _MEANINGS["ours"].message, seen="not_made") from None
    except ConnectionError as unreached:
        logger.warning("%s", unreached)
        raise ProviderError("upstream_error", NOT_REACHED, seen="not_made", retryable=True) from None
    except (EOFError, OverflowError) as lost:
        logger.warning("%s", lost)
        raise unknown() from None


def unknown() -> ProviderError:
    """The request was sent and nobody knows what became of it."""
    return ProviderError("upstream_error", UNKNOWN, seen="unknown")


def failure(heard: Heard, told: Told | None) -> ProviderError:
    """What an answer without a song means. `told`: what the upstream's documented error body says, if it has one."""
    kind = _kind(heard, told)
    _log(heard, kind, told)
    if kind is None:
        return unknown()
    meaning = _MEANINGS[kind]
    quoted = _quoted(heard, told) if kind == "order" and told else ""
    return ProviderError(
        meaning.code,
        f"{meaning.message} It said: {quoted}" if quoted else meaning.message,
        seen="not_made",
        retryable=meaning.retryable,
        retry_after=retry_after(heard.headers) if meaning.retryable else None,
        param=told.param if told else None,
        blame=_blame(kind, heard.status),
    )


def _blame(kind: Kind, status: int) -> Blame:
    if kind in ("content", "order"):
        return "order"
    # A path or a model that is not there is one mapping's, not the whole account's.
    is_account = kind == "ours" and (status in ABOUT_ACCOUNTS or status < REDIRECTS)
    return "account" if is_account else "upstream"


def _kind(heard: Heard, told: Told | None) -> Kind | None:
    if told is None:
        return _kind_by_status(heard)
    by_status = told.kind or _kind_by_status(heard)
    if by_status is None and heard.status < REDIRECTS:
        return "broken"
    # A gateway's own words, with a 5xx say, tell nothing of the song behind it.
    return by_status


def _kind_by_status(heard: Heard) -> Kind | None:
    """None: the status alone does not tell whether a song was made."""
    status = heard.status
    if status == TOO_MANY_REQUESTS or (status == UNAVAILABLE and retry_after(heard.headers) is not None):
        return "busy"
    if status in OURS_TO_MEND or REDIRECTS <= status < BAD_REQUEST:
        return "ours"
    if BAD_REQUEST <= status < SERVER_ERROR and status not in (REQUEST_TIMEOUT, CONFLICT):
        return "order"
    return None


def _log(heard: Heard, kind: Kind | None, told: Told | None) -> None:
    level = logging.ERROR if kind == "ours" else logging.WARNING
    said = _quoted(heard, told)
    logger.log(level, "An upstream gave no song (%s, HTTP %s): %s", kind or "unknown", heard.status, said)


def _quoted(heard: Heard, told: Told | None) -> str:
    """The upstream's own words, fit to be shown: on one line, short, without our secrets."""
    words = " ".join(storable(heard.redacted(told.message if told else "")).split())
    return words if len(words) <= LONGEST_QUOTED else f"{words[:LONGEST_QUOTED]}…"


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """The seconds an upstream asks us to wait, from a number or a date; None where it asks for nothing readable."""
    text = headers.get("retry-after", "").strip()
    seconds = _as_number(text)
    if seconds is None:
        seconds = _until(text, now or datetime.now(UTC))
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _until(text: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()


# --- Time ---------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Bound everything a call to an upstream needs. Raises ProviderError: its fate is not known then."""
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise ProviderError("upstream_error", TOO_LATE, seen="unknown") from None


def pauses() -> Iterator[float]:
    """Growing pauses in seconds, for what is asked again until the deadline."""
    return chain(FIRST_PAUSES_SECONDS, repeat(LONGEST_PAUSE_SECONDS))
