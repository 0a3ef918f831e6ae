"""What an answer, or none, means for the money: every row of the retry table."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from generation.providers.base import NoHttp, ProviderError
from generation.providers.http import (
    Heard,
    Told,
    call,
    failure,
    retry_after,
    within,
)
from tests.generation.providers.wayside import Said, access, as_json
from tests.ground.outbound.places import HOSTILE, Lines, outbound_over


def heard(status: int, **headers: str) -> Heard:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Heard(status, named, None, lambda text: text.replace("sk-secret", "[redacted]"))


def meaning(error: ProviderError) -> tuple[str, str, bool]:
    return error.code, error.seen, error.retryable


# --- By status alone ----------------------------------------------------------------------------------------------

LATER = ("upstream_error", "not_made", True)
NEVER = ("upstream_error", "not_made", False)
UNKNOWN = ("upstream_error", "unknown", False)


@pytest.mark.parametrize(
    ("status", "meant"),
    [
        *[(status, NEVER) for status in (301, 302, 307, 400, 401, 402, 403, 404, 405, 413, 422)],
        (429, LATER),
        *[(status, UNKNOWN) for status in (200, 204, 408, 409, 500, 502, 503, 504, 520)],
    ],
)
def test_status_without_words_means(status: int, meant: tuple[str, str, bool]) -> None:
    assert meaning(failure(heard(status), None)) == meant


def test_unavailable_with_a_time_to_come_back_is_known() -> None:
    error = failure(heard(503, retry_after="7"), None)

    assert (meaning(error), error.retry_after) == (LATER, 7.0)


# --- By the documented error body ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        (Told("content"), ("content_policy", "not_made", False)),
        (Told("order"), NEVER),
        (Told("ours"), NEVER),
        (Told("busy"), LATER),
        (Told("broken"), LATER),
    ],
)
@pytest.mark.parametrize("status", [200, 500, 502])
def test_documented_error_is_known_whatever_its_status(status: int, told: Told, meant: tuple[str, str, bool]) -> None:
    assert meaning(failure(heard(status), told)) == meant


def test_word_nobody_knows_leaves_the_meaning_to_the_status() -> None:
    assert meaning(failure(heard(401), Told(None, "who are you"))) == NEVER
    assert meaning(failure(heard(429), Told(None, "slowly"))) == LATER
    assert meaning(failure(heard(200), Told(None, "no"))) == LATER


@pytest.mark.parametrize("status", [408, 409, 500, 504])
def test_words_of_a_gateway_tell_nothing_of_the_song_behind_it(status: int) -> None:
    assert meaning(failure(heard(status), Told(None, "upstream request timed out"))) == UNKNOWN


def test_field_at_fault_is_told_on() -> None:
    assert failure(heard(200), Told("content", param="audio")).param == "audio"
    assert failure(heard(200), Told("content")).param is None


def test_text_no_database_keeps_is_cut_from_an_upstreams_words() -> None:
    assert "It said: not so" in str(failure(heard(400), Told("order", "not\x00 so\ud800")))


def test_only_what_the_customer_can_mend_is_quoted_to_them() -> None:
    words = "lyrics\nare   too long, says sk-secret " + "x" * 300

    order, ours = failure(heard(400), Told("order", words)), failure(heard(401), Told("ours", words))

    assert "It said: lyrics are too long, says [redacted] xxx" in order.message
    assert len(order.message) < 300
    assert "lyrics" not in ours.message


# --- Retry-After --------------------------------------------------------------------------------------------------

NOW = datetime(2026, 6, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 1.5 ", 1.5),
        ("-3", 0.0),
        ("999999", 3600.0),
        ("Thu, 04 Jun 2026 12:00:30 GMT", 30.0),
        ("Thu, 04 Jun 2026 11:00:00 GMT", 0.0),
        ("Thu, 04 Jun 2026 14:00:30 +0200", 30.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("Thu, 99 Jun 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_read_as(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, NOW) == seconds


# --- Calls --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("broken", "meant"),
    [
        (PermissionError("not public"), NEVER),
        (ConnectionError("nobody"), LATER),
        (EOFError("cut"), UNKNOWN),
        (OverflowError("long"), UNKNOWN),
    ],
)
async def test_broken_call_means(broken: Exception, meant: tuple[str, str, bool]) -> None:
    upstream, _ = access(broken)

    with pytest.raises(ProviderError) as failed:
        await call(upstream, "POST", "/songs", headers={}, fields={})

    assert meaning(failed.value) == meant


async def test_call_is_sent_as_json_below_the_base_address() -> None:
    upstream, way = access(as_json({"a": 1}, 201, x="y"), base_url="https://up.example/api/")

    answer = await call(upstream, "POST", "/songs", headers={"X": "1"}, fields={"b": "ü"}, query={"q": "a b&c"})

    [sent] = way.sent
    assert (answer.status, answer.json, answer.headers) == (201, {"a": 1}, {"x": "y"})
    assert (sent.method, sent.url, sent.body) == ("POST", "https://up.example/api/songs?q=a+b%26c", {"b": "ü"})
    assert sent.headers == {"Accept": "application/json", "Content-Type": "application/json", "X": "1"}
    assert sent.options == {"connect_seconds": 10, "deadline_seconds": 60.0, "max_bytes": 32 * 1024 * 1024}


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000, b'{"a":'])
async def test_body_that_is_no_json_is_heard_as_none(body: bytes) -> None:
    upstream, _ = access(Said(200, body))

    answer = await call(upstream, "GET", "/songs", headers={})

    assert (answer.json, answer.fields) == (None, {})


async def test_provider_without_a_way_out_calls_nobody() -> None:
    upstream, _ = access(as_json({}), http=NoHttp())

    with pytest.raises(ProviderError) as failed:
        await call(upstream, "GET", "/", headers={})
    with pytest.raises(PermissionError):
        NoHttp().open("GET", "https://up.example")

    assert meaning(failed.value) == NEVER


@pytest.mark.parametrize("url", HOSTILE)
async def test_upstream_at_a_hostile_address_is_not_called(url: str, settings: Settings) -> None:
    settings.TUTTI_PRIVATE_UPSTREAMS = False
    lines = Lines()
    way_out = outbound_over(lines)
    upstream, _ = access(base_url=url, http=way_out)

    with pytest.raises(ProviderError) as failed:
        await call(upstream, "POST", "/v1/songs", headers={}, fields={})
    await way_out.close()

    assert (failed.value.seen, lines.called) == ("not_made", [])


# --- Time ---------------------------------------------------------------------------------------------------------


async def test_time_that_runs_out_leaves_the_fate_unknown() -> None:
    with pytest.raises(ProviderError) as failed:
        async with within(0.01):
            await asyncio.Event().wait()

    assert meaning(failed.value) == UNKNOWN


async def test_timeout_from_within_is_not_the_deadline() -> None:
    with pytest.raises(TimeoutError):
        async with within(5):
            raise TimeoutError
