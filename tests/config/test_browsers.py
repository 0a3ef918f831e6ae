"""Pages of other origins: what the server lets them ask, and read, through its own application."""

from __future__ import annotations

import re

import pytest
from pytest_django import Settings

from accounts.api.routes import routes
from config.handler import PooledASGIHandler
from config.threads import WebThreads
from tests.config.asgi_client import Answer, call

ORIGIN = "https://player.example"
PATHS = sorted({re.sub(r"{\w+}", "x", route.path) for route in routes() if route.words})
NEEDED = {
    *("authorization", "content-type", "accept", "x-api-key", "x-goog-api-key"),
    *("idempotency-key", "prefer", "last-event-id", "x-request-id", "range"),
}
READABLE = {
    *("x-request-id", "trace-id", "x-tutti-ignored", "x-tutti-approximated", "x-ai-generated"),
    *("idempotent-replayed", "retry-after", "content-range", "x-should-retry"),
}


@pytest.fixture
def named(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]


async def ask(path: str, *, origin: str = ORIGIN, method: str = "OPTIONS") -> Answer:
    wanted = {
        b"origin": origin.encode(),
        b"access-control-request-method": b"POST",
        b"access-control-request-headers": b"authorization,content-type",
    }
    headers = wanted if method == "OPTIONS" else {b"origin": origin.encode()}
    return await call(PooledASGIHandler(WebThreads(1)), path, method=method, headers=headers)


def words_in(answer: Answer, header: str) -> set[str]:
    return {word.strip() for word in answer.headers.get(header, "").split(",")}


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize("path", PATHS)
async def test_every_route_tells_a_page_what_it_may_send_without_a_key(path: str) -> None:
    answer = await ask(path)

    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert words_in(answer, "access-control-allow-headers") >= NEEDED
    assert words_in(answer, "access-control-allow-methods") >= {"GET", "POST"}
    assert "access-control-allow-credentials" not in answer.headers


def test_routes_of_the_api_are_among_those_asked() -> None:
    assert {"/v1/music/generations", "/v1/music_generation", "/api/v1/generate_music", "/healthz"} <= set(PATHS)


@pytest.mark.usefixtures("named")
async def test_page_may_read_what_the_wires_say_in_headers() -> None:
    answer = await ask("/healthz", method="GET")

    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, ORIGIN)
    assert words_in(answer, "access-control-expose-headers") >= READABLE


@pytest.mark.usefixtures("named")
@pytest.mark.django_db
async def test_page_may_read_why_it_was_refused() -> None:
    answer = await ask("/api/v1/generate_music", method="POST")

    assert (answer.status, answer.headers["access-control-allow-origin"]) == (401, ORIGIN)


@pytest.mark.usefixtures("named")
async def test_page_of_an_origin_that_is_not_named_gets_no_leave() -> None:
    answer = await ask("/api/v1/generate_music", origin="https://elsewhere.example")

    assert "access-control-allow-origin" not in answer.headers


async def test_every_page_gets_leave_where_all_may(settings: Settings) -> None:
    settings.CORS_ALLOW_ALL_ORIGINS = True

    answer = await ask("/api/v1/generate_music")

    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
