"""generateContent and chat completions as their clients meet them; what is in the bodies, the golden pairs say."""

from __future__ import annotations

import asyncio
import base64
import logging
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from accounts.services.api_keys import issue_key
from generation.api import orders
from generation.api.published import schema
from generation.models import Job
from generation.services.submit import Submitted, submit
from generation.states import JobState
from generation.waiting import waiting_room
from tests.generation.api.test_songs import first_job
from tests.generation.services.test_due import COUNTED, brought
from tests.generation.shops import SONGS, Shop
from tests.generation.worlds import SONG_PRICE, wav

CONTENT = {"contents": [{"role": "user", "parts": [{"text": "a quiet song"}]}]}
CHAT = {"model": "test-song", "messages": [{"role": "user", "content": "a quiet song"}]}
AT_ENDPOINT = "/v1/ai/corner/music/generateContent"
AT_NOWHERE = "/v1/ai/nowhere/music/generateContent"
ADDRESSES: list[tuple[str, dict[str, Any]]] = [
    (AT_ENDPOINT, CONTENT),
    ("/corner/music/v1beta1/publishers/google/models/tune:generateContent", CONTENT),
    ("/v1beta/models/test-song:generateContent", CONTENT),
    ("/v1/models/test-song:generateContent", CONTENT),
    ("/v1beta1/projects/p-1/locations/us/publishers/google/models/test-song:generateContent", CONTENT),
    ("/v1/ai/corner/music/google/chat/completions", CHAT),
    ("/v1/ai/corner/music/chat/completions", CHAT),
    ("/v1/music/chat/completions", CHAT),
    (AT_ENDPOINT, CHAT),
]
Body = dict[str, Any]


async def awaited_song(shop: Shop, path: str, body: Body, *, headers: dict[str, str] | None = None) -> Any:
    """The answer to one who orders and waits, while the song is made."""
    waiting = asyncio.create_task(shop.post(path, body, headers=headers))
    await shop.finished(await first_job(shop))
    return await waiting


def is_chat(body: Body) -> bool:
    return "messages" in body


def audio_of(answer: Any) -> bytes:
    body = answer.json()
    if "choices" in body:
        return base64.b64decode(body["choices"][0]["message"]["audio"]["data"])
    return base64.b64decode(body["candidates"][0]["content"]["parts"][-1]["inlineData"]["data"])


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("path", "body"), ADDRESSES, ids=range(len(ADDRESSES)))
async def test_a_song_is_ordered_awaited_and_answered_in_the_form_of_its_body(
    corner: Shop, path: str, body: Body, slash: str
) -> None:
    answer = await awaited_song(corner, path + slash, body)

    job = await corner.behind(Job.unscoped.get)
    track = await corner.behind(job.tracks.get)
    assert (answer.status_code, answer.headers["x-ai-generated"]) == (200, "true")
    assert (len(audio_of(answer)), audio_of(answer)[:3]) == (track.size, b"ID3")
    assert (job.state, job.charged_micro, job.dialect) == (
        JobState.SUCCEEDED,
        SONG_PRICE,
        "chat" if is_chat(body) else "lyria",
    )
    component = "ChatCompletion" if is_chat(body) else "GeneratedContent"
    fits(component, answer.json())


def fits(component: str, body: object) -> None:
    whole = {"$ref": f"#/components/schemas/{component}", "components": schema()["components"]}
    Draft202012Validator(whole).validate(body)


def test_examples_and_errors_fit_the_schema() -> None:
    fits("ContentOrder", CONTENT)
    fits("ChatOrder", CHAT)


async def test_error_of_generate_content_fits_the_schema(corner: Shop) -> None:
    fits("ContentError", (await corner.post(AT_ENDPOINT, {})).json())


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        (AT_ENDPOINT, CONTENT, "test-song"),
        (AT_ENDPOINT, CONTENT | {"model": "tune"}, "tune"),
        ("/corner/music/v1beta1/publishers/google/models/tune:generateContent", CONTENT | {"model": "x"}, "tune"),
        ("/v1/ai/corner/music/chat/completions", {"messages": CHAT["messages"]}, "test-song"),
        ("/v1/music/chat/completions", CHAT | {"model": "tune"}, "tune"),
    ],
    ids=range(5),
)
async def test_the_answer_names_the_model_as_the_order_did(corner: Shop, path: str, body: Body, name: str) -> None:
    answer = (await awaited_song(corner, path, body)).json()

    assert answer.get("modelVersion", answer.get("model")) == name


@pytest.mark.parametrize(("path", "body"), [(AT_ENDPOINT, CONTENT), ("/v1/music/chat/completions", CHAT)])
async def test_tokens_are_those_the_upstream_counted(corner: Shop, path: str, body: Body) -> None:
    waiting = asyncio.create_task(corner.post(path, body))
    await corner.behind(brought, await first_job(corner), wav(1.0))
    answer = (await waiting).json()

    usage = answer.get("usageMetadata") or answer.get("usage")
    assert list(usage.values()) == [COUNTED.prompt, COUNTED.candidates, COUNTED.prompt + COUNTED.candidates]


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "", "x-goog-api-key": "{key}"},
        {"authorization": "", "x-api-key": "{key}"},
        {"authorization": "bearer {key}"},
    ],
    ids=str,
)
async def test_keys_are_taken_from_the_headers_of_every_kind_of_client(corner: Shop, headers: dict[str, str]) -> None:
    given = {name: value.format(key=corner.secret) for name, value in headers.items()}

    assert (await awaited_song(corner, AT_ENDPOINT, CONTENT, headers=given)).status_code == 200


