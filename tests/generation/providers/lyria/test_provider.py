from __future__ import annotations

import base64
from typing import Any

import pytest

from generation.contract import Delivery, Line, RawTake, Section, SongRequest, Tokens
from generation.providers.base import ProviderError
from generation.providers.lyria import SHAPES, Lyria
from tests.generation.providers.wayside import Ear, Said, Wayside, access, as_json

SONG = SongRequest(prompt="a song")
AUDIO = b"RIFF a song"
PICTURE = b"\x89PNG a cover"


def data(content: bytes = AUDIO, label: str | None = "audio/mpeg") -> dict[str, Any]:
    blob = {"data": base64.b64encode(content).decode()} | ({"mimeType": label} if label else {})
    return {"inlineData": blob}


def content(*parts: Any, finish: Any = "STOP", **more: Any) -> Said:
    return as_json({"candidates": [{"content": {"parts": list(parts)}, "finishReason": finish}], **more})


def chat(message: Any, finish: Any = "stop", **more: Any) -> Said:
    return as_json({"choices": [{"message": message, "finish_reason": finish}], **more})


def google_error(status: int, word: str, *details: Any, **headers: str) -> Said:
    error = {"code": status, "message": "what", "status": word, "details": list(details)}
    return as_json({"error": error}, status, **headers)


def reason(word: str) -> dict[str, str]:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": word}


async def made(*answers: Said | Exception, song: SongRequest = SONG, **more: Any) -> tuple[Delivery, Wayside]:
    upstream, way = access(*answers, **{"endpoint": "corner", **more})
    return await Lyria().make(song, upstream, Ear()), way


async def failed_by(*answers: Said | Exception, **more: Any) -> ProviderError:
    with pytest.raises(ProviderError) as failed:
        await made(*answers, **more)
    return failed.value


# --- Where it is asked --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
async def test_names_of_the_mapping_lead_nowhere_else(shape: str) -> None:
    _, way = await made(content(data()), shape=shape, endpoint="/a b?/../c/", model="m/../x?y#z@1")

    path = way.sent[0].url.removeprefix("https://up.example")
    endpoint = "a%20b%3F/../c" if shape == "vertex" else "a%20b%3F%2F..%2Fc"
    assert path == SHAPES[shape].path.format(endpoint=endpoint, model="m%2F..%2Fx%3Fy%23z@1")


async def test_deadline_of_the_order_is_that_of_its_call() -> None:
    _, way = await made(content(data()), deadline_seconds=77.0)

    assert way.sent[0].options["deadline_seconds"] == 77.0


@pytest.mark.parametrize(
    ("mapping", "named"),
    [
        ({"shape": "endpoint_chat", "endpoint": ""}, "upstream_endpoint"),
        ({"shape": "", "endpoint": ""}, "upstream_endpoint"),
        ({"shape": "vertex", "endpoint": ""}, "upstream_endpoint"),
        ({"shape": "openai"}, "'openai'"),
    ],
)
async def test_mapping_that_lacks_something_sends_nothing_and_is_reported(
    mapping: dict[str, str], named: str, caplog: pytest.LogCaptureFixture
) -> None:
    upstream, way = access(content(data()), **{"endpoint": "corner", **mapping})

    with pytest.raises(ProviderError) as failed:
        await Lyria().make(SONG, upstream, Ear())

    assert (failed.value.seen, failed.value.retryable, way.sent) == ("not_made", False, [])
    assert named in caplog.text


# --- What is heard ------------------------------------------------------------------------------------------------


async def test_song_is_taken_with_its_text_tokens_and_id() -> None:
    usage = {"promptTokenCount": 14, "candidatesTokenCount": 3199, "totalTokenCount": 3213}
    answer = content({"text": "[Verse]\nla"}, data(), usageMetadata=usage, responseId="r-1")

    assert (await made(answer))[0] == Delivery(
        takes=(RawTake(audio=AUDIO, upstream_id="r-1"),), lyrics="[Verse]\nla", tokens=Tokens(14, 3199)
    )


async def test_chat_is_taken_with_its_text_tokens_and_id() -> None:
    usage = {"prompt_tokens": 14, "completion_tokens": 3199, "total_tokens": 3213}
    message = {"content": "[Verse]\nla", "audio": {"data": data()["inlineData"]["data"]}}

    assert (await made(chat(message, usage=usage, id="chatcmpl-1")))[0] == Delivery(
        takes=(RawTake(audio=AUDIO, upstream_id="chatcmpl-1"),), lyrics="[Verse]\nla", tokens=Tokens(14, 3199)
    )


