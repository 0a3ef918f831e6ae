"""Files that callers name by their address: fetched by us from the public internet alone, then taken like any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pytest_django import Settings

from generation.api import uploading
from generation.audio.purposes import MOST_BYTES
from generation.models import Upload
from generation.services import fetch_file
from ground.outbound import Outbound
from tests.generation.shops import Shop
from tests.generation.songs_to_send import song
from tests.ground.outbound.houses import house, says
from tests.ground.outbound.places import HARMLESS, HOSTILE, NAMES, PUBLIC, Lines, Names, outbound_over, redirect_to

FILES = "/v1/files"
LINK = "https://public.example/songs/My%20song.mp3?signed=1"
NOT_AUDIO = "A file for voice must be MP3 or M4A with 5 to 15 seconds of sound."
Told = tuple[int, str | None, str | None, str]


@pytest.fixture(autouse=True)
def _strict(settings: Settings) -> None:
    settings.TUTTI_PRIVATE_UPSTREAMS = False


def said(body: bytes, status: int = 200) -> bytes:
    return f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def going_out(monkeypatch: pytest.MonkeyPatch, outbound: Outbound) -> AsyncIterator[None]:
    monkeypatch.setattr(fetch_file, "OUTBOUND", outbound)
    yield
    await outbound.close()


async def fetched(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, lines: Lines, url: Any = LINK, names: Names | None = None, **more: Any
) -> Any:
    async with going_out(monkeypatch, outbound_over(lines, names)):
        return await shop.post(FILES, {"url": url, "purpose": "voice", **more})


def told(answer: Any) -> Told:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["param"], error["message"]


async def kept(shop: Shop) -> list[Upload]:
    return await shop.behind(lambda: list(Upload.unscoped.all()))


# --- A file that is there -----------------------------------------------------------------------------------------


async def test_file_at_an_address_is_taken_like_one_that_was_sent(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    lines, sent = Lines(said(song("mp3", 6))), song("mp3", 6)

    answer = await fetched(shop, monkeypatch, lines)

    [upload] = await kept(shop)
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "id": str(upload.pk),
            "object": "file",
            "bytes": len(sent),
            "created_at": int(upload.created_at.timestamp()),
            "filename": "My song.mp3",
            "purpose": "voice",
        },
    )
    assert (upload.format, upload.live, upload.organization_id) == ("m4a", True, shop.world.customer.pk)
    assert (await shop.get(f"{FILES}/{upload.pk}")).json() == answer.json()


async def test_no_credential_is_sent_to_the_address(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Lines(said(b"ok"))

    await fetched(shop, monkeypatch, lines)

    [stream] = lines.streams
    request, _, headers = stream.sent.decode().lower().partition("\r\n")
    assert request == "get /songs/my%20song.mp3?signed=1 http/1.1"
    assert {line.partition(":")[0] for line in headers.strip().split("\r\n")} == {
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
        "connection",
    }
    assert shop.secret not in stream.sent.decode()


async def test_file_may_be_named_by_its_sender(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await fetched(shop, monkeypatch, Lines(said(song("mp3", 6))), filename="../../etc/Öl.mp3")

    assert answer.json()["filename"] == "Öl.mp3"


async def test_file_that_is_too_short_is_refused_with_its_rule(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await fetched(shop, monkeypatch, Lines(said(song("mp3", 2))))

    rule = NOT_AUDIO.removesuffix(".")
    assert told(answer) == (400, "invalid_parameter", "url", f"{rule}; this one has 2.0.")
    assert await kept(shop) == []


async def test_redirects_are_followed_up_to_three(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    hops = [redirect_to(f"https://{host}/") for host in ("api.studio.example", "1e100.example", "edge.example")]
    names = Names({**NAMES, **HARMLESS})
    lines = Lines(*hops, said(b"<html>"))

    answer = await fetched(shop, monkeypatch, lines, names=names)
    again = await fetched(shop, monkeypatch, Lines(*hops, hops[0]), names=names)

    hosts = [PUBLIC, "8.8.8.8", "142.250.1.1", "9.255.255.255"]
    assert lines.called == [(host, 443) for host in hosts]
    assert told(answer) == (400, "invalid_parameter", "url", NOT_AUDIO)
    assert told(again)[3] == "The address given as 'url' was answered with HTTP 302."


async def test_harmless_names_are_called_at_the_address_that_was_checked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    came = {}
    for host in HARMLESS:
        lines, names = Lines(said(b"<html>")), Names(HARMLESS)
        answer = await fetched(shop, monkeypatch, lines, f"https://{host}/song.mp3", names)
        came[host] = (told(answer), lines.called, lines.streams[0].tls_name, names.looks)

    refusal = (400, "invalid_parameter", "url", NOT_AUDIO)
    assert came == {host: (refusal, [(HARMLESS[host][0], 443)], host, 1) for host in HARMLESS}


# --- An address that is none of ours to call ----------------------------------------------------------------------

REFUSED = (400, "invalid_parameter", "url", fetch_file.NOT_FETCHED)


async def test_hostile_addresses_are_never_connected_to(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    came = {}
    for url in HOSTILE:
        lines = Lines()
        came[url] = (told(await fetched(shop, monkeypatch, lines, url)), lines.called)

    assert came == {url: (REFUSED, []) for url in HOSTILE}
    assert await kept(shop) == []


async def test_redirects_to_hostile_addresses_are_not_followed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    came = {}
    for url in HOSTILE:
        # No header holds a line break, and an address without a host stays with the house that redirects.
        if "\n" in url or url == "http:///etc/passwd":
            continue
        lines = Lines(redirect_to(url), said(song("mp3", 6)))
        came[url] = (told(await fetched(shop, monkeypatch, lines)), lines.called)

    assert came == dict.fromkeys(came, (REFUSED, [(PUBLIC, 443)]))
    assert len(came) >= 100


async def test_name_that_turns_inward_meanwhile_is_not_followed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names({"rebinding.example": [PUBLIC]}, then={"rebinding.example": ["127.0.0.1"]})
    lines = Lines(redirect_to("http://rebinding.example/again"), said(song("mp3", 6)))

    answer = await fetched(shop, monkeypatch, lines, "https://rebinding.example/", names)

    assert (told(answer), lines.called) == (REFUSED, [(PUBLIC, 443)])


async def test_unknown_name_reads_like_one_of_the_inside(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = await fetched(shop, monkeypatch, Lines(), "http://inside.example/")
    unknown = await fetched(shop, monkeypatch, Lines(), "http://no-such-name.example/")
    dead = await fetched(shop, monkeypatch, Lines(dead=[PUBLIC]))

    assert [told(answer) for answer in (inside, unknown, dead)] == [REFUSED] * 3


# --- An address that gives no file --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [206, 304, 401, 404, 500, 503])
async def test_other_answer_than_200_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    answer = await fetched(shop, monkeypatch, Lines(said(b"", status)))

    message = f"The address given as 'url' was answered with HTTP {status}."
    assert told(answer) == (400, "invalid_parameter", "url", message)


@pytest.mark.parametrize(
    "reply",
    [
        f"HTTP/1.1 200 OK\r\nContent-Length: {MOST_BYTES + 1}\r\n\r\n".encode(),
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * (MOST_BYTES + 1),
    ],
    ids=["said so", "just is"],
)
async def test_file_over_the_limit_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch, reply: bytes) -> None:
    answer = await fetched(shop, monkeypatch, Lines(reply))

    assert told(answer) == (413, "body_too_large", "url", "A file may have at most 20,000,000 bytes.")
    assert await kept(shop) == []


@pytest.mark.parametrize("reply", [b"SSH-2.0\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
async def test_answer_that_breaks_off_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch, reply: bytes) -> None:
    assert told(await fetched(shop, monkeypatch, Lines(reply))) == REFUSED


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        ({}, "url", "Missing required parameter: url"),
        ({"url": LINK}, "purpose", "Missing required parameter: purpose"),
        ({"purpose": "voice"}, "url", "Missing required parameter: url"),
        ({"url": 5, "purpose": "voice"}, "url", "Invalid value for parameter url: it must be a string."),
        ({"url": [LINK], "purpose": "voice"}, "url", "Invalid value for parameter url: it must be a string."),
        (
            {"url": "https://public.example/" + "a" * 2048, "purpose": "voice"},
            "url",
            "Invalid value for parameter url: it must have at most 2048 characters.",
        ),
    ],
)
async def test_body_that_names_no_file_is_refused(shop: Shop, body: Any, param: str, message: str) -> None:
    status, _, named, sentence = told(await shop.post(FILES, body))

    assert (status, named, sentence) == (400, param, message)


async def test_unknown_purpose_is_refused_before_anything_is_fetched(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = Lines()

    answer = await fetched(shop, monkeypatch, lines, purpose="karaoke")

    assert (told(answer)[:3], lines.called) == ((400, "invalid_parameter", "purpose"), [])


async def test_body_that_is_no_object_is_refused(shop: Shop) -> None:
    assert told(await shop.post(FILES, "[]"))[:2] == (400, "malformed_json")


# --- Whoever else is there ----------------------------------------------------------------------------------------


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(500):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came about")


async def test_thread_is_free_while_a_file_is_fetched(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.TUTTI_PRIVATE_UPSTREAMS = True
    monkeypatch.setattr(fetch_file, "FETCH_SECONDS", 0.5)
    async with going_out(monkeypatch, Outbound()), house(says(then_hangs=True)) as there:
        fetching = asyncio.ensure_future(shop.post(FILES, {"url": there.url, "purpose": "voice"}))
        await until(lambda: there.connections == 1)
        # All that is sync shares one thread here: it would wait behind a fetch that held it.
        meanwhile = await shop.get(FILES)
        was_done = fetching.done()
        answer = await fetching

    assert (meanwhile.status_code, was_done) == (200, False)
    assert told(answer) == REFUSED


async def test_one_organization_has_four_fetches_at_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.TUTTI_PRIVATE_UPSTREAMS = True
    monkeypatch.setattr(fetch_file, "FETCH_SECONDS", 0.5)
    async with going_out(monkeypatch, Outbound()), house(says(then_hangs=True)) as there:
        body = {"url": there.url, "purpose": "voice"}
        fetching = [asyncio.ensure_future(shop.post(FILES, body)) for _ in range(4)]
        await until(lambda: there.connections == 4)
        fifth = await shop.post(FILES, body)
        ended = await asyncio.gather(*fetching)

    assert (fifth.status_code, fifth.json()["error"]["code"]) == (429, "concurrency_limit_exceeded")
    assert fifth.headers["Retry-After"] == "10"
    assert [told(answer) for answer in ended] == [REFUSED] * 4
    assert fetch_file._under_way == {}


async def test_all_of_them_have_a_bound(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_file, "MOST_AT_ONCE", 0)

    answer = await fetched(shop, monkeypatch, Lines())

    assert told(answer)[:2] == (503, "busy")


async def test_failure_of_ours_is_worded_and_tells_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*args: Any, **kwargs: Any) -> int:
        raise ZeroDivisionError("a detail of ours")

    monkeypatch.setattr(uploading, "fetch_file", broken)

    answer = await shop.post(FILES, {"url": LINK, "purpose": "voice"})

    assert told(answer)[:2] == (500, "internal_error")
    assert "detail" not in answer.content.decode()
