"""Every provider over the real way out: whatever address an admin or an upstream names, none inside is called."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from pytest_django import Settings

from generation.contract import Delivery, SongRequest
from generation.providers import http, mureka
from generation.providers.base import ProviderError
from generation.providers.downloads import NOT_FETCHED
from generation.providers.registry import _PROVIDERS, provider_named
from ground.outbound.client import _trust
from tests.generation.providers.wayside import Ear, access
from tests.ground.outbound.places import HARMLESS, HOSTILE, NAMES, PUBLIC, Lines, Names, outbound_over, redirect_to

BASE = "http://public.example"
SONG = b"ID3\x04\0 a song"
LYRICS = "[Verse]\nla la"
LONGEST_SECONDS = 0.1
"""What a provider may spend on an address at which nobody answers."""

TOLD = {
    http._MEANINGS["ours"].message,
    http.NOT_REACHED,
    http.UNKNOWN,
    http.TOO_LATE,
    NOT_FETCHED,
    mureka.provider.NO_AUDIO,
    mureka.provider.NOT_FETCHED_IN_TIME,
}
"""All that a customer hears of an address that was not called: fixed sentences, which name no place."""

BASES = [(slug, "") for slug in _PROVIDERS if slug != "rehearsal"]
BASES += [("openai_music", "tutti"), ("mureka", "official"), ("lyria", "google")]


def said(body: Any, status: int = 200) -> bytes:
    """An answer after which the connection is closed: the next call opens another."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Length: {len(payload)}\r\n\r\n".encode() + payload


@dataclass(frozen=True)
class Giving:
    """How an upstream gives a song by a link: its answers to each call before the download."""

    slug: str
    answers: Callable[[str], list[Any]]
    shape: str = ""
    format: Any = "mp3"
    partial_audio: bool = False

    def song(self) -> SongRequest:
        return SongRequest(prompt="a song", lyrics=LYRICS, format=self.format, partial_audio=self.partial_audio)


def _openai(link: str) -> list[Any]:
    return [{"id": "j", "status": "SUCCEEDED", "audio": link}]


def _openai_polled(link: str) -> list[Any]:
    return [{"id": "j", "status": "PENDING"}, {"id": "j", "status": "SUCCEEDED", "audios": [{"audio": link}]}]


def _minimax(name: str) -> Callable[[str], list[Any]]:
    return lambda link: [{"data": {name: link, "status": 2}, "base_resp": {"status_code": 0}}]


def _mureka(name: str) -> Callable[[str], list[Any]]:
    def answers(link: str) -> list[Any]:
        ended = {"taskId": "1", "status": "succeeded", "choices": [{"id": "9", name: link}]}
        return [_enveloped({"taskId": "1", "status": "preparing"}), _enveloped(ended)]

    return answers


def _official(link: str) -> list[Any]:
    return [{"id": "1", "status": "succeeded", "choices": [{"id": "9", "url": link}]}]


def _enveloped(task: dict[str, Any]) -> dict[str, Any]:
    return {"code": 0, "data": task}


GIVING = {
    "openai_music": Giving("openai_music", _openai),
    "openai_music_polled": Giving("openai_music", _openai_polled),
    "openai_music_tutti": Giving("openai_music", _openai, shape="tutti"),
    "minimax_audio": Giving("minimax", _minimax("audio")),
    "minimax_audio_url": Giving("minimax", _minimax("audio_url")),
    "mureka_url": Giving("mureka", _mureka("url")),
    "mureka_wav": Giving("mureka", _mureka("wav_url"), format="wav"),
    "mureka_flac": Giving("mureka", _mureka("flac_url"), format="flac"),
    "mureka_official": Giving("mureka", _official, shape="official"),
}


@pytest.fixture(autouse=True)
def _strict(settings: Settings) -> None:
    settings.TUTTI_PRIVATE_UPSTREAMS = False
    _trust()  # read once, before anybody's short deadline begins


@asynccontextmanager
async def making(
    lines: Lines, slug: str, song: SongRequest, *, names: Names | None = None, **given: Any
) -> AsyncIterator[Callable[[], Any]]:
    outbound = outbound_over(lines, names)
    upstream, _ = access(http=outbound, endpoint="corner", deadline_seconds=LONGEST_SECONDS, **given)
    try:
        yield lambda: provider_named(slug).make(song, upstream, Ear())
    finally:
        await outbound.close()


async def delivered(lines: Lines, giving: Giving, link: str, names: Names | None = None) -> Delivery | str:
    """What came, or what is told of why nothing came."""
    async with making(lines, giving.slug, giving.song(), names=names, base_url=BASE, shape=giving.shape) as make:
        try:
            return await make()
        except ProviderError as error:
            return str(error)


def came_to_nothing(delivery: Delivery | str) -> bool:
    """Nothing at all, or what is no audio: the customer is told why in a sentence that names no place."""
    if isinstance(delivery, str):
        return delivery in TOLD
    return [take.audio for take in delivery.takes] == [b""]


# --- The address of an upstream, as an admin wrote it -------------------------------------------------------------