@pytest.mark.parametrize(
    ("parts", "lyrics"),
    [
        ([data(), {"text": "la\x00 la"}], "la la"),
        ([{"text": "la"}, data(), {"text": "lo"}], "la\nlo"),
        ([{"text": "la\n"}, {"text": "lo"}, data()], "la\nlo"),
        ([{"text": "la"}, {"text": "\n\nlo"}, data()], "la\n\nlo"),
        ([{"text": "let me see", "thought": True}, {"text": "la"}, data()], "la"),
        ([{"text": 7}, "la", None, data()], None),
        ([{"text": "  \n"}, data()], None),
    ],
)
async def test_text_comes_in_pieces(parts: list[Any], lyrics: str | None) -> None:
    delivery, _ = await made(content(*parts))

    assert (delivery.takes[0].audio, delivery.lyrics) == (AUDIO, lyrics)


@pytest.mark.parametrize(
    ("message", "lyrics"),
    [
        ({"content": None}, None),
        ({"content": [{"type": "text", "text": "la"}, {"type": "text", "text": "lo"}]}, "la\nlo"),
        ({"content": "la", "transcript": "lo"}, "la"),
        ({"content": "", "transcript": "lo"}, "lo"),
    ],
)
async def test_text_of_a_chat_is_its_content_else_the_transcript(message: dict[str, Any], lyrics: str | None) -> None:
    audio = {"data": data()["inlineData"]["data"], "transcript": message.pop("transcript", "")}

    delivery, _ = await made(chat({**message, "audio": audio}))

    assert (delivery.takes[0].audio, delivery.lyrics) == (AUDIO, lyrics)


async def test_marks_of_time_become_sections_of_the_take() -> None:
    delivery, _ = await made(content({"text": "[0:00 - 0:02] [Chorus]\nla"}, data()))

    assert delivery.takes[0].sections == (Section("chorus", 0, 2000, (Line(0, 2000, "la"),)),)
    assert delivery.lyrics == "[Chorus]\nla"


@pytest.mark.parametrize(
    "parts",
    [
        [data(label="image/png")],
        [data(label=None)],
        [data(PICTURE, "image/png"), data()],
        [data(PICTURE), data()],
        [data(), data(b"OggS another")],
        [{"inline_data": data()["inlineData"]}],
    ],
)
async def test_first_that_begins_like_audio_is_the_song(parts: list[Any]) -> None:
    assert (await made(content(*parts)))[0].takes[0].audio == AUDIO


@pytest.mark.parametrize(
    "sound", [b"ID3\x04", b"\xff\xfb\x90", b"fLaC", b"OggS", b"FORM....AIFF", b"\0\0\0\x20ftypM4A "]
)
async def test_audio_is_told_by_its_bytes(sound: bytes) -> None:
    assert (await made(content(data(PICTURE), data(sound, "text/plain"))))[0].takes[0].audio == sound


async def test_what_is_called_audio_is_measured_before_it_is_refused() -> None:
    assert (await made(content(data(PICTURE, "image/png"), data(b"headerless", "audio/L16"))))[0].takes[0].audio == (
        b"headerless"
    )


@pytest.mark.parametrize(
    "written",
    [
        base64.urlsafe_b64encode(b"RIFF\xff\xfe\xfb").decode(),
        base64.b64encode(b"RIFF\xff\xfe\xfb").decode().rstrip("="),
        "data:audio/wav;base64," + base64.b64encode(b"RIFF\xff\xfe\xfb").decode(),
        base64.encodebytes(b"RIFF\xff\xfe\xfb").decode(),
    ],
)
async def test_base64_is_read_however_it_is_written(written: str) -> None:
    delivery, _ = await made(content({"inlineData": {"data": written}}))

    assert delivery.takes[0].audio == b"RIFF\xff\xfe\xfb"


async def test_candidate_with_the_song_is_the_one_that_counts() -> None:
    candidates = [{"content": {"parts": [{"text": part}, *more]}} for part, more in (("no", []), ("la", [data()]))]

    delivery, _ = await made(as_json({"candidates": candidates}))

    assert (delivery.takes[0].audio, delivery.lyrics) == (AUDIO, "la")


