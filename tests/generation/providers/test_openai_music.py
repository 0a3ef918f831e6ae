from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from generation.contract import Delivery, RawTake, Sampling, SongRequest
from generation.providers.base import ProviderError
from generation.providers.openai_music import OpenAIMusic, order_fields
from tests.generation.providers.wayside import Ear, Said, Wayside, access, as_json

SONG = SongRequest(prompt="a song", lyrics="[Verse]\nla")
AUDIO = b"RIFF a song"
READY = {"id": "s1", "status": "SUCCEEDED", "audio": AUDIO.hex()}
PENDING = {"id": "s1", "status": "PENDING"}


async def made(
    *answers: Said | Exception, song: SongRequest = SONG, shape: str = "", ear: Ear | None = None, **more: Any
) -> tuple[Delivery, Wayside]:
    upstream, way = access(*answers, shape=shape, **more)
    return await OpenAIMusic().make(song, upstream, ear or Ear()), way


async def failed_by(*answers: Said | Exception, shape: str = "", **more: Any) -> tuple[str, str, bool]:
    with pytest.raises(ProviderError) as failed:
        await made(*answers, shape=shape, **more)
    return failed.value.code, failed.value.seen, failed.value.retryable


def asked_of(way: Wayside) -> list[str]:
    return [f"{sent.method} {sent.url.removeprefix('https://up.example')}" for sent in way.sent]


# --- What is asked ------------------------------------------------------------------------------------------------


def test_rich_order_is_cut_down_to_what_the_wire_describes() -> None:
    rich = SongRequest(
        prompt="p",
        lyrics="l",
        title="t",
        takes=2,
        seed=5,
        duration_seconds=9.0,
        sampling=Sampling(top_k=3),
        enhance=True,
        format="opus",
        sample_rate=48_000,
        bitrate=128_000,
        channels=2,
        watermark=True,
    )
    upstream, _ = access(as_json(READY))

    assert order_fields(rich, upstream, "k") == {
        "model": "music-2.6",
        "catelogid": "music_gen",
        "prompt": "p",
        "lyrics": "l",
        "output_format": "url",
        "audio_setting": {"bitrate": 128_000},
        "transno": "k",
    }


def test_tutti_gets_what_it_can_convey_and_a_zero_is_a_value() -> None:
    rich = SongRequest(
        prompt="p",
        instrumental=True,
        takes=2,
        seed=0,
        duration_seconds=9.0,
        sampling=Sampling(top_k=0, temperature=0.0),
        enhance=True,
        format="pcm",
        sample_rate=48_000,
        channels=1,
        watermark=True,
        write_lyrics=True,
    )
    upstream, _ = access(as_json(READY), shape="tutti", endpoint="music_extend")

    assert order_fields(rich, upstream, "k") == {
        "model": "music-2.6",
        "catelogid": "music_extend",
        "prompt": "p",
        "output_format": "url",
        "audio_setting": {"format": "wav", "sample_rate": 48_000, "channel": 1},
        "transno": "k",
        "n": 2,
        "duration": 9.0,
        "instrumental": True,
        "seed": 0,
        "top_k": 0,
        "temperature": 0.0,
        "mbd": True,
        "lyrics_optimizer": True,
    }


# --- What is heard ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("credential", "sent"), [("sk-1", "Bearer sk-1"), ("", None)])
async def test_key_is_sent_where_there_is_one(credential: str, sent: str | None) -> None:
    _, way = await made(as_json(READY), credential=credential)

    assert way.sent[0].headers.get("Authorization") == sent


async def test_hex_and_links_are_both_taken() -> None:
    assert (await made(as_json(READY)))[0] == Delivery(takes=(RawTake(audio=AUDIO, upstream_id="s1"),))

    delivery, way = await made(as_json({**READY, "audio": "https://files.example/s1.wav"}), Said(200, AUDIO))
    assert delivery.takes[0].audio == AUDIO
    assert (way.sent[1].url, way.sent[1].headers) == ("https://files.example/s1.wav", {})


async def test_every_take_of_one_answer_is_taken_with_its_seed_and_the_lyrics() -> None:
    answer = {**READY, "lyrics": "la", "audios": [{"audio": "00", "seed": 1}, {"audio": "11", "seed": True}, "no"]}

    delivery, _ = await made(as_json(answer), song=SongRequest(prompt="p", takes=3), shape="tutti")

    assert [(take.audio, take.seed) for take in delivery.takes] == [(b"\0", 1), (b"\x11", None)]
    assert delivery.lyrics == "la"


