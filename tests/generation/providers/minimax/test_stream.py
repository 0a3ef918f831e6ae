"""A song of the wire `minimax` that is heard while it is made."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from generation.contract import Delivery, Piece, RawTake, SongRequest
from generation.providers import http
from generation.providers.base import ProviderError
from generation.providers.minimax import MiniMax
from generation.providers.minimax import stream as streaming
from tests.generation.audio.tones import mp3
from tests.generation.providers.wayside import Ear, Said, access
from tests.generation.worlds import wav

SONG: Final = SongRequest(lyrics="l", partial_audio=True)
WAV_SONG: Final = SongRequest(lyrics="l", format="wav", partial_audio=True)


def event(data: Any, code: int = 0, **more: Any) -> bytes:
    body = {"data": data, "base_resp": {"status_code": code, "status_msg": "hm"}, **more}
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def piece(audio: bytes) -> bytes:
    return event({"audio": audio.hex(), "status": 1})


def whole(audio: bytes) -> bytes:
    return event({"audio": audio.hex(), "status": 2}, trace_id="t-1")


async def heard(
    *events: bytes, song: SongRequest = SONG, ear: Ear | None = None, breaks: Exception | None = None
) -> tuple[Delivery, list[Piece]]:
    line = ear or Ear()
    upstream, _ = access(Said(pieces=events, breaks=breaks))
    return await MiniMax().make(song, upstream, line), line.pieces


async def failed_by(*events: bytes, breaks: Exception | None = None) -> tuple[str, str, bool, str | None]:
    with pytest.raises(ProviderError) as failed:
        await heard(*events, breaks=breaks)
    error = failed.value
    return error.code, error.seen, error.retryable, error.param


# --- What is heard ------------------------------------------------------------------------------------------------


async def test_pieces_are_the_song_and_each_is_heard_once_in_whole_frames() -> None:
    song = mp3()
    parts = [song[at : at + 999] for at in range(0, len(song), 999)]

    delivery, pieces = await heard(*map(piece, parts), whole(b"another song"))

    assert delivery == Delivery(takes=(RawTake(audio=song, upstream_id="t-1"),))
    assert b"".join(one.data for one in pieces) == song
    assert [one.part for one in pieces] == list(range(len(pieces)))
    assert {(one.take, one.format, one.sample_rate, one.channels) for one in pieces} == {(0, "mp3", 44_100, 2)}
    assert all(one.data[0] == 0xFF and one.data[1] & 0xE0 == 0xE0 for one in pieces)


@pytest.mark.parametrize("size", [3, 1000, 44, 100_000])
async def test_pieces_of_a_wav_never_end_inside_a_sample(size: int) -> None:
    song = wav(0.01)

    delivery, pieces = await heard(
        *(piece(song[at : at + size]) for at in range(0, len(song), size)), whole(b""), song=WAV_SONG
    )

    assert (delivery.takes[0].audio, b"".join(one.data for one in pieces)) == (song, song)
    assert {len(one.data) % 4 for one in pieces} == {0}
    assert {(one.format, one.sample_rate, one.channels) for one in pieces} == {("wav", 44_100, 2)}


async def test_stream_may_arrive_in_any_cut_and_with_comments() -> None:
    song = wav(0.01)
    body = b": ping\r\n\r\n" + b"".join(
        one.replace(b"\n", b"\r\n").replace(b"data: ", b"event: x\r\nid: 1\r\ndata:")
        for one in (piece(song), event(None), event({"audio": ""}), whole(song))
    )

    delivery, pieces = await heard(*(body[at : at + 700] for at in range(0, len(body), 700)), song=WAV_SONG)

    assert (delivery.takes[0].audio, len(pieces)) == (song, 1)


async def test_whole_song_of_the_last_event_has_to_do_when_no_piece_came() -> None:
    delivery, pieces = await heard(event({"audio": "", "status": 1}), whole(b"a song"))

    assert (delivery.takes[0].audio, pieces) == (b"a song", [])


async def test_whole_song_has_to_do_when_a_piece_was_not_readable() -> None:
    song = wav(0.01)
    torn = event({"audio": "no hex", "status": 1})

    delivery, pieces = await heard(piece(song[:400]), torn, piece(song[800:]), whole(song), song=WAV_SONG)

    assert (delivery.takes[0].audio, [one.data for one in pieces]) == (song, [song[:400]])


async def test_what_follows_the_last_event_is_not_waited_for() -> None:
    delivery, _ = await heard(piece(b"a song"), whole(b""), breaks=EOFError("cut"))

    assert delivery.takes[0].audio == b"a song"


async def test_last_event_too_long_to_be_read_is_the_song_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "JSON_BYTES", 1000)

    delivery, _ = await heard(piece(b"a song of"), piece(b" two pieces"), whole(b"x" * 1000))

    assert delivery.takes[0].audio == b"a song of two pieces"


async def test_song_in_one_body_is_taken_although_a_stream_was_asked_for() -> None:
    upstream, way = access(Said(body=whole(b"a song").removeprefix(b"data:")))
    ear = Ear()

    delivery = await MiniMax().make(SONG, upstream, ear)

    assert (delivery.takes[0].audio, ear.pieces) == (b"a song", [])
    assert way.sent[0].headers["Accept"] == "text/event-stream, application/json"


async def test_takes_are_heard_side_by_side() -> None:
    ear = Ear()

    await heard(
        piece(wav(0.01)), whole(b""), song=SongRequest(lyrics="l", format="wav", takes=2, partial_audio=True), ear=ear
    )

    assert sorted((one.take, one.part) for one in ear.pieces) == [(0, 0), (1, 0)]


class Deaf(Ear):
    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def audio(self, piece: Piece) -> None:
        self.asked += 1
        raise OSError("no space")


async def test_song_is_not_lost_when_nobody_can_hear_it_grow(caplog: pytest.LogCaptureFixture) -> None:
    deaf, song = Deaf(), wav(0.01)

    delivery, _ = await heard(piece(song[:400]), piece(song[400:]), whole(b""), song=WAV_SONG, ear=deaf)

    assert (delivery.takes[0].audio, deaf.asked) == (song, 1)
    assert "not passed on" in caplog.text


# --- What goes wrong ----------------------------------------------------------------------------------------------

UNKNOWN = ("upstream_error", "unknown", False, None)


@pytest.mark.parametrize(
    ("events", "breaks"),
    [
        ((piece(b"a"), piece(b"b")), EOFError("cut")),
        ((piece(b"a"), piece(b"b")), None),
        ((piece(b"a"), b'data: {"data": {"audio": "61", "sta'), None),
        ((piece(b"a"), b"data: [DONE]\n\n"), None),
        ((piece(b"a"), event({"audio": "62", "status": 7})), None),
        ((piece(b"a"), event({"audio": "62"})), None),
        ((b": ping\n\n",), None),
        ((b"<html>",), None),
    ],
)
async def test_stream_without_its_end_is_of_unknown_fate(events: tuple[bytes, ...], breaks: Exception | None) -> None:
    assert await failed_by(*events, breaks=breaks) == UNKNOWN


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        (1027, ("content_policy", "not_made", False, "audio")),
        (1033, ("upstream_error", "not_made", True, None)),
        (1008, ("upstream_error", "not_made", False, None)),
        (4711, UNKNOWN),
    ],
)
async def test_code_of_any_event_is_judged(code: int, meant: tuple[str, str, bool, str | None]) -> None:
    assert await failed_by(piece(b"a"), event(None, code)) == meant
    assert await failed_by(piece(b"a"), event({"audio": "", "status": 2}, code)) == meant


async def test_gateway_that_waits_no_longer_leaves_the_fate_of_its_song_unknown() -> None:
    still_made = event({"audio": "", "status": 1}, 1001)

    assert await failed_by(still_made) == UNKNOWN
    assert await failed_by(piece(b"a"), still_made) == UNKNOWN
    assert await failed_by(event(None, 1001)) == ("upstream_error", "not_made", True, None)


async def test_code_nobody_described_before_any_audio_is_a_song_not_made() -> None:
    assert await failed_by(event({"audio": ""}), event(None, 4711)) == ("upstream_error", "not_made", True, None)
    assert await failed_by(event({"audio": "61", "status": 2}, 4711)) == UNKNOWN


async def test_event_too_long_to_be_read_before_any_piece_is_of_unknown_fate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "JSON_BYTES", 1000)

    assert await failed_by(whole(b"x" * 1000)) == UNKNOWN


async def test_song_that_grows_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "FILE_BYTES", 10)

    assert await failed_by(piece(b"12345"), piece(b"678901"), whole(b"")) == UNKNOWN