@pytest.mark.parametrize("finish", ["SIMMERING", "MAX_TOKENS", None, 7, "SAFETY"])
async def test_song_that_came_is_a_song_whatever_its_end_is_called(finish: Any) -> None:
    assert (await made(content(data(), finish=finish)))[0].takes[0].audio == AUDIO


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"promptTokenCount": 3, "totalTokenCount": 10}, Tokens(3, 7)),
        ({"promptTokenCount": 0, "candidatesTokenCount": 7}, Tokens(0, 7)),
        ({"promptTokenCount": 3, "candidatesTokenCount": 0}, None),
        ({"candidatesTokenCount": 7}, None),
        ({"promptTokenCount": 3}, None),
        ({"promptTokenCount": "3", "candidatesTokenCount": 7}, None),
        ({"promptTokenCount": True, "candidatesTokenCount": 7}, None),
        ({"promptTokenCount": -1, "candidatesTokenCount": 7}, None),
        ({"promptTokenCount": 3, "candidatesTokenCount": 2**31}, None),
        ([3, 7], None),
    ],
)
async def test_count_is_taken_where_it_is_one(usage: Any, tokens: Tokens | None) -> None:
    assert (await made(content(data(), usageMetadata=usage)))[0].tokens == tokens


@pytest.mark.parametrize("found", ["../x", "a b", 7, None, "x" * 201])
async def test_id_that_fits_nowhere_is_not_kept(found: Any) -> None:
    assert (await made(content(data(), responseId=found)))[0].takes[0].upstream_id == ""


# --- Several takes ------------------------------------------------------------------------------------------------


async def test_each_take_is_a_call_and_tokens_are_those_of_all() -> None:
    usage = {"promptTokenCount": 14, "candidatesTokenCount": 100}

    delivery, way = await made(content(data(), usageMetadata=usage), song=SongRequest(prompt="a song", takes=3))

    assert (len(delivery.takes), delivery.tokens, len(way.sent)) == (3, Tokens(42, 300), 3)
    assert len({str(sent.body) for sent in way.sent}) == 1


async def test_tokens_are_not_known_where_one_call_did_not_count() -> None:
    counted = content(data(), usageMetadata={"promptTokenCount": 14, "candidatesTokenCount": 100})

    delivery, _ = await made(counted, content(data()), song=SongRequest(prompt="a song", takes=2))

    assert (len(delivery.takes), delivery.tokens) == (2, None)


# --- No song ------------------------------------------------------------------------------------------------------

KNOWN, VAIN, UNKNOWN = ("not_made", True), ("not_made", False), ("unknown", False)
BLOCKED = {"promptFeedback": {"blockReason": "OTHER"}}
PER_DAY = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "SongsPerDayPerProject"}]}
PER_MINUTE = {"@type": PER_DAY["@type"], "violations": [{"quotaId": "SongsPerMinutePerProject"}]}


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        (as_json(BLOCKED), ("content_policy", *VAIN)),
        (as_json({"candidates": [], **BLOCKED}), ("content_policy", *VAIN)),
        (as_json({"promptFeedback": {"blockReason": "BLOCK_REASON_UNSPECIFIED"}}), ("upstream_error", *UNKNOWN)),
        *[
            (content({"text": "no"}, finish=word), ("content_policy", *VAIN))
            for word in ("SAFETY", "PROHIBITED_CONTENT", "RECITATION", "BLOCKLIST", "SPII", "safety")
        ],
        (chat({"content": None}, "content_filter"), ("content_policy", *VAIN)),
        (chat({"content": None, "refusal": "I would rather not."}), ("content_policy", *VAIN)),
        (content({"text": "la"}), ("upstream_error", *UNKNOWN)),
        (content(data(b"")), ("upstream_error", *UNKNOWN)),
        (content({"inlineData": {"data": "no base64!"}}), ("upstream_error", *UNKNOWN)),
        (content(data(PICTURE, "image/png")), ("upstream_error", *UNKNOWN)),
        (content({"text": "la"}, finish="SIMMERING"), ("upstream_error", *UNKNOWN)),
        (content(finish="MAX_TOKENS"), ("upstream_error", *UNKNOWN)),
        (chat({"content": "la"}), ("upstream_error", *UNKNOWN)),
        (chat(None), ("upstream_error", *UNKNOWN)),
        (as_json({"choices": []}), ("upstream_error", *UNKNOWN)),
        (as_json({"candidates": None}), ("upstream_error", *UNKNOWN)),
        (as_json({"detail": "something else"}), ("upstream_error", *UNKNOWN)),
        (as_json(["a", "list"]), ("upstream_error", *UNKNOWN)),
        (Said(200, b"<html>"), ("upstream_error", *UNKNOWN)),
        (Said(200), ("upstream_error", *UNKNOWN)),
        (EOFError(), ("upstream_error", *UNKNOWN)),
        (OverflowError(), ("upstream_error", *UNKNOWN)),
        (ConnectionError(), ("upstream_error", *KNOWN)),
    ],
)
async def test_answer_without_a_song_means(answer: Said | Exception, meant: tuple[str, str, bool]) -> None:
    error = await failed_by(answer)

    assert (error.code, error.seen, error.retryable) == meant


