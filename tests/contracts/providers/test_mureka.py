"""The wire `mureka` as an upstream, beyond what every provider plays: what is sent, takes, streams, what is told."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pytest

from generation.audio.encode import encode
from generation.audio.samples import Samples
from generation.contract import (
    AudioFormat,
    Delivery,
    Extend,
    Fault,
    Line,
    LyricsRequest,
    MissingTake,
    References,
    Section,
    SongRequest,
    SourceFile,
    SourceTrack,
    Word,
    WrittenLyrics,
)
from generation.models import Attempt, Event, Track
from generation.providers import http
from generation.providers.base import ProviderError, UpstreamAccess
from generation.providers.mureka import Mureka
from generation.providers.mureka.provider import NO_AUDIO, NO_TICKET
from ground.outbound import OUTBOUND
from tests.contracts.providers.conftest import Standin, live_through
from tests.contracts.providers.sounds import sound
from tests.contracts.providers.upstreams import CREDENTIAL, LYRICS, assert_paid, at_upstream, audio_of, song_of
from tests.generation.audio.test_label import DEMUXERS, packets_sha256
from tests.generation.providers.wayside import Ear
from tests.generation.worlds import World, submitted

SLUG: Final = "mureka"
MAAS: Final = "/v1/ai/our-endpoint/mureka"
SHAPES: Final = ("", "official")
UPLOADED: Final = SourceFile(
    audio=b"ID3 a voice", format="mp3", file_name='my "voice"\r\n.mp3', purpose="vocal", duration_ms=20_000
)
SUNG: Final = (
    Section("verse", 0, 900, (Line(100, 800, "la la", (Word(100, 400, "la "), Word(400, 800, "la"))),)),
)  # fmt: skip


class Shelf:
    """Satisfies `generation.providers.base.Sources`: one upload, one track."""

    def __init__(self, track: SourceTrack | None = None) -> None:
        self.asked: list[str] = []
        self._track = track

    async def file(self, file_id: str) -> SourceFile:
        self.asked.append(file_id)
        return UPLOADED

    async def track(self, track_id: str) -> SourceTrack:
        self.asked.append(track_id)
        assert self._track is not None
        return self._track


def access(standin: Standin, *, shape: str = "", **more: Any) -> UpstreamAccess:
    given: dict[str, Any] = {
        "base_url": standin.url,
        "credential": CREDENTIAL,
        "model": "mureka-9",
        "endpoint": "our-endpoint",
        "shape": shape,
        "connect_seconds": 10,
        "deadline_seconds": 20,
        "poll_seconds": 0.01,
        "reference": "ref-1",
        "http": OUTBOUND,
        **more,
    }
    return UpstreamAccess(**given)


def told(story: Any) -> Any:
    """What comes of a provider's call."""

    async def whole() -> Any:
        try:
            return await story
        finally:
            await OUTBOUND.close()

    return asyncio.run(whole())


def made(standin: Standin, song: SongRequest, *, ear: Ear | None = None, **more: Any) -> Delivery:
    delivery: Delivery = told(Mureka().make(song, access(standin, **more), ear or Ear()))
    return delivery


def orders_of(standin: Standin) -> list[tuple[str, dict[str, Any]]]:
    return [(order["path"], order["body"]) for order in standin.record["orders"]]


def meaning(failed: pytest.ExceptionInfo[ProviderError]) -> tuple[str, str, bool]:
    return failed.value.code, failed.value.seen, failed.value.retryable


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "FIRST_PAUSES_SECONDS", (0.02,) * 5)


@pytest.fixture
def standin(standin_of: Callable[[str], Standin]) -> Standin:
    return standin_of(SLUG)


# --- What was sent ------------------------------------------------------------------------------------------------


