"""Uploads as callers meet them: what is taken, what is said of it, who sees it."""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from typing import Any

import pytest
from django.test import AsyncClient

from accounts.services.api_keys import issue_key
from accounts.tenancy import system_scope
from generation.api import uploading
from generation.audio.bad_audio import BadAudio
from generation.audio.decode import probe
from generation.audio.isolation import TooBusy
from generation.audio.midi import read_tune
from generation.audio.purposes import MOST_BYTES, RULES
from generation.dialects.digits import digits_of
from generation.models import Job, Upload
from generation.services.settle import settle
from tests.generation.shops import Shop
from tests.generation.songs_to_send import form, song, tune
from tests.generation.worlds import caller_of

FILES = "/v1/files"
OFFICIAL = "/v1/files/upload"
MAAS = "/v1/ai/corner/mureka/files/upload"


async def send(
    shop: Shop, file: bytes | None, purpose: str | None = "voice", *, path: str = FILES, **named: str
) -> Any:
    body, content_type = form(file, purpose, **named)
    return await shop.call("POST", path, data=body, content_type=content_type)


async def kept(shop: Shop) -> list[Upload]:
    return await shop.behind(lambda: list(Upload.unscoped.all()))


def voice(kind: str = "mp3", seed: int = 0) -> bytes:
    return song(kind, 6, seed=seed)


# --- What is said -----------------------------------------------------------------------------------------------


async def test_upload_is_answered_as_openai_words_a_file(shop: Shop) -> None:
    before = int(time.time())
    answer = await send(shop, voice(), file_name="My song.mp3")

    body = answer.json()
    assert answer.status_code == 200, answer.content
    assert before <= body["created_at"] <= time.time()
    assert body == {
        "id": body["id"],
        "object": "file",
        "bytes": len(voice()),
        "created_at": body["created_at"],
        "filename": "My song.mp3",
        "purpose": "voice",
    }
    assert (await shop.get(f"{FILES}/{body['id']}")).json() == body


@pytest.mark.parametrize("path", [MAAS, OFFICIAL])
async def test_upload_is_answered_flat_in_both_envelopes_of_mureka(corner: Shop, path: str) -> None:
    answer = await send(corner, voice(), "audio", path=path, file_name="113366463152129-RcQK1qzNt73VBNCcW3JoQ6.mp3")

    [upload] = await kept(corner)
    assert (answer.status_code, answer.headers["Trace-Id"]) == (200, answer.headers["x-request-id"])
    assert answer.json() == {
        "trace_id": answer.headers["x-request-id"],
        "purpose": "audio",
        "created_at": int(upload.created_at.timestamp()),
        "filename": "113366463152129-RcQK1qzNt73VBNCcW3JoQ6.mp3",
        "bytes": len(voice()),
        "id": digits_of(str(upload.pk)),
    }


async def test_purpose_in_quotes_is_the_purpose(shop: Shop) -> None:
    assert (await send(shop, voice(), '"audio"')).json()["purpose"] == "audio"


async def test_file_is_found_by_the_digits_of_its_id_too(shop: Shop) -> None:
    file_id = (await send(shop, voice())).json()["id"]

    assert (await shop.get(f"{FILES}/{digits_of(file_id)}")).json()["id"] == file_id


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd.mp3", "passwd.mp3"),
        ("C:\\songs\\a.mp3", "a.mp3"),
        ("歌.mp3", "歌.mp3"),
        ("a\u202egnp.mp3", "agnp.mp3"),
        ("x" * 300 + ".mp3", "x" * 116 + ".mp3"),
    ],
)
async def test_name_is_shown_without_its_path_and_what_deceives_the_eye(shop: Shop, sent: str, shown: str) -> None:
    assert (await send(shop, voice(), file_name=sent)).json()["filename"] == shown


