"""Calls are bounded in time and size, and every way they break is told apart: sent, or not."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ground.outbound import AnswerLost, AnswerTooLong, CallRefused, NotSent, Outbound
from tests.ground.outbound.houses import answers, house, says
from tests.scenarios.servers import free_port

SECRET = "sk-the-secret-of-this-test"


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    way_out = Outbound()
    yield way_out
    await way_out.close()


# --- Good answers -------------------------------------------------------------------------------------------------


async def test_answer_comes_whole_with_its_headers(outbound: Outbound) -> None:
    async with house(answers(201, b'{"a": 1}', X_Thing="Yes")) as there:
        answer = await outbound.send(
            "POST", f"{there.url}/songs?n=1", headers={"X-Own": "1"}, body=b"{}", deadline_seconds=5
        )

    assert (answer.status, answer.body, answer.headers["x-thing"]) == (201, b'{"a": 1}', "Yes")
    assert there.heard[0].startswith("POST /songs?n=1 HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{there.port}\r\n" in there.heard[0]
    assert "x-own: 1\r\n" in there.heard[0]
    assert "accept-encoding: identity\r\n" in there.heard[0]


async def test_answer_is_read_as_it_comes(outbound: Outbound) -> None:
    parts = (b"HTTP/1.1 200 OK\r\n\r\n", b"data: 1\n\n", b"data: 2\n\n")
    async with (
        house(says(*parts, pause=0.05, then_closes=True)) as there,
        outbound.open("GET", there.url, deadline_seconds=5) as incoming,
    ):
        chunks = [chunk async for chunk in incoming.chunks()]

    assert chunks == [b"data: 1\n\n", b"data: 2\n\n"]


async def test_connection_is_kept_for_the_next_call(outbound: Outbound) -> None:
    async with house(answers()) as there:
        for _ in range(3):
            await outbound.send("GET", there.url, deadline_seconds=5)

    assert (len(there.heard), there.connections) == (3, 1)


async def test_cookies_are_not_kept(outbound: Outbound) -> None:
    async with house(answers(Set_Cookie="session=1; Path=/")) as there:
        for _ in range(2):
            await outbound.send("GET", there.url, deadline_seconds=5)

    assert "cookie" not in there.heard[1]


async def test_proxies_of_the_environment_are_not_asked(outbound: Outbound, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with house(answers()) as there:
        assert (await outbound.send("GET", there.url, deadline_seconds=5)).body == b"ok"


def test_every_loop_has_connections_of_its_own() -> None:
    way_out = Outbound()

    async def call() -> int:
        async with house(answers()) as there:
            await way_out.send("GET", there.url, deadline_seconds=5)
            await way_out.close()
            return there.connections

    assert [asyncio.run(call()), asyncio.run(call())] == [1, 1]


# --- Bounds -------------------------------------------------------------------------------------------------------


async def test_declared_length_above_the_cap_is_not_read(outbound: Outbound) -> None:
    async with house(says(b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", then_hangs=True)) as there:
        with pytest.raises(AnswerTooLong):
            await outbound.send("GET", there.url, deadline_seconds=5, max_bytes=100)


async def test_undeclared_length_is_cut_at_the_cap(outbound: Outbound) -> None:
    async with house(says(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 60] * 2, then_hangs=True)) as there:
        with pytest.raises(AnswerTooLong):
            await outbound.send("GET", there.url, deadline_seconds=5, max_bytes=100)


async def test_answer_as_long_as_the_cap_is_taken(outbound: Outbound) -> None:
    async with house(answers(body=b"x" * 100)) as there:
        assert len((await outbound.send("GET", there.url, deadline_seconds=5, max_bytes=100)).body) == 100


async def test_packed_answer_is_not_unpacked(outbound: Outbound) -> None:
    async with house(answers(Content_Encoding="gzip")) as there:
        with pytest.raises(AnswerLost, match="packed"):
            await outbound.send("GET", there.url, deadline_seconds=5)


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"])
async def test_deadline_ends_a_call_that_was_sent(outbound: Outbound, head: bytes) -> None:
    async with house(says(head, then_hangs=True)) as there:
        with pytest.raises(AnswerLost, match=r"within 0\.2 s"):
            await outbound.send("GET", there.url, deadline_seconds=0.2)


async def test_deadline_bounds_an_answer_that_drips(outbound: Outbound) -> None:
    drops = [b"x"] * 1000
    async with house(says(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *drops, pause=0.02)) as there:
        with pytest.raises(AnswerLost):
            await outbound.send("GET", there.url, deadline_seconds=0.3)


async def test_timeout_of_the_caller_itself_stays_the_callers(outbound: Outbound) -> None:
    async with house(answers()) as there:
        with pytest.raises(TimeoutError):
            async with outbound.open("GET", there.url, deadline_seconds=5):
                raise TimeoutError


# --- Broken calls -------------------------------------------------------------------------------------------------


async def test_closed_door_means_nothing_was_sent(outbound: Outbound) -> None:
    with pytest.raises(NotSent, match=r"127\.0\.0\.1 was not reached"):
        await outbound.send("GET", f"http://127.0.0.1:{free_port()}/", deadline_seconds=5)


async def test_certificate_nobody_vouches_for_means_nothing_was_sent(outbound: Outbound, tmp_path: Path) -> None:
    async with house(answers(), tls=self_made_certificate(tmp_path)) as there:
        with pytest.raises(NotSent):
            await outbound.send("POST", f"https://127.0.0.1:{there.port}/", body=b"order", deadline_seconds=5)

    assert there.heard == []


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
        b"SSH-2.0-server\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ],
)
async def test_answer_that_breaks_off_leaves_its_fate_unknown(outbound: Outbound, said: bytes) -> None:
    async with house(says(said, then_closes=True)) as there:
        with pytest.raises(AnswerLost):
            await outbound.send("POST", there.url, body=b"order", deadline_seconds=5)

    assert len(there.heard) == 1


@pytest.mark.parametrize("value", ["two\r\nX-Injected: yes", "two\nlines", "zwölf", "nul\0"])
async def test_header_that_cannot_be_sent_is_refused_without_telling_it(outbound: Outbound, value: str) -> None:
    async with house(answers()) as there:
        with pytest.raises(CallRefused) as refused:
            await outbound.send("GET", there.url, headers={"Authorization": SECRET + value}, deadline_seconds=5)

    assert there.heard == []
    assert SECRET not in str(refused.value)


# --- Redirects ----------------------------------------------------------------------------------------------------


async def test_redirect_is_not_followed_unless_asked(outbound: Outbound) -> None:
    async with house(answers(302, Location="/elsewhere"), answers()) as there:
        assert (await outbound.send("GET", there.url, deadline_seconds=5)).status == 302

    assert len(there.heard) == 1


async def test_order_is_never_redirected(outbound: Outbound) -> None:
    async with house(answers(307, Location="/elsewhere"), answers()) as there:
        assert (await outbound.send("POST", there.url, body=b"{}", deadline_seconds=5, redirects=3)).status == 307

    assert len(there.heard) == 1


async def test_three_redirects_are_followed_at_most(outbound: Outbound) -> None:
    async with house(answers(302, Location="/again")) as there:
        assert (await outbound.send("GET", there.url, deadline_seconds=5, redirects=50)).status == 302

    assert [head.split()[1] for head in there.heard] == ["/", "/again", "/again", "/again"]


async def test_secret_stays_in_the_house_it_was_meant_for(outbound: Outbound) -> None:
    async with (
        house(answers()) as other,
        house(answers(302, Location="/near"), answers(302, Location=other.url)) as own,
    ):
        headers = {"Authorization": f"Bearer {SECRET}", "X-Own": "1"}
        await outbound.send("GET", own.url, headers=headers, deadline_seconds=5, redirects=3)

    assert [SECRET in head for head in own.heard] == [True, True]
    assert [(SECRET in head, "x-own: 1" in head) for head in other.heard] == [(False, True)]


# --- Secrets ------------------------------------------------------------------------------------------------------


async def test_no_secret_is_logged_or_told(outbound: Outbound, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="tutti.outbound")
    acts = (
        answers(401, SECRET.encode(), Set_Cookie=SECRET),
        says(b"HTTP/1.1 200 OK\r\nX: " + SECRET.encode(), then_closes=True),
    )
    headers = {"Authorization": f"Bearer {SECRET}", "X-Api-Key": SECRET}
    async with house(*acts) as there:
        url = f"{there.url}/{SECRET}?key={SECRET}"
        answer = await outbound.send("GET", url, headers=headers, deadline_seconds=5)
        with pytest.raises(AnswerLost) as lost:
            await outbound.send("GET", url, headers=headers, deadline_seconds=5)

    assert answer.redacted(f"The key {SECRET} is not known.") == "The key [redacted] is not known."
    assert SECRET not in repr(answer.headers.get("x")) + str(lost.value) + caplog.text
    assert "GET 127.0.0.1: 401" in caplog.text


def self_made_certificate(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "both.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
