"""The wire `musicgen` as an upstream, where no stand-in is needed: pauses, bounds, odd events."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from generation.contract import SongRequest
from generation.providers import musicgen_http
from generation.providers.base import Incoming, ProviderError, UpstreamAccess
from generation.providers.musicgen_http import MusicGenHttp, order_fields
from generation.providers.shares import lines_of
from tests.generation.providers.wayside import Ear, access

SONG = SongRequest(prompt="a song", instrumental=True)
START = b'data: {"event": "start"}\n\n'


def completed(audio: str = base64.b64encode(b"RIFF").decode()) -> bytes:
    return b"data: " + json.dumps({"event": "completed", "audio": audio}).encode() + b"\n\n"


def progress(percent: str) -> bytes:
    return b'data: {"event": "progress", "progress": %b}\n\n' % percent.encode()


@dataclass
class Stream:
    """Satisfies `Incoming`."""

    pieces: tuple[bytes | Exception, ...]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def redacted(self, text: str) -> str:
        return text.replace("sk-secret", "[redacted]")

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


class Way:
    """Satisfies `Http`: answers in order, the last one again and again; None never answers."""

    def __init__(self, *answers: Stream | Exception | None) -> None:
        self.answers = list(answers)
        self.sent: list[dict[str, Any]] = []

    async def send(self, method: str, url: str, **options: Any) -> Any:
        raise NotImplementedError

    @asynccontextmanager
    async def open(self, method: str, url: str, **options: Any) -> AsyncIterator[Incoming]:
        answer = self.answers[min(len(self.sent), len(self.answers) - 1)]
        self.sent.append({"method": method, "url": url, **options})
        if answer is None:
            await asyncio.sleep(60)
        if isinstance(answer, Exception):
            raise answer
        yield answer  # type: ignore[misc]  # None never comes here


def stream(*pieces: bytes | Exception) -> Stream:
    return Stream(pieces)


def at(*answers: Stream | Exception | None, **more: Any) -> tuple[UpstreamAccess, Way]:
    way = Way(*answers)
    upstream, _ = access(http=way, **more)
    return upstream, way


async def failure_of(upstream: UpstreamAccess) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        await MusicGenHttp().make(SONG, upstream, Ear())
    return caught.value


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is slept, without sleeping."""
    slept: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        slept.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", note)
    return slept


# --- Busy ---------------------------------------------------------------------------------------------------------


async def test_busy_service_is_asked_again_after_its_pause_or_two_seconds(pauses: list[float]) -> None:
    upstream, way = at(
        Stream((), 503), Stream((b"busy",), 503, {"retry-after": "7"}), stream(START, completed()), deadline_seconds=90
    )

    delivery = await MusicGenHttp().make(SONG, upstream, Ear())

    assert ([take.audio for take in delivery.takes], pauses) == ([b"RIFF"], [2.0, 7.0])
    assert len(way.sent) == 3


async def test_pause_of_no_seconds_is_two_seconds(pauses: list[float]) -> None:
    upstream, _ = at(Stream((), 503, {"retry-after": "0"}), stream(completed()), deadline_seconds=90)

    await MusicGenHttp().make(SONG, upstream, Ear())

    assert pauses == [musicgen_http.BUSY_PAUSE_SECONDS]


async def test_takes_beside_each_other_wait_for_the_one_slot_until_the_deadline(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(musicgen_http, "BUSY_SECONDS", 0.0)
    upstream, _ = at(stream(completed()), *5 * [Stream((), 503)], stream(completed()), deadline_seconds=90)

    delivery = await MusicGenHttp().make(replace(SONG, takes=2), upstream, Ear())

    assert ([take.audio for take in delivery.takes], delivery.missing, pauses) == ([b"RIFF"] * 2, (), 5 * [2.0])


async def test_take_beside_others_is_not_waited_for_beyond_the_deadline(pauses: list[float]) -> None:
    upstream, way = at(stream(completed()), Stream((), 503, {"retry-after": "91"}), deadline_seconds=90)

    delivery = await MusicGenHttp().make(replace(SONG, takes=2), upstream, Ear())

    assert (len(delivery.takes), len(delivery.missing), len(way.sent), pauses) == (1, 1, 2, [])


async def test_service_that_stays_busy_is_left_to_another_try(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(musicgen_http, "BUSY_SECONDS", 5.0)
    upstream, way = at(Stream((), 503, {"retry-after": "6"}), deadline_seconds=90)

    error = await failure_of(upstream)

    assert (error.seen, error.retryable, error.retry_after, len(way.sent), pauses) == ("not_made", True, 6.0, 1, [])


# --- What is known of a broken stream -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        stream(START, EOFError("cut")),
        stream(START),
        stream(),
        stream(b"<html>\n\n</html>"),
        stream(START, completed()[:-20]),
        EOFError("silent"),
    ],
)
async def test_song_that_did_not_come_was_not_made(answer: Stream | Exception) -> None:
    upstream, _ = at(answer)

    error = await failure_of(upstream)

    assert (error.code, error.seen, error.retryable) == ("upstream_error", "not_made", True)


