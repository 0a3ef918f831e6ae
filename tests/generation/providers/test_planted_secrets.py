"""Upstreams that repeat our key wherever they can: it is in no log, in no error, and goes to no other house."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from pytest_django import Settings

from generation.contract import SongRequest
from generation.providers.base import ProviderError
from generation.providers.registry import provider_named
from ground.outbound.client import _trust
from tests.generation.providers.test_hostile_addresses import BASES, GIVING, Giving, said
from tests.generation.providers.wayside import Ear, access
from tests.ground.outbound.places import PUBLIC, Lines, outbound_over

KEY = "sk-planted-0a1b2c3d4e5f"
SAYING = f"Incorrect key {KEY}; you sent 'Authorization: Bearer {KEY}'"

ERRORS: dict[str, Any] = {
    "openai": {"error": {"message": SAYING, "type": KEY, "param": KEY, "code": "invalid_parameter", "id": "j"}},
    "sentence": {"error": SAYING},
    "lyria": {"error": {"code": 400, "message": SAYING, "status": "INVALID_ARGUMENT", "details": [{"reason": KEY}]}},
    "minimax": {"base_resp": {"status_code": 2013, "status_msg": SAYING}, "trace_id": KEY},
    "minimax_unknown": {"base_resp": {"status_code": 7, "status_msg": SAYING}, "data": {"audio": KEY}},
    "maas": {"code": 400, "data": None, "code_msg": SAYING, "trace_id": KEY},
    "official": {"error": {"message": SAYING}, "trace_id": KEY},
    "musicgen": {"error": {"message": SAYING, "code": KEY, "request_id": KEY}},
    "failed_task": {"code": 0, "data": {"taskId": "1", "status": "failed", "failed_reason": SAYING}},
    "failed_flat": {"id": "1", "status": "failed", "failed_reason": SAYING},
    "strange_task": {"code": 0, "data": {"taskId": "1", "status": f"{KEY}\nforged line"}},
    "strange_flat": {"id": "1", "status": f"{KEY}\nforged line"},
    "no_json": SAYING.encode(),
    "page": f"<html>{SAYING}</html>".encode(),
}
STATUSES = (200, 202, 400, 401, 429, 500, 502)


@pytest.fixture(autouse=True)
def _strict(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.TUTTI_PRIVATE_UPSTREAMS = False
    _trust()  # read once, before anybody's short deadline begins
    for name in ("", "tutti", "tutti.outbound", "tutti.upstreams"):
        caplog.set_level(logging.DEBUG, logger=name)


def with_key(answer: bytes) -> bytes:
    """The answer with our key in its headers too."""
    head, _, body = answer.partition(b"\r\n\r\n")
    extra = f"\r\nX-Echo: {KEY}\r\nSet-Cookie: key={KEY}\r\nWWW-Authenticate: Bearer {KEY}\r\nRetry-After: {KEY}"
    return head + extra.encode() + b"\r\n\r\n" + body


async def told(slug: str, shape: str, lines: Lines, song: SongRequest | None = None) -> str:
    """Everything that may be kept or shown of an attempt that went so."""
    outbound = outbound_over(lines)
    upstream, _ = access(
        http=outbound,
        base_url="http://public.example",
        credential=KEY,
        shape=shape,
        endpoint="corner",
        deadline_seconds=0.1,
    )
    lyrics = None if slug == "musicgen_http" else "[Verse]\nla"
    try:
        delivery = await provider_named(slug).make(song or SongRequest(prompt="a song", lyrics=lyrics), upstream, Ear())
        return repr([(take.upstream_id, take.sections) for take in delivery.takes])
    except ProviderError as error:
        return repr((str(error), error.code, error.param, error.args, repr(upstream)))
    finally:
        await outbound.close()


@pytest.mark.parametrize(("slug", "shape"), BASES)
@pytest.mark.parametrize("error", ERRORS)
async def test_key_that_an_upstream_repeats_is_told_nowhere(
    slug: str, shape: str, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    for status in STATUSES:
        lines = Lines(with_key(said(ERRORS[error], status)))

        # Musicgen waits for a service that says it is busy: longer than a test does.
        came = await asyncio.wait_for(told(slug, shape, lines), 5)

        assert KEY not in came
        assert KEY.encode() in lines.streams[0].sent, "the key was sent, so that it could be repeated"
    assert KEY not in caplog.text
    assert "\nforged line" not in caplog.text


@pytest.mark.parametrize(("slug", "shape"), BASES)
async def test_key_in_a_redirect_is_told_nowhere(slug: str, shape: str, caplog: pytest.LogCaptureFixture) -> None:
    location = f"http://{KEY}.example/?key={KEY}".encode()
    lines = Lines(b"HTTP/1.1 307 Go\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n")

    came = await told(slug, shape, lines)

    assert lines.called == [(PUBLIC, 80)]
    assert KEY not in came + caplog.text


@pytest.mark.parametrize("giving", GIVING.values(), ids=GIVING)
async def test_key_goes_to_no_house_of_a_result(giving: Giving, caplog: pytest.LogCaptureFixture) -> None:
    """Neither with the download nor along a redirect of it."""
    answers = giving.answers("http://public.example/song.mp3")
    redirect = b"HTTP/1.1 302 Go\r\nConnection: close\r\nContent-Length: 0\r\nLocation: http://8.8.8.8/x\r\n\r\n"
    lines = Lines(*map(said, answers), redirect, said(b"ID3\x04 a song"))

    await told(giving.slug, giving.shape, lines, giving.song())

    calls, downloads = lines.streams[: len(answers)], lines.streams[len(answers) :]
    assert lines.called == [(PUBLIC, 80)] * (len(answers) + 1) + [("8.8.8.8", 80)]
    assert [KEY.encode() in stream.sent for stream in calls] == [True] * len(answers)
    assert [b"uthorization" in stream.sent or KEY.encode() in stream.sent for stream in downloads] == [False, False]
    assert KEY not in caplog.text


def test_every_answer_repeats_the_key() -> None:
    assert [KEY in (body.decode() if isinstance(body, bytes) else json.dumps(body)) for body in ERRORS.values()] == [
        True
    ] * len(ERRORS)