# --- What is kept -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mp3", "m4a"])
async def test_what_is_kept_is_made_anew_and_offered_for_saving_alone(shop: Shop, kind: str) -> None:
    sent = voice(kind)
    file_id = (await send(shop, sent, file_name="take.mp3")).json()["id"]

    answer = await shop.get(f"{FILES}/{file_id}/content")
    content = b"".join([piece async for piece in answer.streaming_content])

    [upload] = await kept(shop)
    assert hashlib.sha256(content).hexdigest() == upload.sha256 != hashlib.sha256(sent).hexdigest()
    assert (probe(content).format, upload.format) == ("m4a", "m4a")
    assert {
        name: answer.headers[name] for name in ("Content-Type", "Content-Disposition", "X-Content-Type-Options")
    } == {
        "Content-Type": "audio/mp4",
        "Content-Disposition": 'attachment; filename="take.m4a"',
        "X-Content-Type-Options": "nosniff",
    }
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Content-Length"] == str(len(content))


async def test_tune_of_a_midi_file_is_kept_with_its_notes(shop: Shop) -> None:
    file_id = (await send(shop, tune(8), "melody")).json()["id"]

    answer = await shop.get(f"{FILES}/{file_id}/content")
    content = b"".join([piece async for piece in answer.streaming_content])

    [upload] = await kept(shop)
    assert (answer.headers["Content-Type"], upload.format, upload.duration_ms) == ("audio/midi", "mid", 8000)
    assert upload.tune == [list(note) for note in read_tune(content)]
    assert upload.tune[1] == [500, 1000, 55]


# --- What is refused --------------------------------------------------------------------------------------------


def refused(answer: Any) -> tuple[int, str, str | None, str]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["param"], error["message"]


@pytest.mark.parametrize("purpose", [name for name, rule in RULES.items() if rule.shortest_seconds])
async def test_shorter_than_its_purpose_needs_is_refused_with_the_rule(shop: Shop, purpose: str) -> None:
    shortest = RULES[purpose].shortest_seconds
    answer = await send(shop, song("mp3", shortest - 1), purpose)

    rule = f"A file for {purpose} must be {RULES[purpose]}; this one has {shortest - 1:.1f}."
    assert refused(answer) == (400, "invalid_parameter", "file", rule)
    assert await kept(shop) == []


@pytest.mark.parametrize("purpose", [name for name in RULES if name != "audio"])
async def test_longer_than_its_purpose_takes_is_trimmed(shop: Shop, purpose: str) -> None:
    longest = RULES[purpose].longest_seconds
    answer = await send(shop, song("mp3", longest + 3), purpose)

    assert answer.status_code == 200, answer.content
    [upload] = await kept(shop)
    assert upload.duration_ms == 1000 * longest


@pytest.mark.parametrize("purpose", [name for name, rule in RULES.items() if "mid" not in rule.formats])
async def test_midi_is_refused_where_the_purpose_takes_none(shop: Shop, purpose: str) -> None:
    answer = await send(shop, tune(30), purpose, file_name="song.mp3")

    rule = f"A file for {purpose} must be {RULES[purpose]}."
    assert refused(answer) == (400, "invalid_parameter", "file", rule)


@pytest.mark.parametrize(
    "file", [b"", b"RIFF\x24\0\0\0WAVEfmt ", b"fLaC", b"OggS", b"PK\x03\x04" + bytes(99), b"<svg/>"]
)
async def test_another_kind_of_file_is_refused_whatever_it_is_called(shop: Shop, file: bytes) -> None:
    answer = await send(shop, file, "melody", file_name="song.mp3")

    assert refused(answer)[:3] == (400, "invalid_parameter", "file")
    assert "MP3, M4A or MIDI with 5 to 60 seconds" in refused(answer)[3]


async def test_silence_is_refused(shop: Shop) -> None:
    answer = await send(shop, song("mp3", 6, loudness=0.0))

    assert refused(answer) == (400, "invalid_parameter", "file", "The audio is silent.")


@pytest.mark.parametrize(("file", "purpose", "missing"), [(None, "voice", "file"), (b"x", None, "purpose")])
async def test_form_without_what_it_needs_is_refused_by_name(
    shop: Shop, file: bytes | None, purpose: str | None, missing: str
) -> None:
    answer = await send(shop, file, purpose)

    assert refused(answer) == (400, "missing_parameter", missing, f"Missing required parameter: {missing}")