def test_order_is_sent_in_the_words_of_the_maas_wire(house: World, standin: Standin) -> None:
    at_upstream(house, standin, "good", provider=SLUG, endpoint="our-endpoint")
    job = submitted(house, prompt="a song", lyrics=LYRICS, title="Home", format="flac", sample_rate=44_100)

    ended = live_through(job)

    [order] = standin.record["orders"]
    assert (order["method"], order["path"], order["query"]) == ("POST", f"{MAAS}/song/generate", {})
    assert order["body"] == {"lyrics": LYRICS, "prompt": "a song", "n": 1}
    sent = {name: order["headers"][name] for name in ("authorization", "content-type", "accept")}
    assert sent == {
        "authorization": f"Bearer {CREDENTIAL}",
        "content-type": "application/json",
        "accept": "application/json",
    }
    assert {poll["path"] for poll in standin.record["asked"]} == {f"{MAAS}/song/query/1"}
    assert standin.record["asked"][0]["headers"]["authorization"] == f"Bearer {CREDENTIAL}"
    assert_paid(house, ended, 1)


def test_order_is_sent_in_the_words_of_the_official_wire(house: World, standin: Standin) -> None:
    at_upstream(house, standin, "good", provider=SLUG, shape="official")
    job = submitted(house, prompt="a song", lyrics=LYRICS)

    live_through(job)

    assert orders_of(standin) == [
        ("/v1/song/generate", {"model": "test-song-1", "lyrics": LYRICS, "prompt": "a song", "n": 1})
    ]
    assert {poll["path"] for poll in standin.record["asked"]} == {"/v1/song/query/1"}
    assert Attempt.unscoped.get(job=job).tickets == ["1"]
    assert song_of(job).upstream_id == "100"


def test_endpoint_leads_nowhere_else(standin: Standin) -> None:
    standin.play("good", shape="")

    made(standin, SongRequest(lyrics="la"), endpoint="../a b?c")

    assert [path for path, _ in orders_of(standin)] == ["/v1/ai/..%2Fa%20b%3Fc/mureka/song/generate"]


@pytest.mark.parametrize("shape", SHAPES)
def test_partial_audio_is_asked_for_as_a_stream(standin: Standin, shape: str) -> None:
    standin.play("good", shape=shape)

    made(standin, SongRequest(lyrics="la", partial_audio=True), shape=shape)

    [(_, body)] = orders_of(standin)
    assert body == {"lyrics": "la", "n": 1, "stream": True} | ({"model": "mureka-9"} if shape else {})


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("purpose", ["reference", "vocal", "melody"])
def test_file_the_song_leans_on_is_uploaded_before_the_order(standin: Standin, purpose: str, shape: str) -> None:
    standin.play("good", shape=shape)
    shelf = Shelf()

    made(standin, SongRequest(lyrics="la", references=References(**{purpose: "f-1"})), shape=shape, sources=shelf)

    [upload] = standin.record["uploads"]
    assert upload["path"] == ("/v1/files/upload" if shape else f"{MAAS}/files/upload")
    assert upload["headers"]["authorization"] == f"Bearer {CREDENTIAL}"
    assert upload["body"] == {
        "purpose": purpose,
        "file": {
            "file_name": "my_voice.mp3",
            "content_type": "audio/mpeg",
            "size": len(UPLOADED.audio),
            "sha256": hashlib.sha256(UPLOADED.audio).hexdigest(),
        },
    }
    [(_, body)] = orders_of(standin)
    assert body == {"lyrics": "la", "n": 1, f"{purpose}_id": "9001"} | ({"model": "mureka-9"} if shape else {})
    assert shelf.asked == ["f-1"]


def test_reference_and_voice_go_together_once_for_all_calls(standin: Standin) -> None:
    standin.play("good", shape="")
    song = SongRequest(lyrics="la", takes=4, references=References(reference="f-1", vocal="f-2"))

    made(standin, song, sources=Shelf())

    assert [upload["body"]["purpose"] for upload in standin.record["uploads"]] == ["reference", "vocal"]
    assert [(body["reference_id"], body["vocal_id"]) for _, body in orders_of(standin)] == [("9001", "9002")] * 2