@pytest.mark.parametrize(("seed", "kept"), [(2**63 - 1, 2**63 - 1), (2**63, None), (-1, None)])
async def test_seed_no_column_holds_is_not_kept(seed: int, kept: int | None) -> None:
    delivery, _ = await made(as_json({**READY, "seed": seed}))

    assert delivery.takes[0].seed == kept


async def test_lyrics_lose_what_no_database_keeps() -> None:
    delivery, _ = await made(as_json({**READY, "lyrics": "la\x00 la\ud800"}))

    assert delivery.lyrics == "la la"


async def test_accepted_without_a_word_is_asked_for() -> None:
    delivery, way = await made(
        as_json({"id": "s1"}, 202), as_json({"id": "s1", "status": "QUEUED"}, 202), as_json(READY)
    )

    assert delivery.takes[0].audio == AUDIO
    assert [sent.method for sent in way.sent] == ["POST", "GET", "GET"]


async def test_tutti_that_broke_without_naming_a_job_is_asked_again_under_the_same_key() -> None:
    broken = as_json({"error": {"code": "internal_error", "message": "sorry"}}, 500)

    delivery, way = await made(broken, as_json(READY), shape="tutti")

    assert delivery.takes[0].audio == AUDIO
    assert len({sent.headers["Idempotency-Key"] for sent in way.sent}) == 1


@pytest.mark.parametrize("audio", ["", "   ", "no hex", "ftp://files.example/x", None, 7, {"url": "x"}])
async def test_success_without_audio_delivers_nothing_to_hear(audio: Any) -> None:
    delivery, _ = await made(as_json({**READY, "audio": audio}))

    assert [take.audio for take in delivery.takes] == [b""]


KNOWN, VAIN, UNKNOWN = ("not_made", True), ("not_made", False), ("unknown", False)


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        (as_json({"error": {"code": "content_policy"}}, 400), ("content_policy", *VAIN)),
        (
            as_json({"error": {"code": "insufficient_quota", "type": "insufficient_quota"}}, 429),
            ("upstream_error", *VAIN),
        ),
        (as_json({"error": {"type": "insufficient_quota"}}, 429), ("upstream_error", *VAIN)),
        (as_json({"error": {"code": "rate_limit_exceeded"}}, 429), ("upstream_error", *KNOWN)),
        (as_json({"error": "no such model"}, 404), ("upstream_error", *VAIN)),
        (as_json({"error": {"message": "what"}}, 401), ("upstream_error", *VAIN)),
        (as_json({"error": {"code": "internal_error"}}, 500), ("upstream_error", *KNOWN)),
        (as_json({"error": {"message": "who knows"}}, 502), ("upstream_error", *UNKNOWN)),
        (as_json({**READY, "error": {"code": "upstream_error"}}), ("upstream_error", *KNOWN)),
        (as_json({**READY, "status": "FAILED"}), ("upstream_error", *KNOWN)),
        (as_json({**READY, "status": "CANCELLED"}), ("upstream_error", *KNOWN)),
        (as_json({**READY, "status": "HALFWAY"}), ("upstream_error", *UNKNOWN)),
        (as_json({"detail": "something else"}), ("upstream_error", *UNKNOWN)),
        (as_json(["a", "list"]), ("upstream_error", *UNKNOWN)),
        (as_json({"status": "PENDING"}), ("upstream_error", *UNKNOWN)),
        (as_json({"id": "../admin", "status": "PENDING"}), ("upstream_error", *UNKNOWN)),
        (Said(500), ("upstream_error", *UNKNOWN)),
        (Said(503, headers={"retry-after": "2"}), ("upstream_error", *KNOWN)),
        (EOFError(), ("upstream_error", *UNKNOWN)),
        (ConnectionError(), ("upstream_error", *KNOWN)),
    ],
)
async def test_answer_without_a_song_means(answer: Said | Exception, meant: tuple[str, str, bool]) -> None:
    assert await failed_by(answer) == meant


# --- Asked for by its id ------------------------------------------------------------------------------------------