async def test_unknown_purpose_is_refused_by_name(shop: Shop) -> None:
    answer = await send(shop, voice(), "assistants")

    rule = "it must be one of reference, vocal, melody, instrumental, voice, audio."
    assert refused(answer) == (400, "invalid_parameter", "purpose", f"Invalid value for parameter purpose: {rule}")


async def test_json_in_place_of_a_form_names_an_address(corner: Shop) -> None:
    assert refused(await corner.post(FILES, {"purpose": "voice"}))[:3] == (400, "missing_parameter", "url")
    told = [(await corner.post(path, {"purpose": "voice"})).content.decode() for path in (MAAS, OFFICIAL)]
    assert ["Missing required parameter: file" in one for one in told] == [True, True]


async def test_form_that_is_none_is_not_understood(shop: Shop) -> None:
    answer = await shop.call("POST", FILES, data=b"--x", content_type="multipart/form-data")

    assert refused(answer)[:2] == (400, "malformed_json")


async def test_file_over_its_limit_is_refused(shop: Shop) -> None:
    answer = await send(shop, b"ID3" + bytes(MOST_BYTES))

    assert refused(answer) == (413, "body_too_large", "file", "A file may have at most 20,000,000 bytes.")


async def test_endpoint_nobody_has_is_not_found(corner: Shop) -> None:
    answer = await send(corner, voice(), path="/v1/ai/nowhere/mureka/files/upload")

    assert (answer.status_code, answer.json()["code"], answer.json()["data"]) == (404, 404, None)
    assert "nowhere" in answer.json()["code_msg"]


async def test_refusal_at_the_official_path_is_in_its_envelope(shop: Shop) -> None:
    answer = await send(shop, song("mp3", 2), path=OFFICIAL)

    message = "A file for voice must be MP3 or M4A with 5 to 15 seconds of sound; this one has 2.0."
    assert (answer.status_code, answer.json()["error"]) == (400, {"message": message})


# --- Who sees it --------------------------------------------------------------------------------------------------


def stranger_of(shop: Shop, *, live: bool = True) -> Shop:
    with system_scope():
        caller = caller_of(shop.world.seller) if live else shop.world.caller
        _, secret = issue_key(organization=caller.organization, member=caller.member, name="other", live=live)
    return Shop(shop.world, secret)


@pytest.mark.parametrize("is_foreign", [True, False], ids=["another organization", "a test key"])
async def test_foreign_file_reads_exactly_as_a_missing_one(shop: Shop, is_foreign: bool) -> None:
    file_id = (await send(shop, voice())).json()["id"]
    stranger = await shop.behind(stranger_of, shop, live=is_foreign)
    nobody = uuid.uuid4()

    def told(answer: Any) -> Any:
        return answer.status_code, {**answer.json()["error"], "request_id": ""}

    for method, path in (("GET", "{}"), ("GET", "{}/content"), ("DELETE", "{}")):
        foreign = await stranger.call(method, f"{FILES}/{path.format(file_id)}")
        missing = await stranger.call(method, f"{FILES}/{path.format(nobody)}")
        assert told(foreign) == told(missing)
        assert foreign.status_code == 404
    assert (await stranger.get(FILES)).json()["data"] == []
    assert (await shop.get(f"{FILES}/{file_id}")).status_code == 200


async def test_files_are_listed_newest_first_page_by_page(shop: Shop) -> None:
    sent = [(await send(shop, voice(), purpose)).json() for purpose in ("voice", "audio", "voice")]

    first = (await shop.get(f"{FILES}?limit=2")).json()
    second = (await shop.get(f"{FILES}?limit=2&after={first['next']}")).json()
    audio = (await shop.get(f"{FILES}?purpose=audio")).json()

    assert [file["id"] for file in first["data"]] == [sent[2]["id"], sent[1]["id"]]
    assert second == {"object": "list", "data": [sent[0]], "has_more": False, "next": None}
    assert (first["object"], first["has_more"], first["next"]) == ("list", True, sent[1]["id"])
    assert audio["data"] == [sent[1]]