@pytest.mark.parametrize(("slug", "shape"), BASES)
@pytest.mark.parametrize("url", HOSTILE)
async def test_upstream_at_a_hostile_address_is_never_connected_to(slug: str, shape: str, url: str) -> None:
    lines = Lines()
    song = SongRequest(prompt="a song", lyrics=None if slug.startswith("musicgen") else LYRICS)

    async with making(lines, slug, song, base_url=url, shape=shape) as make:
        with pytest.raises(ProviderError) as failed:
            await make()

    assert lines.called == []
    assert (str(failed.value) in TOLD, failed.value.seen) == (True, "not_made")


@pytest.mark.parametrize(("slug", "shape"), BASES)
@pytest.mark.parametrize("host", HARMLESS)
async def test_upstream_at_a_harmless_name_is_called_at_the_address_that_was_checked(
    slug: str, shape: str, host: str
) -> None:
    lines, names = Lines(said({}, status=400)), Names(HARMLESS)

    async with making(
        lines, slug, SongRequest(prompt="a song"), names=names, base_url=f"https://{host}", shape=shape
    ) as make:
        with pytest.raises(ProviderError):
            await make()

    assert lines.called == [(HARMLESS[host][0], 443)]
    assert lines.streams[0].tls_name == host
    assert names.looks == 1


@pytest.mark.parametrize(("slug", "shape"), BASES)
async def test_order_is_not_taken_elsewhere_by_a_redirect(slug: str, shape: str) -> None:
    lines = Lines(redirect_to("http://169.254.169.254/"))

    async with making(lines, slug, SongRequest(prompt="a song"), base_url=BASE, shape=shape) as make:
        with pytest.raises(ProviderError) as failed:
            await make()

    assert lines.called == [(PUBLIC, 80)]
    assert str(failed.value) in TOLD


# --- The address of a result, as an upstream gave it --------------------------------------------------------------


@pytest.mark.parametrize("giving", GIVING.values(), ids=GIVING)
@pytest.mark.parametrize("url", HOSTILE)
async def test_result_at_a_hostile_address_is_never_connected_to(giving: Giving, url: str) -> None:
    answers = giving.answers(url)
    lines = Lines(*map(said, answers))

    delivery = await delivered(lines, giving, url)

    assert lines.called == [(PUBLIC, 80)] * len(answers)
    assert came_to_nothing(delivery)


@pytest.mark.parametrize("giving", GIVING.values(), ids=GIVING)
@pytest.mark.parametrize(
    "inside", ["http://169.254.169.254/", "http://[::1]/", "https://inside.example/", "file:///etc/passwd"]
)
async def test_result_that_is_redirected_inwards_is_not_fetched(giving: Giving, inside: str) -> None:
    answers = giving.answers(f"{BASE}/song.mp3")
    lines = Lines(*map(said, answers), redirect_to("http://public.example/again"), redirect_to(inside), said(SONG))

    delivery = await delivered(lines, giving, BASE)

    # Both houses are one: the second address is called over the connection of the first.
    assert set(lines.called) == {(PUBLIC, 80)}
    assert came_to_nothing(delivery)


@pytest.mark.parametrize("giving", GIVING.values(), ids=GIVING)
async def test_result_whose_name_turns_inward_meanwhile_is_not_fetched(giving: Giving) -> None:
    answers = giving.answers("http://rebinding.example/song.mp3")
    lines = Lines(*map(said, answers), said(SONG))
    known = {**NAMES, "rebinding.example": [PUBLIC]}

    delivery = await delivered(
        lines, giving, BASE, Names(known, then={"rebinding.example": ["10.0.0.5"], "public.example": [PUBLIC]})
    )

    assert lines.called == [(PUBLIC, 80)] * len(answers)
    assert came_to_nothing(delivery)


@pytest.mark.parametrize("giving", GIVING.values(), ids=GIVING)
@pytest.mark.parametrize("host", HARMLESS)
async def test_result_at_a_harmless_name_is_fetched_from_the_address_that_was_checked(
    giving: Giving, host: str
) -> None:
    answers = giving.answers(f"https://{host}/song.mp3")
    lines = Lines(*map(said, answers), said(SONG))

    delivery = await delivered(lines, giving, BASE, Names({**NAMES, **HARMLESS}))

    assert isinstance(delivery, Delivery)
    assert [take.audio for take in delivery.takes] == [SONG]
    assert lines.called[len(answers) :] == [(HARMLESS[host][0], 443)]
    assert lines.streams[-1].tls_name == host
    assert b"sk-secret" not in lines.streams[-1].sent


# --- The address of a song that can be heard while it is made -----------------------------------------------------


@pytest.mark.parametrize("url", HOSTILE)
async def test_song_under_way_is_not_listened_to_at_a_hostile_address(url: str) -> None:
    under_way = {"taskId": "1", "status": "streaming", "choices": [{"id": "9", "stream_url": url}]}
    ended = {"taskId": "1", "status": "succeeded", "choices": [{"id": "9", "url": f"{BASE}/song.mp3"}]}
    answers = [_enveloped(under_way), _enveloped(under_way), _enveloped(ended)]
    lines = Lines(*map(said, answers), said(SONG))

    delivery = await delivered(lines, Giving("mureka", _mureka("url"), partial_audio=True), BASE)

    assert isinstance(delivery, Delivery)
    assert [take.audio for take in delivery.takes] == [SONG]
    assert lines.called == [(PUBLIC, 80)] * 4