@pytest.mark.parametrize("path", [path for path, body in ADDRESSES if not is_chat(body)])
@pytest.mark.parametrize("breaks", [False, True])
async def test_a_key_in_the_address_is_taken_and_logged_nowhere(
    corner: Shop, path: str, breaks: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*args: Any, **kwargs: Any) -> Submitted:
        if breaks:
            raise RuntimeError
        return submit(*args, **kwargs)

    monkeypatch.setattr(orders, "submit", taken)
    with caplog.at_level(logging.DEBUG):
        asked = corner.post(f"{path}?key={corner.secret}", CONTENT, headers={"authorization": ""})
        waiting = asyncio.create_task(asked)
        if not breaks:
            await corner.finished(await first_job(corner))
        answer = await waiting

    assert answer.status_code == (500 if breaks else 200)
    assert "generateContent" in caplog.text
    own = [record for record in caplog.records if record.name.split(".")[0] in ("tutti", "django", "generation")]
    assert [record for record in own if corner.secret in record.getMessage()] == []


async def test_a_key_in_the_address_of_a_chat_is_not_looked_at(corner: Shop) -> None:
    answer = await corner.post(f"/v1/music/chat/completions?key={corner.secret}", CHAT, headers={"authorization": ""})

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "missing_api_key")


async def test_the_text_is_told_apart_into_prompt_and_lyrics(corner: Shop) -> None:
    text = "a quiet song\n[Verse]\nla la"
    await awaited_song(corner, AT_ENDPOINT, {"contents": [{"parts": [{"text": text}]}]})

    song = (await corner.behind(Job.unscoped.get)).song
    assert (song.prompt, song.lyrics) == ("a quiet song", "[Verse]\nla la")


@pytest.mark.parametrize(("name", "begins"), [("wav", b"RIFF"), ("flac", b"fLaC"), ("opus", b"OggS"), ("mp3", b"ID3")])
async def test_a_chat_is_answered_in_the_format_it_asks_for(corner: Shop, name: str, begins: bytes) -> None:
    answer = await awaited_song(corner, "/v1/music/chat/completions", CHAT | {"audio": {"format": name}})

    assert audio_of(answer).startswith(begins)


async def test_headerless_audio_of_a_chat_is_what_its_clients_take_it_for(corner: Shop) -> None:
    answer = await awaited_song(corner, "/v1/music/chat/completions", CHAT | {"audio": {"format": "pcm16"}})

    track = await corner.behind((await corner.behind(Job.unscoped.get)).tracks.get)
    assert (track.sample_rate, track.channels) == (24_000, 1)
    assert len(audio_of(answer)) == pytest.approx(track.duration_ms * 24 * 2, abs=100)


async def test_names_that_were_not_understood_are_listed(corner: Shop) -> None:
    answer = await awaited_song(corner, AT_ENDPOINT, CONTENT | {"safetySettings": []})

    assert answer.headers["x-tutti-ignored"] == "safetySettings"


@pytest.mark.parametrize(("path", "body"), [ADDRESSES[0], ADDRESSES[7]], ids=["lyria", "chat"])
async def test_a_replay_joins_the_song_and_says_so(corner: Shop, path: str, body: Body) -> None:
    key = {"idempotency-key": "order-1"}
    first = await awaited_song(corner, path, body, headers=key)
    again = await corner.post(path, body, headers=key)

    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    assert audio_of(again) == audio_of(first)
    assert await corner.behind(Job.unscoped.count) == 1


async def test_the_same_key_and_body_at_another_address_is_another_order(corner: Shop) -> None:
    key = {"idempotency-key": "order-1"}
    await awaited_song(corner, AT_ENDPOINT, CONTENT, headers=key)
    answer = await corner.post("/v1beta/models/test-song:generateContent", CONTENT, headers=key)

    assert (answer.status_code, answer.json()["error"]["status"]) == (409, "ABORTED")


async def test_a_song_of_these_wires_is_read_where_songs_are(corner: Shop) -> None:
    answer = await awaited_song(corner, AT_ENDPOINT, CONTENT)

    song = (await corner.get(f"{SONGS}/{answer.json()['responseId']}")).json()
    assert (song["status"], song["model"]) == ("SUCCEEDED", "test-song")


@pytest.mark.parametrize(("path", "body"), [ADDRESSES[0], ADDRESSES[7]], ids=["lyria", "chat"])
async def test_a_wait_that_is_cut_short_says_where_the_song_will_be(corner: Shop, path: str, body: Body) -> None:
    waiting = asyncio.create_task(corner.post(path, body))
    job = await first_job(corner)
    async with asyncio.timeout(10):
        while not waiting_room()._watchers:
            await asyncio.sleep(0.01)
    waiting_room().close_all()

    answer = await waiting

    assert (answer.status_code, answer.headers["x-should-retry"]) == (503, "false")
    assert f"{SONGS}/{job.pk} then" in answer.json()["error"]["message"]


async def test_a_foreign_endpoint_reads_as_a_missing_one(corner: Shop) -> None:
    _, corner.secret = await corner.behind(
        issue_key, organization=corner.world.provider, member=None, name="other", live=True
    )

    foreign, missing = await corner.post(AT_ENDPOINT, CONTENT), await corner.post(AT_NOWHERE, CONTENT)

    assert [answer.status_code for answer in (foreign, missing)] == [404, 404]
    assert foreign.json()["error"]["message"] == "There is no endpoint 'corner'."