@pytest.mark.parametrize(
    ("answer", "meant"),
    [
        (google_error(400, "INVALID_ARGUMENT"), ("upstream_error", *VAIN)),
        (google_error(400, "INVALID_ARGUMENT", reason("content_policy")), ("content_policy", *VAIN)),
        (google_error(400, "INVALID_ARGUMENT", reason("API_KEY_INVALID")), ("upstream_error", *VAIN)),
        (google_error(400, "FAILED_PRECONDITION"), ("upstream_error", *VAIN)),
        (google_error(401, "UNAUTHENTICATED"), ("upstream_error", *VAIN)),
        (google_error(403, "PERMISSION_DENIED"), ("upstream_error", *VAIN)),
        (google_error(404, "NOT_FOUND"), ("upstream_error", *VAIN)),
        (google_error(429, "RESOURCE_EXHAUSTED"), ("upstream_error", *KNOWN)),
        (google_error(429, "RESOURCE_EXHAUSTED", PER_MINUTE), ("upstream_error", *KNOWN)),
        (google_error(429, "RESOURCE_EXHAUSTED", PER_DAY), ("upstream_error", *VAIN)),
        (google_error(429, "RESOURCE_EXHAUSTED", reason("insufficient_quota")), ("upstream_error", *VAIN)),
        (google_error(500, "INTERNAL"), ("upstream_error", *KNOWN)),
        (google_error(502, "UNAVAILABLE", reason("bad_audio")), ("upstream_error", *KNOWN)),
        (google_error(503, "UNAVAILABLE"), ("upstream_error", *KNOWN)),
        (google_error(504, "DEADLINE_EXCEEDED"), ("upstream_error", *KNOWN)),
        (google_error(499, "CANCELLED"), ("upstream_error", *KNOWN)),
        (google_error(500, "SOMETHING_NEW"), ("upstream_error", *UNKNOWN)),
        (as_json([{"error": {"code": 503, "status": "UNAVAILABLE"}}], 503), ("upstream_error", *KNOWN)),
        (as_json({"error": {"code": 500, "status": "INTERNAL"}}), ("upstream_error", *KNOWN)),
        (as_json({"error": {"code": "insufficient_quota"}}, 429), ("upstream_error", *VAIN)),
        (as_json({"error": {"type": "insufficient_quota"}}, 429), ("upstream_error", *VAIN)),
        (as_json({"error": {"code": "rate_limit_exceeded"}}, 429), ("upstream_error", *KNOWN)),
        (as_json({"error": {"code": "content_policy_violation"}}, 400), ("content_policy", *VAIN)),
        (as_json({"error": {"type": "api_error"}}, 500), ("upstream_error", *KNOWN)),
        (as_json({"error": "no such model"}, 404), ("upstream_error", *VAIN)),
        (as_json({"error": {"message": "who knows"}}, 502), ("upstream_error", *UNKNOWN)),
        (Said(500), ("upstream_error", *UNKNOWN)),
        (Said(503), ("upstream_error", *UNKNOWN)),
        (Said(503, headers={"retry-after": "2"}), ("upstream_error", *KNOWN)),
        (Said(404, b"<html>"), ("upstream_error", *VAIN)),
    ],
)
async def test_error_means(answer: Said, meant: tuple[str, str, bool]) -> None:
    error = await failed_by(answer)

    assert (error.code, error.seen, error.retryable) == meant


@pytest.mark.parametrize(
    ("headers", "delay", "pause"),
    [({}, "32s", 32.0), ({}, "1.5s", 1.5), ({"retry-after": "4"}, "32s", 4.0), ({}, "soon", None), ({}, 32, None)],
)
async def test_pause_that_is_asked_for_is_kept(headers: dict[str, str], delay: Any, pause: float | None) -> None:
    details = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}

    error = await failed_by(google_error(429, "RESOURCE_EXHAUSTED", details, **headers))

    assert error.retry_after == pause


@pytest.mark.parametrize(
    "answer",
    [
        google_error(503, "UNAVAILABLE", reason("busy"), **{"x-should-retry": "false"}),
        as_json({"error": {"code": "busy", "type": "api_error"}}, 503, **{"x-should-retry": "false"}),
    ],
)
async def test_one_that_took_the_order_and_waits_no_longer_is_not_sent_it_again(answer: Said) -> None:
    error = await failed_by(answer)

    assert (error.seen, error.retryable) == ("unknown", False)


async def test_what_was_wrong_with_the_order_is_told() -> None:
    assert str(await failed_by(google_error(400, "INVALID_ARGUMENT"))).endswith("It said: what")
