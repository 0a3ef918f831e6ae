"""No address that is not on the public internet is ever connected to, whatever an address says."""

from __future__ import annotations

import asyncio

import pytest
from pytest_django import Settings

from ground.outbound import AnswerLost, CallRefused, NotSent, Outbound
from ground.outbound.guard import GuardedBackend
from tests.ground.outbound.places import (
    ANSWER,
    HARMLESS,
    HOSTILE,
    NAMES,
    PUBLIC,
    Lines,
    Names,
    outbound_over,
    redirect_to,
)


@pytest.fixture(autouse=True)
def _strict(settings: Settings) -> None:
    settings.TUTTI_PRIVATE_UPSTREAMS = False


async def get(outbound: Outbound, url: str, **options) -> bytes:
    try:
        return (await outbound.send("GET", url, deadline_seconds=5, **options)).body
    finally:
        await outbound.close()


def test_corpus_is_large_and_names_nothing_twice() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 100
    assert len(HARMLESS) >= 20


@pytest.mark.parametrize("url", HOSTILE)
async def test_hostile_address_is_never_connected_to(url: str) -> None:
    lines = Lines()

    with pytest.raises((CallRefused, NotSent)):
        await get(outbound_over(lines), url)

    assert lines.called == []


# No header holds a line break, and an address without a host stays with the house that redirects.
REDIRECTS = [url for url in HOSTILE if "\n" not in url and url != "http:///etc/passwd"]


@pytest.mark.parametrize("url", REDIRECTS)
async def test_redirect_to_a_hostile_address_is_not_followed(url: str) -> None:
    lines = Lines(redirect_to(url), ANSWER)

    with pytest.raises((CallRefused, NotSent, AnswerLost)):
        await get(outbound_over(lines), "http://public.example/", redirects=3)

    assert lines.called == [(PUBLIC, 80)]


@pytest.mark.parametrize("host", HARMLESS)
async def test_harmless_name_is_called_at_the_address_that_was_checked(host: str) -> None:
    lines, names = Lines(), Names(HARMLESS)

    body = await get(outbound_over(lines, names), f"https://{host}/song.mp3")

    assert body == b"ok"
    assert lines.called == [(HARMLESS[host][0], 443)]
    assert lines.streams[0].tls_name == host
    assert f"\r\nhost: {host}\r\n".encode() in lines.streams[0].sent.lower()
    assert names.looks == 1


@pytest.mark.parametrize("address", ["8.8.8.8", "[2606:4700::1111]"])
async def test_public_address_needs_no_name(address: str) -> None:
    lines, names = Lines(), Names({})

    await get(outbound_over(lines, names), f"http://{address}/")

    assert lines.called == [(address.strip("[]"), 80)]
    assert names.looks == 0


async def test_name_that_turns_inward_later_was_called_where_it_was_checked() -> None:
    names = Names({"rebinding.example": [PUBLIC]}, then={"rebinding.example": ["127.0.0.1"]})
    lines = Lines()
    outbound = outbound_over(lines, names)

    assert await get(outbound, "http://rebinding.example/") == b"ok"
    with pytest.raises(CallRefused):
        await get(outbound, "http://rebinding.example/")

    assert lines.called == [(PUBLIC, 80)]


async def test_redirect_to_a_name_that_turns_inward_is_refused() -> None:
    names = Names({"rebinding.example": [PUBLIC]}, then={"rebinding.example": ["169.254.169.254"]})
    lines = Lines(redirect_to("https://rebinding.example/"))

    with pytest.raises((CallRefused, AnswerLost)):
        await get(outbound_over(lines, names), "http://rebinding.example/", redirects=1)

    assert lines.called == [(PUBLIC, 80)]


async def test_next_address_of_a_name_is_called_when_one_is_dead() -> None:
    lines = Lines(dead=["1.1.1.1"])

    await get(outbound_over(lines, Names(HARMLESS)), "http://cdn.studio.example/")

    assert lines.called == [("1.1.1.1", 80), ("1.0.0.1", 80)]


async def test_name_with_many_dead_addresses_is_not_tried_for_ever() -> None:
    lines = Lines(dead=HARMLESS["many.example"])

    with pytest.raises(NotSent):
        await get(outbound_over(lines, Names(HARMLESS)), "http://many.example/")

    assert [host for host, _ in lines.called] == HARMLESS["many.example"][:4]


@pytest.mark.parametrize("port", [80, 443, 8443])
async def test_usual_ports_are_called(port: int) -> None:
    lines = Lines()

    await get(outbound_over(lines), f"http://public.example:{port}/")

    assert lines.called == [(PUBLIC, port)]


async def test_refusal_does_not_tell_what_a_name_stands_for() -> None:
    with pytest.raises(CallRefused) as refused:
        await get(outbound_over(Lines()), "http://inside.example/secret-path")

    assert str(refused.value) == "The host 'inside.example' is not on the public internet."


OWN = [
    "http://127.0.0.1:8000/",
    "http://[::1]:9000/",
    "http://10.0.0.1/",
    "http://inside.example:8080/",
    "http://localhost/",
]


@pytest.mark.parametrize("url", OWN)
async def test_development_calls_its_own_networks(url: str, settings: Settings) -> None:
    settings.TUTTI_PRIVATE_UPSTREAMS = True
    lines = Lines()

    assert await get(outbound_over(lines), url) == b"ok"


NEVER = ["169.254.169.254", "100.100.100.200", "168.63.129.16", "[fd00:ec2::254]", "0.1.2.3", "224.0.0.1", "[fe80::1]"]


@pytest.mark.parametrize("host", [*NEVER, "metadata.google.internal"])
async def test_development_calls_no_metadata_either(host: str, settings: Settings) -> None:
    settings.TUTTI_PRIVATE_UPSTREAMS = True
    lines = Lines()

    with pytest.raises(CallRefused):
        await get(outbound_over(lines), f"http://{host}/")

    assert lines.called == []


async def test_sockets_of_this_machine_are_not_called() -> None:
    with pytest.raises(CallRefused):
        await GuardedBackend(Lines(), Names(NAMES).look_up).connect_unix_socket("/run/docker.sock")


async def test_lookup_that_hangs_is_given_up() -> None:
    async def never(host: str, port: int) -> list[str]:
        return await asyncio.Event().wait()  # type: ignore[return-value]

    with pytest.raises(NotSent, match="ConnectTimeout"):
        await get(Outbound(GuardedBackend(Lines(), never)), "http://slow.example/", connect_seconds=0.05)