async def test_deleted_file_is_gone_with_its_bytes(shop: Shop, settings: Any) -> None:
    file_id = (await send(shop, voice())).json()["id"]
    [upload] = await kept(shop)

    answer = await shop.call("DELETE", f"{FILES}/{file_id}")

    assert answer.json() == {"id": file_id, "object": "file", "deleted": True}
    assert (await shop.get(f"{FILES}/{file_id}")).status_code == 404
    assert not (settings.MEDIA_ROOT / upload.file).exists()


@pytest.mark.both_databases
async def test_file_a_song_leans_on_stays_until_the_song_has_ended(shop: Shop) -> None:
    file_id = (await send(shop, voice(), "audio")).json()["id"]
    job = await shop.ordered()
    request = {**job.request, "extend": {"track": None, "upload": file_id, "at_ms": 8000}}
    await shop.behind(Job.unscoped.filter(pk=job.pk).update, request=request)

    leant_on = await shop.call("DELETE", f"{FILES}/{file_id}")
    await shop.behind(settle, job.pk, token=None)
    free = await shop.call("DELETE", f"{FILES}/{file_id}")

    assert refused(leant_on) == (
        400,
        "invalid_parameter",
        "file_id",
        "A song that is still being made leans on this file.",
    )
    assert free.status_code == 200


# --- How it is served -----------------------------------------------------------------------------------------------


async def test_file_that_is_being_read_keeps_nobody_waiting(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    release = asyncio.Event()

    async def slow(*args: Any, **kwargs: Any) -> Any:
        await release.wait()
        raise BadAudio("It took long.")

    monkeypatch.setattr(uploading, "clean", slow)
    reading = asyncio.create_task(send(shop, voice()))

    # All sync parts of this test's requests share one thread, which a wait on it would hold.
    others = [await shop.get(FILES) for _ in range(3)]
    assert ([other.status_code for other in others], reading.done()) == ([200] * 3, False)
    release.set()
    assert refused(await reading) == (400, "invalid_parameter", "file", "It took long.")


async def test_too_many_files_at_once_are_asked_to_come_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*args: Any, **kwargs: Any) -> Any:
        raise TooBusy

    monkeypatch.setattr(uploading, "clean", full)

    answer = await send(shop, voice())

    assert refused(answer)[:2] == (503, "busy")
    assert answer.headers["Retry-After"] == "5"


async def test_file_that_cannot_be_kept_is_our_fault_and_leaves_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def stumble(*args: Any, **kwargs: Any) -> None:
        raise OSError("no more rows")

    monkeypatch.setattr(Upload.objects, "create", stumble)

    answer = await send(shop, voice())

    assert refused(answer)[:2] == (500, "internal_error")
    assert list((settings.MEDIA_ROOT / "uploads").iterdir()) == []


async def test_only_one_file_of_a_form_is_read(shop: Shop) -> None:
    body, content_type = form(voice(), "voice")
    boundary = content_type.partition("boundary=")[2].encode()
    second = b"--" + boundary + b'\r\nContent-Disposition: form-data; name="file"; filename="b.mp3"\r\n\r\nxx\r\n'
    more = b"--" + boundary + b'\r\nContent-Disposition: form-data; name="cover"; filename="c.png"\r\n\r\nxx\r\n'
    end = b"--" + boundary + b"--\r\n"
    both = more + body.removesuffix(end) + second + end

    answer = await shop.call("POST", FILES, data=both, content_type=content_type)

    assert (answer.json()["filename"], answer.json()["bytes"]) == ("song.mp3", len(voice()))


async def test_signed_in_person_uploads_with_the_csrf_token(shop: Shop) -> None:
    browser = AsyncClient(enforce_csrf_checks=True)
    await browser.aforce_login(shop.user)
    browser.cookies["csrftoken"] = "a" * 32
    body, content_type = form(voice(), "voice")

    without = await browser.post(FILES, body, content_type=content_type)
    given = await browser.post(FILES, body, content_type=content_type, headers={"x-csrftoken": "a" * 32})

    assert (without.status_code, given.status_code) == (403, 200), (without.content, given.content)
