"""What a runner keeps of songs that are heard while they are made."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError

from accounts.tenancy import system_scope
from generation.contract import Fault, Piece
from generation.models import Event, Job
from generation.runner import preview as preview_module
from generation.runner.database import DatabaseThreads
from generation.runner.line import JobLine, News
from generation.runner.preview import Preview
from generation.services.claim import Work
from generation.services.pieces import read_piece
from generation.services.retry import put_back
from tests.generation.previews import grown, let_be_heard, pcm_piece
from tests.generation.worlds import World, claimed, submitted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def database() -> Iterator[DatabaseThreads]:
    threads = DatabaseThreads(1)
    yield threads
    threads.close()


@pytest.fixture
def work(world: World) -> Work:
    let_be_heard(world)
    return claimed(submitted(world, partial_audio=True, takes=3))


def given(work: Work, database: DatabaseThreads, *pieces: Piece) -> None:
    """All that an upstream gives, and its end."""

    async def story() -> None:
        preview = Preview(work, database)
        for piece in pieces:
            await preview.give(piece)
        await preview.end()

    asyncio.run(story())


def told() -> list[dict[str, Any]]:
    with system_scope():
        return [event.data for event in Event.unscoped.filter(type="audio").order_by("seq")]


def sound(take: int = 0) -> bytes:
    return b"".join(read_piece(data["file"]) for data in told() if data["take"] == take)


def test_pieces_are_kept_in_order_in_the_ordered_format(work: Work, database: DatabaseThreads) -> None:
    pieces = [pcm_piece(1.0, part=part) for part in range(3)]

    given(work, database, *pieces)

    assert [{**data, "file": ""} for data in told()[:3]] == [
        {
            "attempt": 1,
            "take": 0,
            "part": part,
            "format": "mp3",
            "sample_rate": 44_100,
            "channels": 2,
            "duration_seconds": 1.0,
            "file": "",
        }
        for part in range(3)
    ]
    assert sound() == b"".join(grown(*pieces))
    job = Job.unscoped.get()
    assert (job.streaming, job.has_pieces) == (True, True)


def test_takes_have_the_numbers_of_the_job(work: Work, database: DatabaseThreads) -> None:
    second = replace(work, takes=(1, 2))

    given(second, database, pcm_piece(take=0), pcm_piece(take=1), pcm_piece(take=2), pcm_piece(take=-1))

    assert {data["take"] for data in told()} == {1, 2}


def test_short_pieces_are_gathered(work: Work, database: DatabaseThreads) -> None:
    given(work, database, *(pcm_piece(0.1, part=part) for part in range(12)))

    assert [data["duration_seconds"] for data in told()] == [0.5, 0.5, 0.2]
    assert [data["part"] for data in told()] == [0, 1, 2]


def test_takes_that_come_side_by_side_are_each_in_order(work: Work, database: DatabaseThreads) -> None:
    async def story() -> None:
        preview = Preview(work, database)
        pieces = [pcm_piece(0.6, take=take, part=part) for part in range(4) for take in range(3)]
        await asyncio.gather(*(preview.give(piece) for piece in pieces))
        await preview.end()

    asyncio.run(story())

    expected = b"".join(grown(*(pcm_piece(0.6, part=part) for part in range(4))))
    assert [sound(take) for take in range(3)] == 3 * [expected]


def test_an_order_that_did_not_ask_keeps_nothing(world: World, database: DatabaseThreads) -> None:
    work = claimed(submitted(world))

    asyncio.run(JobLine(work, News(database), database).audio(pcm_piece()))

    assert (told(), Job.unscoped.get().streaming) == ([], False)


@pytest.mark.parametrize("data", [b"\x00" * 4000, b"<html>"])
def test_sound_that_does_not_decode_ends_what_can_be_heard_of_its_take(
    work: Work, database: DatabaseThreads, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Piece(take=0, part=0, data=data, format="flac", sample_rate=44_100, channels=2)

    given(work, database, broken, pcm_piece(take=0), pcm_piece(take=1))

    assert {data["take"] for data in told()} == {1}
    assert "can no longer be heard" in caplog.text


def test_a_storage_that_fails_costs_what_can_be_heard_and_not_the_song(
    work: Work, database: DatabaseThreads, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(preview_module, "keep_piece", _full_disk)

    given(work, database, pcm_piece(), pcm_piece())

    assert told() == []
    assert "can no longer be heard" in caplog.text


def _full_disk(work: Work, piece: Piece) -> str:
    raise OSError("no space left")


def test_a_database_that_fails_leaves_no_file_behind(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    class Gone(DatabaseThreads):
        async def run(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
            raise OperationalError("the database is starting up")

    gone = Gone(1)
    given(work, gone, pcm_piece())
    gone.close()

    assert default_storage.listdir(f"pieces/{work.job_id}") == ([], [])
    assert "can no longer be heard" in caplog.text


def test_who_holds_the_job_no_more_tells_nothing_and_leaves_nothing(work: Work, database: DatabaseThreads) -> None:
    put_back(work.job_id, work.token, error=Fault("upstream_error", "gone"), after_seconds=0)

    given(work, database, pcm_piece(), pcm_piece())

    assert (told(), default_storage.listdir(f"pieces/{work.job_id}")) == ([], ([], []))


def test_what_outgrows_its_bound_is_heard_no_further(
    work: Work, database: DatabaseThreads, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr(preview_module, "LARGEST_BYTES", 70_000)

    given(work, database, *(pcm_piece(1.0, take=take) for take in (0, 1, 0, 1)))

    assert [data["take"] for data in told()] == [0, 1]
    assert "outgrows" in caplog.text


def test_an_attempt_that_fails_makes_what_was_heard_void(work: Work, database: DatabaseThreads) -> None:
    given(work, database, pcm_piece())

    put_back(work.job_id, work.token, error=Fault("upstream_error", "gone"), after_seconds=0)

    job = Job.unscoped.get()
    assert (job.streaming, job.has_pieces) == (False, True)


def test_a_later_attempt_begins_anew(work: Work, database: DatabaseThreads, tmp_path: Path) -> None:
    given(work, database, pcm_piece())
    put_back(work.job_id, work.token, error=Fault("upstream_error", "gone"), after_seconds=0)

    given(claimed(Job.unscoped.get()), database, pcm_piece())

    assert [(data["attempt"], data["part"]) for data in told() if data["duration_seconds"]] == [(1, 0), (2, 0)]
