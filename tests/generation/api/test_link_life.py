"""How long links live on each wire, by the clock: to their last second with the same bytes, and then no more."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.test import AsyncClient
from django.utils import timezone

from generation.dialects.registry import DIALECTS
from generation.models import Rendition, Track
from generation.services.sweep import sweep
from tests.generation.api.muse import MAAS, OFFICIAL, Form, asked, task_of
from tests.generation.api.test_minimax import song_of
from tests.generation.shops import SONGS, Shop
from tests.generation.worlds import wav

BASE = "http://127.0.0.1:8000"
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
Links = dict[str, str]


async def opened(link: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    """A plain call: its status, and the sha256 of what came."""
    path, given = link.removeprefix(BASE), {name.replace("_", "-"): value for name, value in headers.items()}
    answer: Any = await AsyncClient().generic(method, path, headers=given)
    if not answer.streaming:
        return answer.status_code, hashlib.sha256(answer.content).hexdigest()
    body = b"".join([piece async for piece in answer.streaming_content])
    answer.close()
    return answer.status_code, hashlib.sha256(body).hexdigest()


async def opened_at(moment: datetime, links: Links, method: str = "GET", **headers: str) -> dict[str, tuple[int, str]]:
    with time_machine.travel(moment, tick=False):
        return {name: await opened(link, method, **headers) for name, link in links.items()}


# --- An answer with links, on each wire ---------------------------------------------------------------------------


async def of_openai_music(muse: Shop) -> Links:
    job = await muse.finished(await muse.ordered(), wav(2.0))
    return await of_song(muse, str(job.pk))


async def of_song(muse: Shop, job_id: str) -> Links:
    song = (await muse.get(f"{SONGS}/{job_id}")).json()
    [take] = song["audios"]
    sheets = {name: link for name, link in take["lyrics"].items() if name != "estimated"}
    return {"audio": song["audio"], "take": take["audio"], **sheets}


async def of_minimax(muse: Shop) -> Links:
    data = (await song_of(muse, wav(2.0), output_format="url")).json()["data"]
    return {name: data[name] for name in ("audio", "audio_url")}


async def of_maas(muse: Shop) -> Links:
    return await of_mureka(muse, MAAS)


async def of_official(muse: Shop) -> Links:
    return await of_mureka(muse, OFFICIAL)


async def of_mureka(muse: Shop, form: Form) -> Links:
    task_id, job = await task_of(muse, form)
    await muse.finished(job, wav(2.0))
    return await of_task(muse, form, task_id)


async def of_task(muse: Shop, form: Form, task_id: str) -> Links:
    [choice] = (await asked(muse, form, task_id))["choices"]
    return {name: choice[name] for name in ("url", "flac_url", "wav_url")}


WIRES: dict[str, tuple[Callable[[Shop], Awaitable[Links]], timedelta, timedelta]] = {
    "minimax": (of_minimax, DAY - timedelta(minutes=1), DAY + timedelta(hours=1)),
    "mureka": (of_maas, 30 * DAY, 32 * DAY),
    "mureka_official": (of_official, 30 * DAY, 32 * DAY),
    "openai_music": (of_openai_music, 7 * DAY - timedelta(minutes=1), 7 * DAY + timedelta(hours=1)),
}


@pytest.mark.parametrize("wire", WIRES)
async def test_links_give_the_same_bytes_to_their_end_and_then_nothing(muse: Shop, wire: str) -> None:
    order, still, over = WIRES[wire]
    links, now = await order(muse), timezone.now()

    first, late, ended = [await opened_at(now + after, links) for after in (timedelta(0), still, over)]

    assert late == first
    assert {status for status, _ in first.values()} == {200}
    assert {status for status, _ in ended.values()} == {404}


@pytest.mark.parametrize("wire", WIRES)
async def test_links_end_in_the_second_their_wire_says(muse: Shop, wire: str) -> None:
    now = timezone.now().replace(microsecond=0) + timedelta(minutes=1)
    # Counted from the answer that carries them.
    with time_machine.travel(now, tick=False):
        links = await WIRES[wire][0](muse)
    life = DIALECTS[wire].link_life

    last, gone = [await opened_at(now + after, links) for after in (life - SECOND, life)]

    assert ({status for status, _ in last.values()}, {status for status, _ in gone.values()}) == ({200}, {404})


def test_every_other_wire_keeps_its_links_for_a_week() -> None:
    others = {slug: dialect.link_life for slug, dialect in DIALECTS.items() if slug not in WIRES}

    own = {"minimax_lyrics": DIALECTS["minimax"].link_life, "mureka_lyrics": DIALECTS["mureka"].link_life}
    assert others == {slug: own.get(slug, 7 * DAY) for slug in others}


async def test_parts_and_heads_live_as_long_as_the_whole(muse: Shop) -> None:
    links, now = await of_openai_music(muse), timezone.now()
    audio = {"audio": links["audio"]}
    etag = f'"{(await opened(links["audio"]))[1]}"'
    last, gone = now + 7 * DAY - timedelta(minutes=1), now + 7 * DAY + SECOND
    asks: list[tuple[str, dict[str, str]]] = [
        ("HEAD", {}),
        ("GET", {"range": "bytes=0-99"}),
        ("HEAD", {"range": "bytes=0-99"}),
        ("GET", {"if_none_match": etag}),
    ]

    late = [(await opened_at(last, audio, method, **headers))["audio"][0] for method, headers in asks]
    ended = [(await opened_at(gone, audio, method, **headers))["audio"][0] for method, headers in asks]

    assert (late, ended) == ([200, 206, 206, 304], [404, 404, 404, 404])


async def test_each_reading_signs_new_links(muse: Shop) -> None:
    task_id, job = await task_of(muse, MAAS)
    await muse.finished(job, wav(2.0))
    now = timezone.now()
    old_song, old_task = await of_song(muse, str(job.pk)), await of_task(muse, MAAS, task_id)

    with time_machine.travel(now + 40 * DAY, tick=False):
        song, task = await of_song(muse, str(job.pk)), await of_task(muse, MAAS, task_id)
        ended = {status for links in (old_song, old_task) for status, _ in [await opened(next(iter(links.values())))]}

    assert (song.keys(), task.keys(), ended) == (old_song.keys(), old_task.keys(), {404})
    assert await opened_at(now + 46 * DAY, song) == await opened_at(now, old_song)
    assert await opened_at(now + 70 * DAY, task) == await opened_at(now, old_task)


def last_digit_changed(text: str) -> str:
    return text[:-1] + ("A" if text[-1] != "A" else "B")


def prolonged(payload: str) -> str:
    """The same track, a year longer."""
    packed = base64.urlsafe_b64decode(payload)
    ends = int.from_bytes(packed[16:], "big") + 365 * 24 * 3600
    return base64.urlsafe_b64encode(packed[:16] + ends.to_bytes(5, "big")).decode()


async def test_changed_links_open_nothing(muse: Shop) -> None:
    links = await of_maas(muse)
    other = await of_openai_music(muse)
    folder, token, name = links["url"].rsplit("/", 2)
    payload, _, signature = token.partition(".")
    stem = name.removesuffix(".mp3")
    foreign_payload = other["audio"].rsplit("/", 2)[1].partition(".")[0]
    changed = {
        "signature": f"{folder}/{payload}.{last_digit_changed(signature)}/{name}",
        "payload": f"{folder}/{last_digit_changed(payload)}.{signature}/{name}",
        "longer life": f"{folder}/{prolonged(payload)}.{signature}/{name}",
        "another track": f"{folder}/{foreign_payload}.{signature}/{name}",
        "no signature": f"{folder}/{payload}/{name}",
        "empty signature": f"{folder}/{payload}./{name}",
        "another name": f"{folder}/{token}/x{name}",
        "another format": f"{folder}/{token}/{stem}.flac",
        "a sheet": f"{folder}/{token}/{stem}.lrc",
        "no format": f"{folder}/{token}/{stem}",
        "letter case": f"{folder}/{token}/{stem}.MP3",
        "a path": f"{folder}/{token}/..%2F{name}",
        "a folder": f"{folder}/{token}/x/{name}",
        "NUL": f"{folder}/{token}/%00{name}",
        "another's token": f"{folder}/{other['lrc'].rsplit('/', 2)[1]}/{name}",
    }

    came = {what: [(await opened(link, method))[0] for method in ("GET", "HEAD")] for what, link in changed.items()}

    assert {*map(tuple, came.values())} == {(404, 404)}
    assert (await opened(links["url"]))[0] == 200


async def test_nothing_that_is_swept_away_is_audio(muse: Shop) -> None:
    links, now = await of_maas(muse), timezone.now()
    first = await opened_at(now, links)

    def rows() -> list[tuple[str, bool]]:
        tracks, renditions = (
            kind.unscoped.order_by("pk").values_list("file", flat=True) for kind in (Track, Rendition)
        )
        files = [*tracks, *renditions]
        return [(file, default_storage.exists(file)) for file in files]

    before = await muse.behind(rows)
    for after in (DAY, 8 * DAY, 31 * DAY - timedelta(minutes=1), 400 * DAY):
        with time_machine.travel(now + after, tick=False):
            await muse.behind(sweep, resend_all=True)

    assert (await muse.behind(rows), [exists for _, exists in before]) == (before, [True] * 3)
    assert await opened_at(now + 31 * DAY - timedelta(minutes=1), links) == first