async def test_accepted_order_is_asked_for_until_it_is_done() -> None:
    ear = Ear()

    delivery, way = await made(
        as_json(PENDING, 202),
        as_json({**PENDING, "status": "running", "progress": 40}),
        EOFError(),
        ConnectionError(),
        Said(500),
        Said(429, headers={"retry-after": "0"}),
        Said(200, b"<html>"),
        as_json(READY),
        ear=ear,
    )

    assert delivery.takes[0].audio == AUDIO
    assert asked_of(way) == ["POST /v1/music/generations"] + ["GET /v1/music/generations/s1"] * 7
    assert (ear.tickets, ear.heard) == (["s1"], [40.0])


async def test_upstream_that_knows_it_only_as_a_task_is_asked_so() -> None:
    delivery, way = await made(
        as_json(PENDING, 202), Said(404), as_json({"status": "ok", "data": {**READY, "id": "s1"}})
    )

    assert delivery.takes[0].audio == AUDIO
    assert asked_of(way)[1:] == ["GET /v1/music/generations/s1", "GET /v1/tasks?taskid=s1"]


@pytest.mark.parametrize(
    "unhelpful",
    [as_json({"status": "error", "data": {"message": "no"}}), as_json({"status": "ok", "data": []}), Said(404)],
)
async def test_task_that_nobody_knows_yet_is_asked_for_again(unhelpful: Said) -> None:
    delivery, way = await made(as_json(PENDING), Said(404), unhelpful, as_json(READY))

    assert (delivery.takes[0].audio, len(way.sent)) == (AUDIO, 4)


async def test_task_that_fails_is_known_not_to_be_made() -> None:
    ended = {**PENDING, "status": "FAILED", "error": {"code": "content_policy", "message": "no"}}

    assert await failed_by(as_json(PENDING), as_json(ended)) == ("content_policy", *VAIN)


async def test_task_that_never_ends_is_of_unknown_fate() -> None:
    assert await failed_by(as_json(PENDING), deadline_seconds=0.05) == ("upstream_error", *UNKNOWN)


# --- Taken up again -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tickets", "seen"), [(["s1"], "unknown"), (["s1", "s2"], "unknown"), (["s1"] * 3, "not_made")]
)
async def test_order_whose_known_tasks_failed_is_known_not_to_be_made_when_all_are_known(
    tickets: list[str], seen: str
) -> None:
    upstream, way = access(as_json({**PENDING, "status": "FAILED", "error": {"code": "content_policy"}}))

    with pytest.raises(ProviderError) as failed:
        await OpenAIMusic().resume(replace(SONG, takes=3), upstream, tickets, Ear())

    assert (failed.value.seen, len(way.sent)) == (seen, len(tickets))


# --- Sent again to a Tutti ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [EOFError(), Said(500), Said(200, b"<html>"), Said(504)])
async def test_order_of_unknown_fate_is_sent_again_to_a_tutti_under_its_key(lost: Said | Exception) -> None:
    delivery, way = await made(lost, ConnectionError(), Said(429), as_json(READY), shape="tutti")

    assert delivery.takes[0].audio == AUDIO
    assert [(sent.headers["Idempotency-Key"], sent.body["transno"]) for sent in way.sent] == [("ref-1", "ref-1")] * 4
    assert len({str(sent.body) for sent in way.sent}) == 1


async def test_refusal_of_the_second_call_says_nothing_of_the_first() -> None:
    refused = as_json({"error": {"code": "insufficient_quota"}}, 429)

    assert await failed_by(EOFError(), refused, shape="tutti", deadline_seconds=0.05) == ("upstream_error", *UNKNOWN)


async def test_end_of_the_job_itself_is_believed() -> None:
    ended = as_json({"error": {"code": "bad_audio", "message": "silent", "id": "s1"}}, 502)

    assert await failed_by(EOFError(), ended, shape="tutti") == ("upstream_error", *KNOWN)


@pytest.mark.parametrize("known", [ConnectionError(), Said(429)])
async def test_order_that_was_not_taken_is_not_sent_again_by_itself(known: Said | Exception) -> None:
    assert await failed_by(known, as_json(READY), shape="tutti") == ("upstream_error", *KNOWN)


async def test_other_upstream_is_never_sent_an_order_again() -> None:
    upstream, way = access(EOFError(), as_json(READY))

    with pytest.raises(ProviderError):
        await OpenAIMusic().make(SONG, upstream, Ear())

    assert len(way.sent) == 1
