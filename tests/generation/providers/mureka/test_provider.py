"""How a task of the wire `mureka` is asked for, and what its errors mean."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from generation.contract import Delivery, Extend, SongRequest
from generation.providers.base import ProviderError
from generation.providers.mureka import Mureka
from tests.generation.providers.wayside import Ear, Said, Wayside, access, as_json

SONG = SongRequest(lyrics="la")
READY = {"status": "succeeded", "choices": [{"id": "7", "url": "https://files.example/7.mp3"}]}
AUDIO = Said(200, b"ID3 a song")


def maas(data: Any, code: int = 0, status: int = 200, message: str = "success", **headers: str) -> Said:
    return as_json({"code": code, "data": data, "code_msg": message, "trace_id": "t"}, status, **headers)


def official(message: str, status: int, **headers: str) -> Said:
    return as_json({"error": {"message": message}, "trace_id": "t"}, status, **headers)


TAKEN = maas({"taskId": "42", "status": "preparing"})


async def made(*answers: Said | Exception, shape: str = "", **more: Any) -> tuple[Delivery, Wayside]:
    upstream, way = access(*answers, shape=shape, endpoint="e", **more)
    return await Mureka().make(SONG, upstream, Ear()), way


KNOWN, VAIN = ("upstream_error", "not_made", True), ("upstream_error", "not_made", False)
UNKNOWN = ("upstream_error", "unknown", False)
CONTENT = ("content_policy", "not_made", False)


@pytest.mark.parametrize(
    ("answer", "shape", "meant"),
    [
        (maas(None, 400, 400, "lyrics is required"), "", VAIN),
        (maas(None, 400, 200, "lyrics is required"), "", VAIN),
        (maas(None, 400, 400, "歌词包含敏感内容"), "", CONTENT),
        (maas(None, 401, 401, "Invalid key"), "", VAIN),
        (maas(None, 401, 200, "Invalid key"), "", VAIN),
        (maas(None, 402, 402, "Top up"), "", VAIN),
        (maas(None, 429, 429, "Rate limit reached"), "", KNOWN),
        (maas(None, 429, 200, "Rate limit reached"), "", KNOWN),
        (maas(None, 429, 429, "账户余额不足"), "", VAIN),
        (maas(None, 500, 500, "Internal error"), "", KNOWN),
        (maas(None, 100_017, 200, "Something of its own"), "", KNOWN),
        (maas(None, 100_017, 400, "Something of its own"), "", VAIN),
        (maas(None, 504, 200, "Gateway timeout"), "", UNKNOWN),
        (maas(None, 502, 502, "Bad gateway"), "", UNKNOWN),
        (maas(None), "", UNKNOWN),
        (maas({"status": "preparing"}), "", UNKNOWN),
        (maas({"taskId": "../../files", "status": "preparing"}), "", UNKNOWN),
        (as_json({"code": True, "data": None}), "", UNKNOWN),
        (as_json([1]), "", UNKNOWN),
        (Said(503, headers={"retry-after": "2"}), "", KNOWN),
        (Said(404, b"<html>"), "", VAIN),
        (ConnectionError(), "", KNOWN),
        (EOFError(), "", UNKNOWN),
        (PermissionError(), "", VAIN),
        (official("Invalid Request: lyrics", 400), "official", VAIN),
        (official("It breaks our content policy", 400), "official", CONTENT),
        (official("Invalid Authentication", 401), "official", VAIN),
        (official("Rate limit reached for requests", 429), "official", KNOWN),
        (official("You exceeded your current quota", 429), "official", VAIN),
        (official("The server had an error", 500), "official", KNOWN),
        (official("The server had an error", 504), "official", UNKNOWN),
        (as_json({"error": "what"}, 500), "official", UNKNOWN),
        (as_json({"status": "preparing"}), "official", UNKNOWN),
        # One envelope says nothing inside the other.
        (TAKEN, "official", UNKNOWN),
        (official("The server had an error", 500), "", UNKNOWN),
    ],
)
async def test_answer_without_a_task_means(answer: Said | Exception, shape: str, meant: tuple[str, str, bool]) -> None:
    with pytest.raises(ProviderError) as failed:
        await made(answer, shape=shape)

    assert (failed.value.code, failed.value.seen, failed.value.retryable) == meant


async def test_task_is_asked_for_as_rarely_as_the_upstream_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses, sleep = [], asyncio.sleep

    async def noted(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", noted)
    busy = maas(None, 429, 429, "Rate limit reached", **{"retry-after": "7"})

    delivery, _ = await made(TAKEN, busy, maas({"status": "running"}), maas(READY), AUDIO)

    assert pauses == [0, 7.0, 0]
    assert [take.upstream_id for take in delivery.takes] == ["7"]


async def test_word_nobody_described_is_waited_out_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    strange = maas({"status": "Reviewing"})

    delivery, way = await made(TAKEN, strange, strange, maas(READY), AUDIO)

    assert (len(delivery.takes), len(way.sent)) == (1, 5)
    assert [record.getMessage() for record in caplog.records] == [
        "A task at an upstream has a status nobody described: 'reviewing'"
    ]


@pytest.mark.parametrize(("credential", "sent"), [("sk-1", "Bearer sk-1"), ("", None)])
async def test_key_is_sent_where_there_is_one(credential: str, sent: str | None) -> None:
    _, way = await made(TAKEN, maas(READY), AUDIO, credential=credential)

    assert [call.headers.get("Authorization") for call in way.sent] == [sent, sent, None]


async def test_task_that_is_ready_at_once_is_not_asked_for() -> None:
    delivery, way = await made(maas({"taskId": 42, **READY}), AUDIO)

    assert [sent.url for sent in way.sent] == [
        "https://up.example/v1/ai/e/mureka/song/generate",
        "https://files.example/7.mp3",
    ]
    assert way.sent[1].headers == {}
    assert len(delivery.takes) == 1


@pytest.mark.parametrize(
    ("answer", "shape", "meant"),
    [
        (maas({"status": "failed", "failed_reason": "Sensitive lyrics"}), "", CONTENT),
        (maas({"status": "failed", "failed_reason": None}), "", KNOWN),
        (maas({"status": "timeouted"}), "maas", KNOWN),
        (maas({"status": "succeeded", "choices": None}), "", UNKNOWN),
        (maas({"status": "evaporated", "finished_at": 1767001190}), "", UNKNOWN),
    ],
)
async def test_end_without_a_song_means(answer: Said, shape: str, meant: tuple[str, str, bool]) -> None:
    with pytest.raises(ProviderError) as failed:
        await made(TAKEN, answer, shape=shape)

    assert (failed.value.code, failed.value.seen, failed.value.retryable) == meant


CONTINUED = SongRequest(lyrics="la", takes=3, extend=Extend(upload="file-1", at_ms=1000))


@pytest.mark.parametrize(
    ("song", "tickets", "seen"),
    [
        (CONTINUED, ["42"], "unknown"),
        (CONTINUED, ["42", "43"], "unknown"),
        (CONTINUED, ["42", "43", "44"], "not_made"),
        (SongRequest(lyrics="la", takes=5), ["42"], "unknown"),
        (SongRequest(lyrics="la", takes=3), ["42"], "not_made"),
    ],
    ids=["one of three", "two of three", "all three", "one of two", "the only one"],
)
async def test_order_whose_known_tasks_failed_is_known_not_to_be_made_when_all_are_known(
    song: SongRequest, tickets: list[str], seen: str
) -> None:
    upstream, way = access(maas({"status": "failed", "failed_reason": None}), endpoint="e")

    with pytest.raises(ProviderError) as failed:
        await Mureka().resume(song, upstream, tickets, Ear())

    assert (failed.value.seen, len(way.sent)) == (seen, len(tickets))