@pytest.mark.parametrize(("shape", "at"), [("", "8000"), ("official", 8000)])
def test_song_it_knows_is_continued_by_its_id(standin: Standin, shape: str, at: object) -> None:
    standin.play("good", shape=shape)
    shelf = Shelf(SourceTrack(audio=b"x", format="mp3", duration_ms=9000, upstream_id="113875917733890"))

    made(standin, SongRequest(lyrics="la", extend=Extend(track="t-1", at_ms=8000)), shape=shape, sources=shelf)

    body = {"song_id": "113875917733890", "lyrics": "la", "extend_at": at}
    path = "/v1/song/extend" if shape else f"{MAAS}/song/extend"
    assert orders_of(standin) == [(path, body | ({"model": "mureka-9"} if shape else {}))]
    assert standin.record["uploads"] == []
    assert shelf.asked == ["t-1"]


@pytest.mark.parametrize(
    ("extend", "file_name", "audio"),
    [
        (Extend(track="t-1", at_ms=8000), "song.m4a", b"a song"),
        (Extend(upload="f-1", at_ms=8000), "my_voice.mp3", UPLOADED.audio),
    ],
)
def test_song_it_does_not_know_is_uploaded_to_be_continued(
    standin: Standin, extend: Extend, file_name: str, audio: bytes
) -> None:
    standin.play("good", shape="")
    shelf = Shelf(SourceTrack(audio=b"a song", format="m4a", duration_ms=9000))

    made(standin, SongRequest(lyrics="la", extend=extend), sources=shelf)

    [upload] = standin.record["uploads"]
    assert (upload["body"]["purpose"], upload["body"]["file"]["file_name"]) == ("audio", file_name)
    assert upload["body"]["file"]["sha256"] == hashlib.sha256(audio).hexdigest()
    assert orders_of(standin) == [
        (f"{MAAS}/song/extend", {"upload_audio_id": "9001", "lyrics": "la", "extend_at": "8000"})
    ]


def test_instrumental_song_has_a_call_of_its_own(standin: Standin) -> None:
    standin.play("good", shape="official")
    song = SongRequest(prompt="rain", instrumental=True, takes=2, references=References(reference="f-1"))

    delivery = made(standin, song, shape="official", sources=Shelf())

    assert standin.record["uploads"][0]["body"]["purpose"] == "instrumental"
    assert orders_of(standin) == [
        ("/v1/instrumental/generate", {"model": "mureka-9", "prompt": "rain", "instrumental_id": "9001", "n": 2})
    ]
    assert {poll["path"] for poll in standin.record["asked"]} == {"/v1/instrumental/query/1"}
    assert len(delivery.takes) == 2


@pytest.mark.parametrize(
    ("song", "shape", "param"),
    [
        (SongRequest(prompt="rain", instrumental=True), "", "instrumental"),
        (SongRequest(instrumental=True, extend=Extend(track="t", at_ms=8000)), "official", "instrumental"),
        (SongRequest(instrumental=True, references=References(vocal="f-1")), "official", "vocal"),
        (SongRequest(instrumental=True, references=References(melody="f-1")), "official", "melody"),
        (SongRequest(instrumental=True, lyrics="la"), "official", "lyrics"),
    ],
)
def test_what_the_wire_cannot_say_is_refused_before_anything_is_sent(
    standin: Standin, song: SongRequest, shape: str, param: str
) -> None:
    standin.play("good", shape=shape)

    with pytest.raises(ProviderError) as failed:
        made(standin, song, shape=shape, sources=Shelf())

    assert (*meaning(failed), failed.value.param) == ("unsupported_parameter", "not_made", False, param)
    assert (standin.record["orders"], standin.record["uploads"]) == ([], [])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("scene", "retryable"), [("refused_upload", False), ("lost_upload", True)])
