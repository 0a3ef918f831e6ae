"""Every route that takes an id: what belongs to another organization, or to the other mode, reads as missing."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import AsyncClient
from django.utils import timezone

from accounts.api.routes import routes
from accounts.models import Organization
from accounts.services.api_keys import issue_key
from billing.services.books import check_books
from billing.services.credits import balance_of, top_up
from generation.dialects.digits import digits_of
from generation.models import Job, Track, Upload
from generation.models.job import new_id
from tests.generation.api.muse import ORDER as MUREKA_ORDER
from tests.generation.shops import SONGS, Shop
from tests.generation.worlds import SONG_PRICE, caller_of, wav

FILES = "/v1/files"
AT_CORNER = "/v1/ai/corner/mureka"
EXTENSION = {"lyrics": "[Verse]\nla la", "extend_at": 8000}


@dataclass(frozen=True)
class Things:
    """What somebody has: a finished song, its track, a song that waits, and uploads by purpose."""

    song: str
    track: str
    waiting: str
    uploads: dict[str, str]

    @classmethod
    def missing(cls) -> Things:
        """Ids that nothing has."""
        uploads = {purpose: str(new_id()) for purpose in PURPOSES}
        return cls(song=str(new_id()), track=str(new_id()), waiting=str(new_id()), uploads=uploads)


PURPOSES = ("reference", "vocal", "melody", "audio", "voice")


@dataclass(frozen=True)
class Ask:
    """A call that names an id. `route` is the route it goes to; `path` and `body` are filled with somebody's things."""

    method: str
    route: str
    path: Callable[[Things], str]
    body: Callable[[Things], Any] = lambda things: None


def of_a_song(method: str, tail: str = "", *, path: str = "") -> Ask:
    return Ask(method, f"{SONGS}/{{job_id}}{tail}", lambda t: f"{SONGS}/{t.song}{path or tail}")


def of_a_task(route: str) -> Ask:
    return Ask("GET", f"{route}/{{task_id}}", lambda t: f"{route.format(endpoint='corner')}/{digits_of(t.song)}")


def of_a_file(method: str, tail: str = "") -> Ask:
    return Ask(method, f"{FILES}/{{file_id}}{tail}", lambda t: f"{FILES}/{t.uploads['audio']}{tail}")


def leaning(form: str, purpose: str) -> Ask:
    """A new order that leans on an upload; a reference stands without a prompt."""
    plain = {name: value for name, value in MUREKA_ORDER.items() if name != "prompt"}

    def order(things: Things) -> Any:
        return {**plain, f"{purpose}_id": digits_of(things.uploads[purpose])}

    return Ask("POST", f"{form}/song/generate", lambda t: f"{form}/song/generate", order)


def continuing(form: str, field: str, which: Callable[[Things], str]) -> Ask:
    def order(things: Things) -> Any:
        return {**EXTENSION, field: digits_of(which(things))}

    return Ask("POST", f"{form}/song/extend", lambda t: f"{form}/song/extend", order)


ASKS: dict[str, Ask] = {
    "a song": of_a_song("GET"),
    "its head": of_a_song("HEAD"),
    "its events": of_a_song("GET", "/events"),
    "its events with audio": of_a_song("GET", "/events", path="/events?audio=1"),
    "its lyrics": of_a_song("GET", "/tracks/{take}/lyrics.{sheet}", path="/tracks/0/lyrics.lrc"),
    "its cancel": Ask("POST", f"{SONGS}/{{job_id}}/cancel", lambda t: f"{SONGS}/{t.waiting}/cancel"),
    "songs after it": Ask("GET", SONGS, lambda t: f"{SONGS}?after={t.song}"),
    "a task": Ask("GET", "/v1/tasks", lambda t: f"/v1/tasks?taskid={t.song}"),
    "a task at an endpoint": of_a_task("/v1/ai/{endpoint}/mureka/song/query"),
    "a task of the vendor's own path": of_a_task("/v1/song/query"),
    "an instrumental task": of_a_task("/v1/instrumental/query"),
    "a file": of_a_file("GET"),
    "its content": of_a_file("GET", "/content"),
    "the head of its content": of_a_file("HEAD", "/content"),
    # No song of this test leans on it.
    "its end": Ask("DELETE", f"{FILES}/{{file_id}}", lambda t: f"{FILES}/{t.uploads['voice']}"),
    "files after it": Ask("GET", FILES, lambda t: f"{FILES}?after={t.uploads['audio']}"),
    **{
        f"{purpose} at {form}": leaning(form, purpose)
        for form in (AT_CORNER, "/v1")
        for purpose in ("reference", "vocal", "melody")
    },
    **{f"song_id at {form}": continuing(form, "song_id", lambda t: t.track) for form in (AT_CORNER, "/v1")},
    **{
        f"upload_audio_id at {form}": continuing(form, "upload_audio_id", lambda t: t.uploads["audio"])
        for form in (AT_CORNER, "/v1")
    },
}
IDS = {"job_id", "task_id", "file_id"}
"""Parts of an address that name a row of somebody's."""