async def test_silence_until_the_deadline_is_the_same() -> None:
    upstream, _ = at(None, deadline_seconds=0.01)

    error = await failure_of(upstream)

    assert (error.seen, error.retryable) == ("not_made", True)


@pytest.mark.parametrize("answer", [stream(START, EOFError("cut")), stream(), Stream((), 500), EOFError("silent")])
async def test_tutti_is_asked_again_under_the_same_key(answer: Stream | Exception) -> None:
    # What refuses the question says nothing of the song.
    upstream, way = at(answer, Stream((), 429), ConnectionError("gone"), stream(completed()), shape="tutti")

    delivery = await MusicGenHttp().make(SONG, upstream, Ear())

    assert [take.audio for take in delivery.takes] == [b"RIFF"]
    assert [sent["headers"]["Idempotency-Key"] for sent in way.sent] == 4 * ["ref-1"]


async def test_tutti_that_tells_of_a_failure_is_believed() -> None:
    upstream, way = at(
        EOFError("silent"), stream(b'data: {"event": "error", "message": "cancelled"}\n\n'), shape="tutti"
    )

    error = await failure_of(upstream)

    assert (error.seen, error.retryable, len(way.sent)) == ("not_made", True, 2)


async def test_fate_of_an_order_at_a_tutti_that_stays_away_is_unknown() -> None:
    upstream, _ = at(EOFError("silent"), shape="tutti", deadline_seconds=0.05)

    assert (await failure_of(upstream)).seen == "unknown"


async def test_line_beyond_its_bound_is_a_song_nobody_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(musicgen_http, "LINE_BYTES", 1000)
    upstream, way = at(stream(START, completed(2000 * "A")))

    error = await failure_of(upstream)

    assert (error.seen, error.retryable, len(way.sent)) == ("unknown", False, 1)


@pytest.mark.parametrize(
    ("answer", "retryable"),
    [
        (PermissionError("inside"), False),
        (ConnectionError("nobody"), True),
        (Stream((b'{"error": "bad"}',), 400), False),
        (Stream((b'{"error": {"code": "busy", "message": "no"}}',), 429), True),
        (Stream((b"x" * 200_000,), 500), True),
        (Stream((), 502), True),
        (Stream((), 204), True),
        (Stream((), 409), True),
        (Stream((), 302), False),
    ],
)
async def test_answer_in_place_of_a_stream_is_known(answer: Stream | Exception, retryable: bool) -> None:
    upstream, _ = at(answer)

    error = await failure_of(upstream)

    assert (error.seen, error.retryable) == ("not_made", retryable)


# --- What is heard ------------------------------------------------------------------------------------------------


async def test_progress_is_clamped_and_what_is_none_is_passed_over() -> None:
    told = ["-3", "0.5", "250", "true", '"40"', "NaN", "null", "[]", "Infinity", "1e999", "60"]
    upstream, _ = at(stream(START, *map(progress, told), b"data: {}\n\ndata: 7\n\n", completed()))
    ear = Ear()

    await MusicGenHttp().make(SONG, upstream, ear)

    assert ear.heard == [0.0, 0.5, 100.0, 100.0, 100.0, 60.0]


@pytest.mark.parametrize("audio", ["", "!", "A", 7, None, ["UklGRg=="]])
async def test_success_without_audio_is_a_failure(audio: Any) -> None:
    upstream, _ = at(stream(START, completed(audio)))

    error = await failure_of(upstream)

    assert (error.seen, error.retryable) == ("not_made", True)


async def test_nothing_is_awaited_behind_the_song() -> None:
    upstream, _ = at(stream(completed(), AssertionError("read on")))

    assert (await MusicGenHttp().make(SONG, upstream, Ear())).takes[0].audio == b"RIFF"


async def test_what_an_error_says_is_logged_on_one_line_without_our_key(caplog: pytest.LogCaptureFixture) -> None:
    upstream, _ = at(stream(b'data: {"event": "error", "message": "no\\nsk-secret\\u0000"}\n\n'))

    error = await failure_of(upstream)

    assert "An upstream gave no song: no [redacted]" in caplog.text
    assert "sk-secret" not in caplog.text + str(error)


async def test_progress_of_several_takes_is_their_mean() -> None:
    ear = Ear()
    first, second = lines_of(ear, 2)

    await first.progress(100, "compose")
    await second.progress(50, "compose")
    await second.ticket("t-1")

    assert (ear.heard, ear.tickets) == ([50.0, 75.0], ["t-1"])


@pytest.mark.parametrize(("seconds", "sent"), [(None, None), (0.2, 1), (12.5, 12), (12.6, 13), (60.0, 60), (90.0, 60)])
def test_seconds_are_sent_whole(seconds: float | None, sent: int | None) -> None:
    upstream, _ = access()

    assert order_fields(SongRequest(prompt="a", duration_seconds=seconds), upstream).get("duration") == sent