def test_song_whose_file_was_not_taken_is_not_ordered(
    standin: Standin, scene: str, retryable: bool, shape: str
) -> None:
    standin.play(scene, shape=shape)

    with pytest.raises(ProviderError) as failed:
        made(standin, SongRequest(lyrics="la", references=References(vocal="f-1")), shape=shape, sources=Shelf())

    assert meaning(failed) == ("upstream_error", "not_made", retryable)
    assert ("shorter than 15 seconds" in str(failed.value)) == (scene == "refused_upload")
    assert (len(standin.record["uploads"]), standin.record["orders"]) == (1, [])


# --- Takes --------------------------------------------------------------------------------------------------------


def test_five_takes_are_three_and_two(standin: Standin) -> None:
    standin.play("good", shape="")
    ear = Ear()

    delivery = made(standin, SongRequest(lyrics="la", takes=5), ear=ear)

    assert sorted(body["n"] for _, body in orders_of(standin)) == [2, 3]
    assert [len(take.audio) for take in delivery.takes] == [len(sound())] * 5
    assert len({take.upstream_id for take in delivery.takes}) == 5
    assert sorted(ear.tickets) == ["1", "2"]
    assert delivery.missing == ()


def test_continuations_are_ordered_one_by_one(standin: Standin) -> None:
    standin.play("good", shape="")
    song = SongRequest(lyrics="la", takes=2, extend=Extend(upload="f-1", at_ms=8000))

    delivery = made(standin, song, sources=Shelf())

    assert (len(orders_of(standin)), len(delivery.takes), len(standin.record["uploads"])) == (2, 2, 1)


def test_take_that_did_not_come_is_missing_and_not_paid(house: World, standin: Standin) -> None:
    at_upstream(house, standin, "one_too_few", provider=SLUG)
    job = submitted(house, lyrics=LYRICS, takes=3)

    ended = live_through(job)

    assert (ended.state, Track.unscoped.filter(job=job).count()) == ("succeeded", 2)
    assert_paid(house, ended, 2)


def test_takes_that_lack_are_named(standin: Standin) -> None:
    standin.play("one_too_few", shape="")

    delivery = made(standin, SongRequest(lyrics="la", takes=3))

    assert len(delivery.takes) == 2
    assert delivery.missing == (MissingTake(Fault("upstream_error", NO_AUDIO), is_unknown=True),)


def test_takes_of_a_call_that_was_refused_are_missing(standin: Standin) -> None:
    standin.play("second_refused", shape="")

    delivery = made(standin, SongRequest(lyrics="la", takes=6))

    assert len(delivery.takes) == 3
    assert [(lost.fault.code, lost.is_unknown) for lost in delivery.missing] == [("upstream_error", False)] * 3


def test_song_without_a_link_or_behind_a_forbidden_one_does_not_hide_the_others(standin: Standin) -> None:
    no_link = {"url": None, "wav_url": None, "flac_url": None}
    forbidden = dict.fromkeys(no_link, "http://169.254.169.254/latest")
    standin.play("good", shape="", choices=[no_link, forbidden, {}])

    delivery = made(standin, SongRequest(lyrics="la", takes=3))

    assert [take.upstream_id for take in delivery.takes] == ["102"]
    assert [lost.is_unknown for lost in delivery.missing] == [True, True]


def test_song_that_cannot_be_fetched_in_time_does_not_hold_up_the_others(standin: Standin) -> None:
    nowhere = dict.fromkeys(("url", "wav_url", "flac_url"), f"{standin.url}/never")
    standin.play("good", shape="", choices=[{}, nowhere])

    delivery = made(standin, SongRequest(lyrics="la", takes=2), deadline_seconds=2)

    assert ([take.upstream_id for take in delivery.takes], len(delivery.missing)) == (["100"], 1)


def test_songs_stand_in_the_order_of_their_index(standin: Standin) -> None:
    standin.play("good", shape="official", choices=[{"index": 2}, {"index": 0}, {"index": 1}])

    delivery = made(standin, SongRequest(lyrics="la", takes=3), shape="official")

    assert [take.upstream_id for take in delivery.takes] == ["101", "102", "100"]