def test_every_route_that_takes_an_id_is_asked() -> None:
    taking = {
        (method, route.path)
        for route in routes()
        for method in route.words
        if IDS & set(re.findall(r"{(\w+)}", route.path))
    }

    assert taking - {(ask.method, ask.route) for ask in ASKS.values()} == set()


# --- Who has what -------------------------------------------------------------------------------------------------


@dataclass
class Town:
    """The shop's customer in both modes, another customer of the same seller, and that seller."""

    shop: Shop
    keys: dict[str, str]
    things: dict[str, Things]

    async def ask(self, who: str, ask: Ask, things: Things) -> Any:
        headers = {"authorization": f"Bearer {self.keys[who]}"}
        client = AsyncClient(raise_request_exception=False)
        if (body := ask.body(things)) is not None:
            return await client.post(ask.path(things), data=body, content_type="application/json", headers=headers)
        answer: Any = await client.generic(ask.method, ask.path(things), headers=headers)
        if answer.streaming:
            answer.close()
        return answer


def key_of(organization: Organization, *, live: bool) -> str:
    member = caller_of(organization).member
    _, secret = issue_key(organization=organization, member=member, name="test", live=live)
    key = f"grant:{uuid.uuid4()}"
    top_up(organization_id=organization.pk, live=live, amount_micro=50 * SONG_PRICE, key=key, reason="test")
    return secret


def upload_of(organization: Organization, purpose: str, *, live: bool) -> str:
    file = default_storage.save(f"uploads/{uuid.uuid4()}.m4a", ContentFile(b"audio"))
    row = Upload.unscoped.create(
        organization=organization,
        live=live,
        purpose=purpose,
        file_name="song.m4a",
        size=5,
        format="m4a",
        duration_ms=30_000,
        file=file,
        sha256="0" * 64,
        created_at=timezone.now(),
    )
    return str(row.pk)


@pytest.fixture
async def town(muse: Shop) -> Town:
    world = muse.world
    other = await muse.behind(Organization.objects.create, name="Other", slug="other", parent=world.seller)
    own = {True: world.customer, False: world.customer}
    keys = {
        "live": await muse.behind(key_of, own[True], live=True),
        "test": await muse.behind(key_of, own[False], live=False),
        "other": await muse.behind(key_of, other, live=True),
        "seller": await muse.behind(key_of, world.seller, live=True),
    }
    things = {}
    for mode in ("live", "test"):
        muse.secret = keys[mode]
        job = await muse.ordered()
        await muse.finished(job, wav(2.0))
        waiting = await muse.ordered()
        track = await muse.behind(Track.unscoped.get, job=job)
        uploads = {name: await muse.behind(upload_of, world.customer, name, live=mode == "live") for name in PURPOSES}
        things[mode] = Things(str(job.pk), str(track.pk), str(waiting.pk), uploads)
    return Town(muse, keys, things)


def told(answer: Any, things: Things) -> tuple[int, dict[str, str], str]:
    """Status, headers and body without what differs from call to call."""
    body = b"" if answer.streaming else answer.content
    text = re.sub(r"req_[0-9a-f]{24}", "REQUEST", body.decode())
    for one in (things.song, things.track, things.waiting, *things.uploads.values()):
        text = text.replace(one, "ID").replace(digits_of(one), "ID")
    headers = {name: answer.headers[name] for name in ("Content-Type", "Allow") if name in answer.headers}
    return answer.status_code, headers, text


STRANGERS = [("other", "live"), ("seller", "live"), ("test", "live"), ("live", "test")]


@pytest.mark.parametrize(("who", "whose"), STRANGERS)
async def test_what_is_not_ones_own_reads_as_missing(town: Town, who: str, whose: str) -> None:
    there, missing = town.things[whose], Things.missing()
    before = await town.shop.behind(state_of_everything, town)

    foreign = {name: told(await town.ask(who, ask, there), there) for name, ask in ASKS.items()}
    absent = {name: told(await town.ask(who, ask, missing), missing) for name, ask in ASKS.items()}

    assert foreign == absent
    # This one call answers 200 in every case, and tells a missing task in its body.
    assert {name: status for name, (status, _, _) in foreign.items() if status != 404} == {"a task": 200}
    assert '"status": "error"' in foreign["a task"][2]
    assert await town.shop.behind(state_of_everything, town) == before
    assert await town.shop.behind(check_books) == []


@pytest.mark.parametrize("mode", ["live", "test"])
async def test_what_is_ones_own_is_there(town: Town, mode: str) -> None:
    things = town.things[mode]

    came = {name: (await town.ask(mode, ask, things)).status_code for name, ask in ASKS.items()}

    assert came == dict.fromkeys(came, 200)


def state_of_everything(town: Town) -> Any:
    """Whatever a stranger could have moved."""
    return (
        sorted(Job.unscoped.values_list("pk", "state")),
        sorted(Upload.unscoped.values_list("pk", flat=True)),
        [balance_of(town.shop.world.customer.pk, live=live) for live in (True, False)],
    )
