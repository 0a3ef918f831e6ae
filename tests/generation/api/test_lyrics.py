"""The calls that order a text, and timed lyrics as files: from end to end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import AsyncClient
from django.utils import timezone
from jsonschema import Draft202012Validator

from accounts.tenancy import system_scope
from billing.services.credits import balance_of, set_available
from generation.api.published import schema
from generation.contract import Fault
from generation.models import Job, Track
from generation.services.settle import settle
from generation.states import JobState
from tests.generation.api.test_songs import first_job
from tests.generation.shops import SONGS, Shop
from tests.generation.texts import TEXT, TEXT_PRICE, delivered, sell_texts
from tests.generation.worlds import SONG_PRICE, claimed

MINIMAX = "/v1/lyrics_generation"
MUREKA = "/v1/lyrics/generate"
FULL = {"mode": "write_full_song", "prompt": "A calm song of the harbour"}
SUCCESS = {"status_code": 0, "status_msg": "success"}
BASE = "http://127.0.0.1:8000"
BOTH = pytest.mark.parametrize(("path", "body"), [(MINIMAX, FULL), (MUREKA, {"prompt": "the harbour"})])


@pytest.fixture
def desk(shop: Shop) -> Shop:
    """The shop sells texts too."""
    with system_scope():
        sell_texts(shop.world)
    return shop


async def text_of(desk: Shop, path: str, body: dict[str, Any], **headers: str) -> Any:
    """The answer to an order whose text is written meanwhile."""
    waiting = asyncio.create_task(desk.post(path, body, headers=headers))
    await desk.behind(delivered, await first_job(desk))
    return await waiting


async def spent(desk: Shop) -> tuple[int, int]:
    now = await desk.behind(balance_of, desk.world.customer.pk, live=True)
    return 10 * SONG_PRICE - now.available_micro - now.held_micro, now.held_micro


async def test_text_in_the_words_of_minimax(desk: Shop) -> None:
    answer = await text_of(desk, MINIMAX, FULL)

    assert (answer.status_code, answer.json()) == (
        200,
        {"song_title": TEXT.title, "style_tags": TEXT.style_tags, "lyrics": TEXT.lyrics, "base_resp": SUCCESS},
    )
    assert answer.headers["Trace-Id"] == answer.headers["x-request-id"]
    assert await spent(desk) == (TEXT_PRICE, 0)


async def test_text_in_the_words_of_mureka(desk: Shop) -> None:
    answer = await text_of(desk, MUREKA, {"prompt": "the harbour"})

    assert (answer.status_code, answer.json()) == (200, {"title": TEXT.title, "lyrics": TEXT.lyrics})
    assert await spent(desk) == (TEXT_PRICE, 0)


@BOTH
async def test_routes_are_served_with_a_slash_too(desk: Shop, path: str, body: dict[str, Any]) -> None:
    assert (await text_of(desk, f"{path}/", body)).status_code == 200


@BOTH
async def test_same_key_and_body_is_the_same_text(desk: Shop, path: str, body: dict[str, Any]) -> None:
    first = await text_of(desk, path, body, **{"idempotency-key": "order-1"})

    again = await desk.post(path, body, headers={"idempotency-key": "order-1"})
    other = await desk.post(path, body | {"prompt": "another"}, headers={"idempotency-key": "order-1"})

    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert "another order" in other.content.decode()
    assert await desk.behind(Job.unscoped.count) == 1
    assert await spent(desk) == (TEXT_PRICE, 0)


async def test_failed_text_is_told_in_the_words_of_each_wire(desk: Shop) -> None:
    told = []
    for path, body in ((MINIMAX, FULL), (MUREKA, {"prompt": "the harbour"})):
        waiting = asyncio.create_task(desk.post(path, body))
        async with asyncio.timeout(10):
            while (job := await desk.behind(Job.unscoped.filter(state=JobState.QUEUED).first)) is None:
                await asyncio.sleep(0.01)
        work = await desk.behind(claimed, job)
        await desk.behind(settle, job.pk, token=work.token, fault=Fault("content_policy", "Not of this."))
        answer = await waiting
        told.append((answer.status_code, answer.json()))

    trace = told[1][1].pop("trace_id")
    assert re.fullmatch(r"req_[0-9a-f]{24}", trace)
    assert told == [
        (
            200,
            {
                "song_title": "",
                "style_tags": "",
                "lyrics": "",
                "base_resp": {"status_code": 1026, "status_msg": "Not of this."},
            },
        ),
        (400, {"error": {"message": "Not of this."}}),
    ]
    assert await spent(desk) == (0, 0)


async def test_refusals_in_the_words_of_each_wire(desk: Shop) -> None:
    await desk.behind(
        set_available, organization_id=desk.world.customer.pk, live=True, amount_micro=0, reason="nothing left"
    )
    told = {}
    for name, path, body, headers in (
        ("no key", MINIMAX, FULL, {"authorization": ""}),
        ("no key, mureka", MUREKA, {"prompt": "x"}, {"authorization": ""}),
        ("no credits", MINIMAX, FULL, {}),
        ("no credits, mureka", MUREKA, {"prompt": "x"}, {}),
        ("no mode", MINIMAX, {"prompt": "x"}, {}),
        ("no prompt, mureka", MUREKA, {}, {}),
        ("too long", MINIMAX, FULL | {"prompt": "x" * 201}, {}),
        ("too long, mureka", MUREKA, {"prompt": "x" * 201}, {}),
        ("no json, mureka", MUREKA, "{", {}),
    ):
        answer = await desk.post(path, body, headers=headers)
        status_code = answer.json().get("base_resp", {}).get("status_code")
        told[name] = (answer.status_code, status_code, answer.headers.get("x-should-retry"))

    assert told == {
        "no key": (200, 1004, None),
        "no key, mureka": (401, None, None),
        "no credits": (200, 1008, "false"),
        "no credits, mureka": (429, None, "false"),
        "no mode": (200, 2013, None),
        "no prompt, mureka": (400, None, None),
        "too long": (200, 2013, None),
        "too long, mureka": (400, None, None),
        "no json, mureka": (400, None, None),
    }
    assert await desk.behind(Job.unscoped.count) == 0


async def test_text_job_reads_as_one_everywhere(desk: Shop) -> None:
    await text_of(desk, MINIMAX, FULL)
    job = await first_job(desk)
    song = await desk.finished(await desk.ordered())

    read = (await desk.get(f"{SONGS}/{job.pk}")).json()
    listed = (await desk.get(SONGS)).json()["data"]
    task = (await desk.get(f"/v1/tasks?taskid={job.pk}")).json()
    events = (await desk.get(f"{SONGS}/{job.pk}/events")).streaming_content
    log = b"".join([frame async for frame in events]).decode()

    assert read == {
        "id": str(job.pk),
        "object": "lyrics.generation",
        "model": "test-words",
        "status": "SUCCEEDED",
        "audio": None,
        "created": read["created"],
        "finished": read["finished"],
        "duration": None,
        "audios": [],
        "lyrics": TEXT.lyrics,
        "seed": None,
        "usage": {"price": "0.20", "currency": "credits", "micro_credits": TEXT_PRICE},
        "urls": read["urls"],
        "title": TEXT.title,
        "style_tags": TEXT.style_tags,
    }
    assert [(one["id"], one["object"]) for one in listed] == [
        (str(song.pk), "music.generation"),
        (str(job.pk), "lyrics.generation"),
    ]
    assert (listed[1], task) == (read, {"status": "ok", "data": read})
    assert re.findall(r"event: (\w+)", log) == ["queued", "started", "lyrics", "succeeded"]
    Draft202012Validator(_published("Song")).validate(read)
    Draft202012Validator(_published("Song")).validate(listed[0])


def _published(name: str) -> dict[str, Any]:
    whole = schema()
    return {**whole["components"]["schemas"][name], "components": whole["components"]}


async def test_answers_are_as_the_schema_says(desk: Shop) -> None:
    minimax = await text_of(desk, MINIMAX, FULL)
    refused = await desk.post(MINIMAX, {})
    mureka = await desk.post(MUREKA, {})

    Draft202012Validator(_published("MiniMaxLyrics")).validate(minimax.json())
    Draft202012Validator(_published("MiniMaxLyrics")).validate(refused.json())
    Draft202012Validator(_published("MurekaLyricsError")).validate(mureka.json())


async def test_text_can_be_cancelled(desk: Shop) -> None:
    waiting = asyncio.create_task(desk.post(MUREKA, {"prompt": "the harbour"}))
    job = await first_job(desk)

    cancelled = await desk.post(f"{SONGS}/{job.pk}/cancel", {})

    assert cancelled.json()["status"] == "CANCELLED"
    assert (await waiting).status_code == 409
    assert await spent(desk) == (0, 0)


# --- Timed lyrics -------------------------------------------------------------------------------------------------

WORDS = [
    {
        "section_type": "verse",
        "start": 0,
        "end": 900,
        "lines": [
            {"start": 100, "end": 800, "text": "la & la", "words": [{"start": 100, "end": 800, "text": "la & la"}]}
        ],
    }
]


async def sung(shop: Shop, sections: list[dict[str, Any]], **more: Any) -> str:
    """The id of a finished song whose one track has these timings."""
    job = await shop.finished(await shop.ordered(**more))
    await shop.behind(lambda: Track.unscoped.update(sections=sections))
    return str(job.pk)


async def sheets_of(shop: Shop, job_id: str) -> dict[str, Any]:
    sheets: dict[str, Any] = (await shop.get(f"{SONGS}/{job_id}")).json()["audios"][0]["lyrics"]
    return sheets


EXPECTED: dict[str, tuple[str, Callable[[str], bool]]] = {
    "lrc": ("text/plain; charset=utf-8", lambda text: "[00:00.10]<00:00.10>la & la<00:00.80>\n" in text),
    "srt": (
        "application/x-subrip; charset=utf-8",
        lambda text: text == "1\r\n00:00:00,100 --> 00:00:00,800\r\nla & la\r\n",
    ),
    "vtt": (
        "text/vtt; charset=utf-8",
        lambda text: text == "WEBVTT\n\n00:00:00.100 --> 00:00:00.800\nla &amp; la\n",
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
async def test_timed_lyrics_open_by_link_and_by_key(shop: Shop, name: str) -> None:
    job_id = await sung(shop, WORDS)
    sheets = await sheets_of(shop, job_id)
    media_type, is_it = EXPECTED[name]

    by_link = await AsyncClient().get(sheets[name].removeprefix(BASE))
    by_key = await shop.get(f"{SONGS}/{job_id}/tracks/0/lyrics.{name}")

    assert (sheets["estimated"], sheets[name].rsplit("/", 1)[1]) == (False, f"test-song-1.{name}")
    for answer in (by_link, by_key):
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)
        assert is_it(answer.content.decode()), answer.content.decode()
        assert answer.headers["Content-Disposition"] == f'inline; filename="test-song-1.{name}"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_unchanged_sheet_is_not_sent_again(shop: Shop) -> None:
    path = (await sheets_of(shop, await sung(shop, WORDS)))["vtt"].removeprefix(BASE)
    tag = (await AsyncClient().get(path)).headers["ETag"]

    assert (await AsyncClient().get(path, headers={"if-none-match": tag})).status_code == 304


async def test_times_nobody_gave_are_estimated_and_say_so(shop: Shop) -> None:
    sheets = await sheets_of(shop, await sung(shop, []))

    lrc = (await AsyncClient().get(sheets["lrc"].removeprefix(BASE))).content.decode()
    vtt = (await AsyncClient().get(sheets["vtt"].removeprefix(BASE))).content.decode()

    assert (sheets["estimated"], "[re:Tutti, estimated]" in lrc, "NOTE estimated" in vtt) == (True, True, True)


async def test_song_without_words_has_no_sheets(shop: Shop) -> None:
    job_id = await sung(shop, [], instrumental=True, lyrics=None)

    assert await sheets_of(shop, job_id) is None
    assert (await shop.get(f"{SONGS}/{job_id}/tracks/0/lyrics.lrc")).status_code == 404


@pytest.mark.parametrize(
    "path", ["tracks/1/lyrics.lrc", "tracks/x/lyrics.lrc", "tracks/²/lyrics.lrc", "tracks/0/lyrics.exe"]
)
async def test_what_there_is_not_is_not_found(shop: Shop, path: str) -> None:
    job_id = await sung(shop, WORDS)

    answer = await shop.get(f"{SONGS}/{job_id}/{path}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


async def test_sheet_links_are_signed_and_end_with_the_audios(shop: Shop) -> None:
    sheets = await sheets_of(shop, await sung(shop, WORDS))
    path = sheets["lrc"].removeprefix(BASE)

    changed = await AsyncClient().get(path.replace(".lrc", ".vtt"))
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1), tick=False):
        ended = await AsyncClient().get(path)

    assert (changed.status_code, ended.status_code) == (404, 404)
