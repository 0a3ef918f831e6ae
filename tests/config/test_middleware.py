from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings

from config.handler import PooledASGIHandler
from config.logs import current_request_id
from config.threads import WebThreads
from tests.config.asgi_client import call


@pytest.fixture
def handler(settings: Settings, tmp_path: Path) -> PooledASGIHandler:
    settings.STATIC_ROOT = tmp_path
    (tmp_path / "note.txt").write_text("la la la")
    settings.ROOT_URLCONF = "tests.config.pages"
    settings.MIDDLEWARE = ["config.middleware.RequestIdMiddleware", "config.middleware.StaticFilesMiddleware"]
    return PooledASGIHandler(WebThreads(1))


async def test_every_answer_carries_its_own_request_id(handler: PooledASGIHandler) -> None:
    ids = [(await call(handler, path)).headers["x-request-id"] for path in ("/answers", "/nothing", "/static/note.txt")]

    assert all(re.fullmatch("req_[0-9a-f]{24}", request_id) for request_id in ids)
    assert len(set(ids)) == 3


async def test_views_and_log_lines_know_the_request_id(
    handler: PooledASGIHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.extend([request.request_id, current_request_id.get()])  # type: ignore[attr-defined]
        return HttpResponse()

    monkeypatch.setattr("tests.config.pages.urlpatterns", [path("seen", view)])
    answer = await call(handler, "/seen")

    assert seen == [answer.headers["x-request-id"]] * 2


async def test_log_names_the_route_and_never_the_query(
    handler: PooledASGIHandler, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "tutti.access"):
        await call(handler, "/answers", query=b"key=tt_live_secret")

    (line,) = [record.getMessage() for record in caplog.records if record.name == "tutti.access"]
    assert re.fullmatch(r"GET answers 200 \d+ ms", line)


async def test_static_file_is_served_whole_without_a_warning(handler: PooledASGIHandler) -> None:
    answer = await call(handler, "/static/note.txt")

    assert (answer.status, answer.body) == (200, b"la la la")
    assert answer.headers["content-type"] == 'text/plain; charset="utf-8"'
    assert answer.headers["content-length"] == "8"


async def test_range_and_unchanged_file_are_answered_as_such(handler: PooledASGIHandler) -> None:
    whole = await call(handler, "/static/note.txt")
    part = await call(handler, "/static/note.txt", headers={b"range": b"bytes=3-4"})
    unchanged = await call(handler, "/static/note.txt", headers={b"if-none-match": whole.headers["etag"].encode()})

    assert (part.status, part.body) == (206, b"la")
    assert (unchanged.status, unchanged.body) == (304, b"")


async def test_what_is_no_file_is_left_to_the_views(handler: PooledASGIHandler) -> None:
    assert (await call(handler, "/answers")).status == 200
    assert (await call(handler, "/static/absent.txt")).status == 404


def test_files_of_apps_are_served_without_collecting_them(client: Client) -> None:
    answer = client.get("/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css")

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/css")


def test_answers_carry_the_security_headers(client: Client) -> None:
    answer = client.get("/healthz")

    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"


def test_other_origins_get_no_leave_by_default(client: Client) -> None:
    answer = client.get("/healthz", headers={"origin": "https://elsewhere.example"})

    assert "Access-Control-Allow-Origin" not in answer


def test_named_origin_gets_leave_without_credentials(client: Client, settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://player.example"]

    answer = client.options(
        "/healthz", headers={"origin": "https://player.example", "access-control-request-method": "GET"}
    )

    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == "https://player.example"
    assert "Access-Control-Allow-Credentials" not in answer
