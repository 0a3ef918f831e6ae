from __future__ import annotations

import asyncio

import pytest
from pytest_django import Settings

from generation.providers.base import ProviderError
from generation.providers.downloads import download, is_link, is_page
from tests.generation.providers.wayside import Said, access
from tests.ground.outbound.places import ANSWER, HOSTILE, PUBLIC, Lines, outbound_over, redirect_to

LINK = "https://files.example/song.mp3?sig=1"
SONG = Said(200, b"ID3\x04 a song")


async def test_song_is_fetched_without_our_key() -> None:
    upstream, way = access(SONG)

    assert await download(upstream, LINK) == SONG.body

    [sent] = way.sent
    assert (sent.method, sent.url, sent.headers) == ("GET", LINK, {})
    assert (sent.options["redirects"], sent.options["max_bytes"]) == (3, 100 * 1024 * 1024)


@pytest.mark.parametrize(
    "stumble",
    [
        ConnectionError(),
        EOFError(),
        Said(404),
        Said(429, headers={"retry-after": "0"}),
        Said(500),
        Said(206, b"half"),
        Said(200, b""),
        Said(200, b"\n <!doctype html><title>Just a moment</title>", {"content-type": "audio/mpeg"}),
        Said(200, b'\xef\xbb\xbf{"error": "not yet"}'),
    ],
)
async def test_failed_download_is_tried_again_for_the_song_exists(stumble: Said | Exception) -> None:
    upstream, way = access(stumble, stumble, SONG)

    assert await download(upstream, LINK) == SONG.body
    assert len(way.sent) == 3


@pytest.mark.parametrize("never", [PermissionError(), OverflowError()])
async def test_link_that_can_never_be_followed_leaves_the_bill_open(never: Exception) -> None:
    upstream, way = access(never)

    with pytest.raises(ProviderError) as failed:
        await download(upstream, LINK)

    assert (failed.value.code, failed.value.seen, len(way.sent)) == ("upstream_error", "unknown", 1)


async def test_download_goes_on_until_the_callers_deadline() -> None:
    upstream, way = access(Said(503))

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(download(upstream, LINK), 0.1)

    assert len(way.sent) > 5


@pytest.mark.parametrize("body", [b"RIFF", b"ID3", b"\xff\xfb", b"fLaC", b"OggS", b"\0\0\0 ftyp", b"", b"\x89PNG"])
def test_bytes_are_trusted_unless_they_are_text(body: bytes) -> None:
    assert not is_page(body)


def test_link_is_told_from_hex() -> None:
    assert [is_link(text) for text in ("https://a", "HTTP://a", "494433", "ftp://a", "")] == [True, True] + [False] * 3


@pytest.mark.parametrize("url", HOSTILE)
async def test_result_at_a_hostile_address_is_not_fetched(url: str, settings: Settings) -> None:
    settings.TUTTI_PRIVATE_UPSTREAMS = False
    lines = Lines()
    way_out = outbound_over(lines)
    upstream, _ = access(http=way_out)

    with pytest.raises((ProviderError, TimeoutError)):
        await asyncio.wait_for(download(upstream, url), 0.05)
    await way_out.close()

    assert lines.called == []


async def test_result_that_is_redirected_inwards_is_not_fetched(settings: Settings) -> None:
    settings.TUTTI_PRIVATE_UPSTREAMS = False
    lines = Lines(redirect_to("http://169.254.169.254/"), ANSWER)
    way_out = outbound_over(lines)
    upstream, _ = access(http=way_out)

    with pytest.raises(ProviderError):
        await download(upstream, "http://public.example/song.mp3")
    await way_out.close()

    assert lines.called == [(PUBLIC, 80)]