# --- What came ----------------------------------------------------------------------------------------------------


def encoded(extension: AudioFormat) -> bytes:
    moments = np.arange(44_100) / 44_100
    sine = (0.3 * np.sin(2 * np.pi * 330 * moments)).astype(np.float32)
    return encode(Samples(np.stack([sine, sine], axis=1), 44_100), extension, tags={"title": "As it came"})


FILES: Final = {"mp3": encoded("mp3"), "wav": encoded("wav"), "flac": encoded("flac")}
IN_HEX: Final = {extension: data.hex() for extension, data in FILES.items()}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("extension", ["mp3", "wav", "flac"])
def test_packets_are_the_upstreams_where_nothing_is_transcoded(
    house: World, standin: Standin, extension: str, shape: str
) -> None:
    at_upstream(house, standin, "good", provider=SLUG, shape=shape, files=IN_HEX)
    job = submitted(house, lyrics=LYRICS, format=extension)

    live_through(job)

    demuxer = DEMUXERS[extension]
    assert song_of(job).format == extension
    assert packets_sha256(audio_of(job), demuxer) == packets_sha256(FILES[extension], demuxer)


@pytest.mark.parametrize(
    ("wanted", "fetched"),
    [
        (None, "mp3"),
        ("mp3", "mp3"),
        ("wav", "wav"),
        ("pcm", "wav"),
        ("flac", "flac"),
        ("opus", "flac"),
        ("m4a", "flac"),
    ],
)
def test_file_nearest_to_the_order_is_fetched(standin: Standin, wanted: Any, fetched: str) -> None:
    standin.play("good", shape="", files=IN_HEX)

    delivery = made(standin, SongRequest(lyrics="la", format=wanted))

    assert [take.audio for take in delivery.takes] == [FILES[fetched]]


def test_file_that_is_not_offered_is_replaced_by_the_next_best(standin: Standin) -> None:
    standin.play("good", shape="", files=IN_HEX, choices=[{"wav_url": None}])

    delivery = made(standin, SongRequest(lyrics="la", format="wav"))

    assert delivery.takes[0].audio == FILES["flac"]


def test_moments_of_the_words_are_kept(house: World, standin: Standin) -> None:
    at_upstream(house, standin, "good", provider=SLUG)
    job = submitted(house, lyrics=LYRICS)

    live_through(job)

    [section] = song_of(job).sections
    assert (section["section_type"], section["start"], section["end"]) == ("verse", 0, 900)
    assert section["lines"][0]["words"][1] == {"start": 400, "end": 800, "text": "la"}


def test_sections_are_read_with_tolerance(standin: Standin) -> None:
    strange = [
        {"section_type": "Pre Chorus", "start": 1.0, "end": 900.7, "lines": None},
        {"section_type": "Hook", "start": 900, "end": 100, "lines": [{"text": "la\x00", "words": ["no"]}, "no"]},
        {"section_type": "Guitar Thing", "start": "soon", "end": True},
        "no",
    ]
    standin.play("good", shape="", choices=[{"lyrics_sections": strange}])

    delivery = made(standin, SongRequest(lyrics="la"))

    assert delivery.takes[0].sections == (
        Section("pre-chorus", 1, 900),
        Section("chorus", 900, 900, (Line(0, 0, "la"),)),
        Section("break", 0, 0),
    )


# --- While it is made ---------------------------------------------------------------------------------------------


def test_song_is_heard_while_it_is_made(house: World, standin: Standin) -> None:
    files = {"stream": FILES["mp3"].hex(), "mp3": FILES["mp3"].hex()}
    at_upstream(house, standin, "streaming", provider=SLUG, files=files)
    house.mapping.llm.capabilities["streaming"] = "live"
    house.mapping.llm.save()
    job = submitted(house, lyrics=LYRICS, partial_audio=True)

    ended = live_through(job)

    heard = [event.data for event in Event.objects.filter(job=job, type="audio").order_by("seq")]
    assert [(one["take"], one["part"], one["format"]) for one in heard] == [(0, 0, "mp3"), (0, 1, "mp3")]
    assert {(one["sample_rate"], one["channels"]) for one in heard} == {(44_100, 2)}
    assert ended.state == "succeeded"


