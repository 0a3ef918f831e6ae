"""The wire `minimax` as an upstream: what is asked, what is heard, and what each code of it means for the money."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from generation.contract import Delivery, LyricsRequest, RawTake, SongRequest, WrittenLyrics
from generation.providers.base import ProviderError, WritesLyrics
from generation.providers.minimax import MiniMax
from generation.providers.minimax.order import order_fields
from tests.generation.providers.wayside import Ear, Said, Wayside, access, as_json

SONG = SongRequest(prompt="a song", lyrics="[Verse]\nla")
AUDIO = b"ID3 a song"
BEST: Final[dict[str, Any]] = {"sample_rate": 44_100, "bitrate": 256_000, "format": "mp3"}


def said(data: Any = None, code: Any = 0, status: int = 200, **more: Any) -> Said:
    return as_json({"data": data, "base_resp": {"status_code": code, "status_msg": "hm"}, **more}, status)


READY = said({"audio": AUDIO.hex(), "status": 2}, trace_id="t-1")


async def made(*answers: Said | Exception, song: SongRequest = SONG, **more: Any) -> tuple[Delivery, Wayside]:
    upstream, way = access(*answers, **more)
    return await MiniMax().make(song, upstream, Ear()), way


async def failed_by(*answers: Said | Exception, **more: Any) -> tuple[str, str, bool, str | None]:
    with pytest.raises(ProviderError) as failed:
        await made(*answers, **more)
    error = failed.value
    return error.code, error.seen, error.retryable, error.param


# --- What is asked ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("song", "fields"),
    [
        (SongRequest(prompt="p", lyrics="l"), {"prompt": "p", "lyrics": "l"}),
        (SongRequest(lyrics="l"), {"lyrics": "l"}),
        (SongRequest(prompt="p", instrumental=True), {"prompt": "p", "is_instrumental": True}),
        (SongRequest(prompt="p", write_lyrics=True), {"prompt": "p", "lyrics_optimizer": True}),
        (SongRequest(prompt="p"), {"prompt": "p", "lyrics_optimizer": True}),
        (
            SongRequest(prompt="p", lyrics="l", write_lyrics=True),
            {"prompt": "p", "lyrics": "l", "lyrics_optimizer": True},
        ),
        (SongRequest(lyrics="l", watermark=True), {"lyrics": "l", "aigc_watermark": True}),
        (SongRequest(lyrics="l", partial_audio=True), {"lyrics": "l", "stream": True}),
        (SongRequest(lyrics="l", partial_audio=True, watermark=True), {"lyrics": "l", "stream": True}),
        # What the wire has no word for was refused before, or is made by us.
        (SongRequest(lyrics="l", title="t", takes=3), {"lyrics": "l"}),
    ],
)
def test_order_is_asked_in_the_words_of_the_wire(song: SongRequest, fields: dict[str, Any]) -> None:
    upstream, _ = access(READY)

    assert order_fields(song, upstream) == {
        "model": "music-2.6",
        "output_format": "hex",
        "audio_setting": BEST,
        **fields,
    }


@pytest.mark.parametrize(
    ("ordered", "asked"),
    [
        ({}, {}),
        ({"format": "mp3", "sample_rate": 16_000, "bitrate": 32_000, "channels": 1}, {"channel": 1}),
        ({"format": "mp3", "channels": 2}, {"channel": 2}),
        ({"sample_rate": 24_000, "bitrate": 64_000}, {}),
        ({"format": "mp3", "sample_rate": 8_000, "bitrate": 192_000}, {"sample_rate": 44_100, "bitrate": 256_000}),
        ({"format": "mp3", "sample_rate": 48_000, "bitrate": 320_000}, {"sample_rate": 44_100, "bitrate": 256_000}),
        ({"format": "wav", "sample_rate": 32_000}, {"format": "wav"}),
        ({"format": "flac", "sample_rate": 96_000}, {"format": "wav", "sample_rate": 44_100}),
        ({"format": "pcm", "sample_rate": 16_000}, {"format": "wav"}),
        ({"format": "opus", "sample_rate": 48_000, "bitrate": 64_000}, {"sample_rate": 44_100, "bitrate": 256_000}),
        ({"format": "m4a", "sample_rate": 32_000, "bitrate": 128_000}, {"sample_rate": 44_100, "bitrate": 256_000}),
    ],
)
def test_audio_is_asked_as_ordered_or_as_the_best_to_transcode(ordered: dict[str, Any], asked: dict[str, Any]) -> None:
    upstream, _ = access(READY)
    plain = {name: ordered[name] for name in ("sample_rate", "bitrate") if name in ordered}

    fields = order_fields(SongRequest(lyrics="l", **ordered), upstream)

    assert fields["audio_setting"] == BEST | plain | asked


@pytest.mark.parametrize("audio_format", ["wav", "flac", "pcm"])
def test_long_files_are_asked_for_as_links_unless_they_come_in_pieces(audio_format: Any) -> None:
    upstream, _ = access(READY)
    song = SongRequest(lyrics="l", format=audio_format)

    assert order_fields(song, upstream)["output_format"] == "url"
    streamed = SongRequest(lyrics="l", format=audio_format, partial_audio=True)
    assert order_fields(streamed, upstream)["output_format"] == "hex"


# --- What is heard ------------------------------------------------------------------------------------------------


async def test_song_in_hex_is_taken_with_its_trace() -> None:
    delivery, way = await made(READY)

    assert delivery == Delivery(takes=(RawTake(audio=AUDIO, upstream_id="t-1"),))
    [sent] = way.sent
    assert (sent.method, sent.url) == ("POST", "https://up.example/v1/music_generation")
    assert sent.headers == {
        "Authorization": "Bearer sk-secret",
        "Idempotency-Key": "ref-1",
        "Accept": "application/json",
        "Content-Type": "application/json",
    }


@pytest.mark.parametrize(
    "data",
    [
        {"audio": "https://files.example/1.mp3", "audio_url": "https://files.example/2.mp3", "status": 2},
        {"audio": " HTTPS://files.example/1.mp3\n"},
        {"audio": "", "audio_url": "https://files.example/1.mp3"},
        {"audio_url": "https://files.example/1.mp3"},
    ],
)
async def test_link_is_followed_without_our_key(data: dict[str, Any]) -> None:
    delivery, way = await made(said(data), Said(503), Said(200, AUDIO))

    assert delivery.takes[0].audio == AUDIO
    assert [(sent.method, sent.url.lower(), sent.headers) for sent in way.sent[1:]] == [
        ("GET", "https://files.example/1.mp3", {})
    ] * 2


@pytest.mark.parametrize("said_code", [0, "0"])
async def test_success_may_be_written_as_text(said_code: Any) -> None:
    answer = as_json({"data": {"audio": AUDIO.hex(), "status": "2"}, "base_resp": {"status_code": said_code}})

    assert (await made(answer))[0].takes[0].audio == AUDIO


async def test_code_of_thousands_of_digits_says_nothing() -> None:
    # Python reads no number that long.
    assert (await made(said(SOUND, 9999 * "9")))[0].takes[0].audio == AUDIO


async def test_audio_without_a_code_is_a_song() -> None:
    assert (await made(as_json({"data": {"audio": AUDIO.hex()}})))[0].takes[0].audio == AUDIO


@pytest.mark.parametrize("audio", ["", "  ", "no hex", "abc", "ftp://files.example/x", None, 7, ["00"], {"url": "x"}])
async def test_success_without_audio_delivers_nothing_to_hear(audio: Any) -> None:
    delivery, _ = await made(said({"audio": audio, "status": 2}))

    assert [take.audio for take in delivery.takes] == [b""]


@pytest.mark.parametrize("trace", ["../x", "a b", "", 7, None, "x" * 201])
async def test_trace_that_is_no_plain_id_is_not_kept(trace: Any) -> None:
    delivery, _ = await made(said({"audio": AUDIO.hex()}, trace_id=trace))

    assert delivery.takes[0].upstream_id == ""


@pytest.mark.parametrize(
    "answer",
    [
        said({"audio": AUDIO.hex(), "status": 2, "lyrics": "[Verse]\nl\x00a"}),
        said({"audio": AUDIO.hex(), "status": 2}, lyrics=" [Verse]\nla\n"),
    ],
)
async def test_lyrics_it_was_to_write_are_taken(answer: Said) -> None:
    written, _ = await made(answer, song=SongRequest(prompt="p", write_lyrics=True))
    given, _ = await made(answer)

    assert (written.lyrics, given.lyrics) == ("[Verse]\nla", None)


@pytest.mark.parametrize("lyrics", [None, "", 7, ["la"]])
async def test_song_without_readable_lyrics_is_one_all_the_same(lyrics: Any) -> None:
    delivery, _ = await made(said({"audio": AUDIO.hex()}, lyrics=lyrics), song=SongRequest(prompt="p"))

    assert (delivery.takes[0].audio, delivery.lyrics) == (AUDIO, None)


async def test_mark_that_the_upstream_sets_is_told() -> None:
    marked, _ = await made(READY, song=SongRequest(lyrics="l", watermark=True))
    streamed, _ = await made(READY, song=SongRequest(lyrics="l", watermark=True, partial_audio=True))

    assert (marked.takes[0].is_watermarked, streamed.takes[0].is_watermarked) == (True, False)


async def test_takes_are_ordered_one_by_one() -> None:
    delivery, way = await made(READY, song=SongRequest(lyrics="l", takes=3))

    assert (len(delivery.takes), len(way.sent)) == (3, 3)
    assert len({str(sent.body) for sent in way.sent}) == 1


# --- What a code means --------------------------------------------------------------------------------------------

LATER = ("upstream_error", "not_made", True, None)
VAIN = ("upstream_error", "not_made", False, None)
UNKNOWN = ("upstream_error", "unknown", False, None)
SOUND = {"audio": AUDIO.hex(), "status": 2}


@pytest.mark.parametrize("status", [200, 429, 500, 503])
@pytest.mark.parametrize(
    ("code", "meant"),
    [
        *[(code, LATER) for code in (1000, 1001, 1002, 1024, 1033, 1039, 1041, 2045)],
        *[(code, VAIN) for code in (1004, 1008, 1042, 2013, 2049, 2056, 2061)],
        (1026, ("content_policy", "not_made", False, None)),
        (1027, ("content_policy", "not_made", False, "audio")),
    ],
)
async def test_code_means_the_same_whatever_its_status(
    code: int, meant: tuple[str, str, bool, str | None], status: int
) -> None:
    assert await failed_by(said(None, code, status)) == meant
    assert await failed_by(said(None, str(code), status)) == meant
    assert await failed_by(said(SOUND, code, status)) == meant


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        (said(None, 4711), LATER),
        (said({"audio": ""}, 4711), LATER),
        (said(None, 4711, 500), LATER),
        (said(None, 4711, 429), LATER),
        (said(None, 4711, 403), VAIN),
        (said(None, 4711, 400), VAIN),
        (said(SOUND, 4711), UNKNOWN),
        (said(SOUND, 0, 500), UNKNOWN),
        (said(SOUND, 0, 404), VAIN),
        (said({"audio": AUDIO.hex(), "status": 1}), UNKNOWN),
        (said({"audio": AUDIO.hex(), "status": 7}), UNKNOWN),
        (said({"audio": "", "status": 1}), UNKNOWN),
        (as_json(["a", "list"]), UNKNOWN),
        (as_json({}), UNKNOWN),
        (Said(200, b"<html>"), UNKNOWN),
        (Said(500), UNKNOWN),
        (Said(503, headers={"retry-after": "2"}), LATER),
        (Said(404), VAIN),
        # A gateway that waits no longer for the song it has ordered, and one that never began it.
        (said({"audio": "", "status": 1}, 1001), UNKNOWN),
        (said({"audio": "", "status": "1"}, "1001", 500), UNKNOWN),
        (said({"audio": "", "status": 2}, 1001), LATER),
        (said(None, 1001), LATER),
        (EOFError(), UNKNOWN),
        (ConnectionError(), LATER),
    ],
)
@pytest.mark.parametrize("partial_audio", [False, True])
async def test_answer_without_a_song_means(
    answer: Said | Exception, meant: tuple[str, str, bool, str | None], partial_audio: bool
) -> None:
    assert await failed_by(answer, song=SongRequest(lyrics="l", partial_audio=partial_audio)) == meant


async def test_order_is_never_sent_twice_by_itself() -> None:
    upstream, way = access(said(None, 1002), READY)

    with pytest.raises(ProviderError):
        await MiniMax().make(SONG, upstream, Ear())

    assert len(way.sent) == 1


async def test_link_that_never_opens_leaves_the_fate_unknown() -> None:
    answer = said({"audio": "https://files.example/1.mp3"})

    assert await failed_by(answer, Said(503), deadline_seconds=0.05) == UNKNOWN


# --- Lyrics -------------------------------------------------------------------------------------------------------

TEXT = as_json(
    {
        "song_title": "Home",
        "style_tags": "Folk, Slow",
        "lyrics": "[Verse]\nla\n",
        "base_resp": {"status_code": 0, "status_msg": "success"},
    }
)


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (LyricsRequest(prompt="p"), {"mode": "write_full_song", "prompt": "p"}),
        (LyricsRequest(prompt="p", title="t", seed=7), {"mode": "write_full_song", "prompt": "p", "title": "t"}),
        (LyricsRequest(prompt="p", lyrics="l", is_edit=True), {"mode": "edit", "prompt": "p", "lyrics": "l"}),
        (LyricsRequest(), {"mode": "write_full_song"}),
    ],
)
async def test_lyrics_are_asked_for(request_: LyricsRequest, fields: dict[str, Any]) -> None:
    upstream, way = access(TEXT)

    written = await MiniMax().write(request_, upstream)

    [sent] = way.sent
    assert (sent.method, sent.url, sent.body) == ("POST", "https://up.example/v1/lyrics_generation", fields)
    assert written == WrittenLyrics(lyrics="[Verse]\nla", title="Home", style_tags="Folk, Slow")


async def test_lyrics_alone_are_enough() -> None:
    upstream, _ = access(as_json({"lyrics": "la", "song_title": None}))

    assert await MiniMax().write(LyricsRequest(prompt="p"), upstream) == WrittenLyrics(lyrics="la")


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        (said(None, 1026), ("content_policy", "not_made", False, None)),
        (said(None, 1002), LATER),
        (said(None, 2049), VAIN),
        (said(None, 1001), LATER),
        (replace(said(None, 1001), headers={"x-should-retry": "false"}), UNKNOWN),
        (as_json({"lyrics": "", "base_resp": {"status_code": 0}}), UNKNOWN),
        (as_json({"lyrics": 7}), UNKNOWN),
        (Said(200, b"<html>"), UNKNOWN),
        (EOFError(), UNKNOWN),
    ],
)
async def test_answer_without_lyrics_means(answer: Said | Exception, meant: tuple[str, str, bool, str | None]) -> None:
    upstream, _ = access(answer)

    with pytest.raises(ProviderError) as failed:
        await MiniMax().write(LyricsRequest(prompt="p"), upstream)

    error = failed.value
    assert (error.code, error.seen, error.retryable, error.param) == meant


def test_it_writes_lyrics_and_bills_for_each_song() -> None:
    assert isinstance(MiniMax(), WritesLyrics)
    assert not MiniMax().repeatable
