"""The wire `mureka` from end to end, in both its envelopes: orders, tasks, songs in three formats."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from django.utils import timezone
from jsonschema import Draft202012Validator

from generation.api.published import schema
from generation.audio.label import read_label
from generation.contract import Delivery, Extend, Line, RawTake, References, Section, Word
from generation.dialects.digits import digits_of, id_of
from generation.models import Job, Rendition, Track
from generation.services.finish import finish
from generation.services.receive import receive, store_raw
from generation.states import FINAL
from tests.generation.api.muse import MAAS, OFFICIAL, ORDER, Form, asked, task_of
from tests.generation.houses import at_work, eventually
from tests.generation.shops import SONGS, Shop
from tests.generation.worlds import claimed, upload, wav
from tests.scenarios.playing import play

BASE = "http://127.0.0.1:8000"
LINKS = {"url": "mp3", "wav_url": "wav", "flac_url": "flac"}
MEDIA_TYPES = {"url": "audio/mpeg", "wav_url": "audio/wav", "flac_url": "audio/flac"}
SECTIONS = (
    Section("verse", 0, 900, (Line(100, 900, "la la", (Word(100, 500, "la "), Word(500, 900, "la"))),)),
    Section("outro", 900, 1000, ()),
)


async def body_of(path: str) -> tuple[Any, bytes]:
    """A plain call: no key, no cookie."""
    answer: Any = await AsyncClient().get(path.removeprefix(BASE))
    if answer.status_code != 200:
        return answer, b""
    audio = b"".join([piece async for piece in answer.streaming_content])
    answer.close()
    return answer, audio


def valid(component: str, task: Any) -> None:
    document = schema()
    Draft202012Validator(
        {**document["components"]["schemas"][component], "components": document["components"]}
    ).validate(task)


async def test_an_order_is_answered_at_once_with_its_task(muse: Shop, form: Form) -> None:
    answer = await muse.post(form.generate, ORDER)

    task = form.task(answer)
    job = await muse.behind(Job.unscoped.get)
    assert task == {
        "id": str(job.pk.int),
        "created_at": int(job.created_at.timestamp()),
        "finished_at": None,
        "model": "test-song",
        "status": "preparing",
        "failed_reason": None,
        "watermarked": None,
        "choices": None,
    }
    assert (job.song.takes, job.song.prompt, job.song.lyrics) == (1, ORDER["prompt"], ORDER["lyrics"])
    valid({"maas": "MurekaMaasTask", "official": "MurekaTask"}[form.name], answer.json())


@pytest.mark.parametrize("slash", ["", "/"])
async def test_the_routes_are_served_with_and_without_a_slash(muse: Shop, form: Form, slash: str) -> None:
    task = form.task(await muse.post(f"{form.generate}{slash}", ORDER))

    assert form.task(await muse.get(f"{form.query}/{task['id']}{slash}"))["status"] == "queued"


async def test_the_key_may_stand_in_its_own_header(muse: Shop, form: Form) -> None:
    answer = await muse.post(form.generate, ORDER, headers={"authorization": "", "x-api-key": muse.secret})

    assert form.task(answer)["status"] == "preparing"


async def test_two_songs_are_made_and_charged_unless_said_otherwise(muse: Shop, form: Form) -> None:
    task_id, job = await task_of(muse, form, n=None)
    await muse.finished(job, wav(), wav(1.5))

    task = await asked(muse, form, task_id)

    tracks = await muse.behind(lambda: list(Track.unscoped.order_by("take")))
    ended = await muse.job(str(job.pk))
    assert ended.finished_at is not None
    assert (task["status"], task["finished_at"]) == ("succeeded", int(ended.finished_at.timestamp()))
    assert [(choice["index"], choice["id"]) for choice in task["choices"]] == [
        (index, str(track.pk.int)) for index, track in enumerate(tracks)
    ]
    assert [choice["duration"] for choice in task["choices"]] == [1000, 1500]
    assert ended.charged_micro == sum(track.charged_micro for track in tracks) == 5_000_000


async def test_a_task_goes_from_queued_over_running_to_succeeded(muse: Shop, form: Form) -> None:
    task_id, job = await task_of(muse, form)
    waits = await asked(muse, form, task_id)
    work = await muse.behind(claimed, job)
    runs = await asked(muse, form, task_id)
    raw = await muse.behind(store_raw, work, Delivery(takes=(RawTake(audio=wav(), sections=SECTIONS),)))
    await muse.behind(receive, work, raw, lyrics=None)
    await muse.behind(finish, work.token)
    ends = await asked(muse, form, task_id)

    assert [(task["status"], task["choices"] is None) for task in (waits, runs, ends)] == [
        ("queued", True),
        ("running", True),
        ("succeeded", False),
    ]
    assert ends["choices"][0]["lyrics_sections"] == [
        {
            "section_type": "verse",
            "start": 0,
            "end": 900,
            "lines": [
                {
                    "start": 100,
                    "end": 900,
                    "text": "la la",
                    "words": [{"start": 100, "end": 500, "text": "la "}, {"start": 500, "end": 900, "text": "la"}],
                }
            ],
        },
        {"section_type": "outro", "start": 900, "end": 1000, "lines": []},
    ]
    answer = await muse.get(f"{form.query}/{task_id}")
    valid({"maas": "MurekaMaasTask", "official": "MurekaTask"}[form.name], answer.json())
    assert answer.headers["x-ai-generated"] == "true"


async def test_every_song_comes_as_mp3_flac_and_wav(muse: Shop, form: Form) -> None:
    task_id, job = await task_of(muse, form)
    await muse.finished(job, wav(2.0))
    (choice,) = (await asked(muse, form, task_id))["choices"]

    for name, audio_format in LINKS.items():
        assert choice[name].endswith(f"/test-song-1.{audio_format}")
        answer, audio = await body_of(choice[name])
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, MEDIA_TYPES[name])
        assert answer.headers["Content-Length"] == str(len(audio))
        assert answer.headers["ETag"] == f'"{hashlib.sha256(audio).hexdigest()}"'
        assert (round(play(audio).seconds, 1), play(audio).channels) == (2.0, 2)
        label = read_label(audio)
        assert label is not None
        assert label["ProduceID"] == id_of(choice["id"])
    assert choice["stream_url"] is None
    # They were made with the song: nobody waits for them, and no worker is asked.
    made = await muse.behind(lambda: sorted(Rendition.unscoped.exclude(file="").values_list("format", flat=True)))
    assert made == ["flac", "wav"]


async def test_links_live_for_a_month_and_give_the_same_bytes(muse: Shop, form: Form) -> None:
    task_id, job = await task_of(muse, form)
    await muse.finished(job, wav(2.0))
    (choice,) = (await asked(muse, form, task_id))["choices"]
    now = timezone.now()

    found: dict[str, list[Any]] = {name: [] for name in LINKS}
    for after in (timedelta(0), timedelta(days=30), timedelta(days=32)):
        with time_machine.travel(now + after, tick=False):
            for name in LINKS:
                answer, audio = await body_of(choice[name])
                found[name].append((answer.status_code, hashlib.sha256(audio).hexdigest()))

    for first, later, ended in found.values():
        assert (first[0], later) == (200, first)
        assert ended[0] == 404


async def test_any_task_of_the_caller_may_be_asked_for_by_either_form(muse: Shop, form: Form) -> None:
    other = OFFICIAL if form is MAAS else MAAS
    task_id, job = await task_of(muse, form)
    await muse.finished(job)

    told = [await asked(muse, one, task_id) for one in (form, other)]

    assert [task["status"] for task in told] == ["succeeded", "succeeded"]
    assert told[0] | {"choices": None} == told[1] | {"choices": None}
    assert [task["choices"][0]["id"] for task in told] == [str((await muse.behind(Track.unscoped.get)).pk.int)] * 2


async def test_a_song_of_another_wire_may_be_asked_for(muse: Shop, form: Form) -> None:
    job = await muse.ordered(lyrics="la", watermark=True)
    await muse.finished(job)

    task = await asked(muse, form, digits_of(str(job.pk)))

    assert (task["status"], task["watermarked"], len(task["choices"])) == ("succeeded", True, 1)


async def test_a_song_of_this_wire_may_be_asked_for_on_another(muse: Shop, form: Form) -> None:
    task_id, job = await task_of(muse, form)
    await muse.finished(job)

    song = (await muse.get(f"{SONGS}/{job.pk}")).json()

    assert (song["status"], song["audios"][0]["format"]) == ("SUCCEEDED", "mp3")
    assert id_of(task_id) == song["id"]


async def test_the_same_order_twice_is_one_task(muse: Shop, form: Form) -> None:
    key = {"idempotency-key": "order-1"}
    first = await muse.post(form.generate, ORDER, headers=key)
    second = await muse.post(form.generate, ORDER, headers=key)
    job = await muse.behind(Job.unscoped.get)
    await muse.finished(job)
    third = await muse.post(form.generate, ORDER, headers=key)

    assert "Idempotent-Replayed" not in first.headers
    assert (second.headers["Idempotent-Replayed"], third.headers["Idempotent-Replayed"]) == ("true", "true")
    tasks = [form.task(answer) for answer in (first, second, third)]
    assert [task["id"] for task in tasks] == [str(job.pk.int)] * 3
    assert [task["status"] for task in tasks] == ["preparing", "preparing", "succeeded"]
    assert tasks[2]["choices"][0]["url"].endswith(".mp3")


async def test_the_same_words_at_another_call_are_another_order(muse: Shop) -> None:
    body = {"prompt": "x", "lyrics": "", "n": 1, "transno": "order-1"}
    await muse.post("/v1/instrumental/generate", body)

    answer = await muse.post(OFFICIAL.generate, body | {"lyrics": "la"})

    assert answer.status_code == 409


async def test_names_that_nobody_documents_are_told(muse: Shop, form: Form) -> None:
    answer = await muse.post(form.generate, ORDER | {"voice": "alto"})

    assert answer.headers["x-tutti-ignored"] == "voice"


async def test_a_stream_that_comes_after_the_song_is_a_wish(muse: Shop, form: Form) -> None:
    llm = muse.world.mapping.llm
    llm.capabilities = llm.capabilities | {"streaming": "after"}
    await muse.behind(llm.save)

    task_id, job = await task_of(muse, form, stream=True)
    answer = await muse.get(f"{form.query}/{task_id}")

    assert not job.song.partial_audio
    assert answer.headers["x-tutti-approximated"] == "stream"


async def test_a_stream_while_it_is_made_is_no_wish(muse: Shop, form: Form) -> None:
    answer = await muse.post(form.generate, ORDER | {"stream": True})

    assert "x-tutti-approximated" not in answer.headers
    assert (await muse.behind(Job.unscoped.get)).song.partial_audio


@pytest.mark.parametrize("at", ["8000", 8000, 8000.0])
async def test_a_song_is_continued(muse: Shop, form: Form, at: Any) -> None:
    task_id, job = await task_of(muse, form)
    await muse.finished(job)
    (choice,) = (await asked(muse, form, task_id))["choices"]

    answer = await muse.post(form.extend, {"song_id": choice["id"], "extend_at": at, "lyrics": "[Verse]\nmore"})

    task = form.task(answer)
    more = await muse.job(id_of(task["id"]) or "")
    assert task["status"] == "preparing"
    # The song lasts one second, and beyond its length means its length.
    assert more.song.extend == Extend(track=id_of(choice["id"]), at_ms=1000)
    assert (more.song.takes, more.song.lyrics) == (1, "[Verse]\nmore")
    assert await muse.behind(lambda: (more.mapping.catalog_id, more.mapping.operation)) == ("music_extend", "extend")
    await muse.finished(more)
    assert (await asked(muse, form, task["id"]))["status"] == "succeeded"


async def test_references_are_kept_as_ids_of_uploads(muse: Shop, form: Form) -> None:
    files = {purpose: await muse.behind(upload, muse.world.caller, purpose) for purpose in ("reference", "vocal")}
    ids = {f"{purpose}_id": digits_of(str(file.pk)) for purpose, file in files.items()}

    await muse.post(form.generate, {"lyrics": "la", **ids})

    references = (await muse.behind(Job.unscoped.get)).song.references
    assert references == References(**{purpose: str(file.pk) for purpose, file in files.items()})


async def test_a_reference_that_is_no_upload_is_refused_by_name(muse: Shop, form: Form) -> None:
    answer = await muse.post(form.generate, {"lyrics": "la", "reference_id": "17"})

    assert (answer.status_code, "reference_id" in answer.content.decode()) == (404, True)
    assert await muse.behind(Job.unscoped.count) == 0


async def test_an_instrumental_has_no_words(muse: Shop) -> None:
    task = OFFICIAL.task(await muse.post("/v1/instrumental/generate", {"prompt": "slow", "model": "auto"}))
    job = await muse.job(id_of(task["id"]) or "")
    await muse.finished(job, wav(), wav())

    told = [
        OFFICIAL.task(await muse.get(f"{path}/{task['id']}")) for path in ("/v1/instrumental/query", OFFICIAL.query)
    ]

    assert (job.song.instrumental, job.song.lyrics, job.song.takes, job.model) == (True, None, 2, "test-song")
    assert [(one["status"], len(one["choices"])) for one in told] == [("succeeded", 2)] * 2
    assert told[0]["choices"][0]["lyrics_sections"] == []


@pytest.mark.parametrize("model", ["auto", "", None, "tune"])
async def test_the_model_may_be_left_to_the_wire(muse: Shop, model: str | None) -> None:
    task = OFFICIAL.task(await muse.post(OFFICIAL.generate, ORDER | {"model": model}))

    assert task["model"] == ("tune" if model == "tune" else "test-song")


async def test_a_task_ends_by_workers_and_runner(muse: Shop, form: Form) -> None:
    """The whole way: a queue, a runner, the composer, an audio worker."""
    with at_work():
        task_id, _ = await task_of(muse, form, lyrics="[Verse]\nla la la\n[Chorus]\nla la", n=2)
        await sync_to_async(eventually, thread_sensitive=False)(lambda: Job.unscoped.get().state in FINAL)

    task = await asked(muse, form, task_id)

    assert (task["status"], task["failed_reason"], len(task["choices"])) == ("succeeded", None, 2)
    for choice in task["choices"]:
        sums = [hashlib.sha256((await body_of(choice[name]))[1]).hexdigest() for name in LINKS]
        assert len(set(sums)) == 3
        lines = [line for section in choice["lyrics_sections"] for line in section["lines"]]
        assert [line["text"] for line in lines] == ["la la la", "la la"]
        assert ["".join(word["text"] for word in line["words"]) for line in lines] == ["la la la", "la la"]
    answer = await muse.get(f"{form.query}/{task_id}")
    valid({"maas": "MurekaMaasTask", "official": "MurekaTask"}[form.name], answer.json())