def test_pieces_are_whole_frames_and_together_the_song(standin: Standin) -> None:
    standin.play("streaming", shape="official", files={"stream": FILES["mp3"].hex()})
    ear = Ear()

    made(standin, SongRequest(lyrics="la", takes=4, partial_audio=True), shape="official", ear=ear)

    for take in range(4):
        pieces = [piece for piece in ear.pieces if piece.take == take]
        whole = b"".join(piece.data for piece in pieces)
        assert [piece.part for piece in pieces] == [0, 1]
        assert packets_sha256(whole, "mp3") == packets_sha256(FILES["mp3"], "mp3")


@pytest.mark.parametrize(
    "choices",
    [
        [{"stream_url": "http://169.254.169.254/latest"}],
        [{"stream_url": "http://127.0.0.1:1/closed"}],
        [{"stream_url": "ftp://files.example/x"}],
        [{"stream_url": 7}],
        [{}],
    ],
)
def test_stream_that_cannot_be_heard_fails_no_song(standin: Standin, choices: list[dict[str, Any]]) -> None:
    standin.play("streaming", shape="", choices=choices, files={"stream": b"<html>not music</html>".hex()})
    ear = Ear()

    delivery = made(standin, SongRequest(lyrics="la", partial_audio=True), ear=ear)

    assert (len(delivery.takes), ear.pieces) == (1, [])


def test_listener_that_breaks_fails_no_song(standin: Standin, caplog: pytest.LogCaptureFixture) -> None:
    class Deaf(Ear):
        async def audio(self, piece: object) -> None:
            raise RuntimeError("no disk")

    standin.play("streaming", shape="", files={"stream": FILES["mp3"].hex()})

    delivery = made(standin, SongRequest(lyrics="la", partial_audio=True), ear=Deaf())

    assert len(delivery.takes) == 1
    assert "What can be heard of a song was not passed on." in caplog.text


def test_song_nobody_wants_to_hear_early_is_not_streamed(standin: Standin) -> None:
    standin.play("streaming", shape="", files={"stream": FILES["mp3"].hex()})
    ear = Ear()

    made(standin, SongRequest(lyrics="la"), ear=ear)

    assert (ear.pieces, standin.record["fetched"]) == ([], 1)


# --- Taken up again -----------------------------------------------------------------------------------------------


def resumed(standin: Standin, song: SongRequest, tickets: Sequence[str], **more: Any) -> Delivery:
    delivery: Delivery = told(Mureka().resume(song, access(standin, **more), tickets, Ear()))
    return delivery


@pytest.mark.parametrize("shape", SHAPES)
def test_song_of_an_earlier_process_is_fetched_and_not_ordered_again(standin: Standin, shape: str) -> None:
    standin.play("good", shape=shape)
    song, ear = SongRequest(lyrics="la", takes=5), Ear()
    delivered = made(standin, song, shape=shape, ear=ear)

    delivery = resumed(standin, song, sorted(ear.tickets, reverse=True), shape=shape)

    assert {take.upstream_id for take in delivery.takes} == {take.upstream_id for take in delivered.takes}
    assert (len(delivery.takes), delivery.missing, len(standin.record["orders"])) == (5, (), 2)


def test_task_whose_id_was_lost_is_missing_and_perhaps_made(standin: Standin) -> None:
    standin.play("good", shape="")
    ear = Ear()
    made(standin, SongRequest(lyrics="la", takes=3), ear=ear)

    delivery = resumed(standin, SongRequest(lyrics="la", takes=5), ear.tickets)

    assert len(delivery.takes) == 3
    assert delivery.missing == (MissingTake(Fault("upstream_error", NO_TICKET), is_unknown=True),) * 2


def test_more_songs_than_were_ordered_are_left_there(standin: Standin) -> None:
    standin.play("good", shape="")
    ear = Ear()
    made(standin, SongRequest(lyrics="la", takes=3), ear=ear)

    delivery = resumed(standin, SongRequest(lyrics="la", takes=2), ear.tickets)

    assert (len(delivery.takes), delivery.missing) == (2, ())


@pytest.mark.parametrize("tickets", [[], ["../files"]])
def test_order_without_a_ticket_is_of_unknown_fate(standin: Standin, tickets: list[str]) -> None:
    standin.play("good", shape="")

    with pytest.raises(ProviderError) as failed:
        resumed(standin, SongRequest(lyrics="la"), tickets)

    assert meaning(failed) == ("upstream_error", "unknown", False)
    assert (standin.record["orders"], standin.record["asked"]) == ([], [])


def test_instrumental_song_is_asked_for_where_it_was_ordered(standin: Standin) -> None:
    standin.play("good", shape="official")
    song, ear = SongRequest(prompt="rain", instrumental=True), Ear()
    made(standin, song, shape="official", ear=ear)

    resumed(standin, song, ear.tickets, shape="official")

    assert {poll["path"] for poll in standin.record["asked"]} == {"/v1/instrumental/query/1"}


# --- Texts --------------------------------------------------------------------------------------------------------


def written(standin: Standin, request: LyricsRequest, *, shape: str = "official") -> WrittenLyrics:
    lyrics: WrittenLyrics = told(Mureka().write(request, access(standin, shape=shape)))
    return lyrics


def test_lyrics_are_written_by_the_official_wire(standin: Standin) -> None:
    standin.play("good", shape="official")

    lyrics = written(standin, LyricsRequest(prompt="a harbour at night"))

    assert lyrics == WrittenLyrics(lyrics="[Verse]\nThe harbour sleeps", title="Harbour")
    assert orders_of(standin) == [("/v1/lyrics/generate", {"prompt": "a harbour at night"})]


def test_title_that_was_ordered_stays(standin: Standin) -> None:
    standin.play("good", shape="official")

    assert written(standin, LyricsRequest(prompt="a harbour", title="Quay")).title == "Quay"


@pytest.mark.parametrize(
    ("request_", "shape", "scene"),
    [
        (LyricsRequest(prompt="x"), "", "good"),
        (LyricsRequest(prompt="x", lyrics="la", is_edit=True), "official", "good"),
        (LyricsRequest(prompt="x"), "official", "wrong_key"),
    ],
)
def test_lyrics_nobody_writes_are_not_made(standin: Standin, request_: LyricsRequest, shape: str, scene: str) -> None:
    standin.play(scene, shape=shape)

    with pytest.raises(ProviderError) as failed:
        written(standin, request_, shape=shape)

    assert meaning(failed) == ("upstream_error", "not_made", False)
    assert len(standin.record["orders"]) == (scene == "wrong_key")


# --- What is told -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_our_key_is_told_to_nobody(
    house: World, standin: Standin, shape: str, caplog: pytest.LogCaptureFixture
) -> None:
    at_upstream(house, standin, "wrong_key", provider=SLUG, shape=shape)

    ended = live_through(submitted(house, lyrics=LYRICS))

    assert "Incorrect API key provided: [redacted]" in caplog.text
    assert CREDENTIAL not in caplog.text + ended.error_message


@pytest.mark.parametrize("shape", SHAPES)
def test_refusal_is_told_in_the_upstreams_words(house: World, standin: Standin, shape: str) -> None:
    at_upstream(house, standin, "refused_order", provider=SLUG, shape=shape)

    ended = live_through(submitted(house, lyrics=LYRICS))

    assert ended.error_message.endswith("It said: The lyrics are too long.")
