from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
import time_machine
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from generation import dispatch
from generation.contract import Refusal
from generation.models import Job, Rendition, Track
from generation.services.finish import finish
from generation.services.renditions import ASKED_AGAIN, made_rendition, make_rendition, rendition_of
from generation.services.settle import settle
from generation.services.submit import submit
from generation.states import JobState
from tests.generation.worlds import SONG_PRICE, World, finished, order, received, submitted, wav


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The renditions that audio workers were told to make."""
    sent: list[str] = []
    monkeypatch.setattr(
        dispatch, "_send", lambda task, args, after: sent.append(args[0]) if task.endswith("make_rendition") else None
    )
    return sent


@pytest.fixture
def track(world: World) -> Track:
    finished(submitted(world))
    return Track.unscoped.get()


def offered(world: World, *formats: str, **song) -> Job:
    """A job whose wire offers its songs in these formats."""
    given = order(**song)
    job = Job.unscoped.get(
        pk=submit(given, caller=world.caller, dialect="mureka", idempotency_key=None, body={}).job_id
    )
    job.wire = {"formats": list(formats)}
    job.save()
    return job


def files() -> list[str]:
    return sorted(
        f"tracks/{folder}/{file}"
        for folder in default_storage.listdir("tracks")[0]
        for file in default_storage.listdir(f"tracks/{folder}")[1]
    )


@pytest.mark.both_databases
def test_formats_that_the_wire_offers_are_made_with_the_song(world: World) -> None:
    job = finished(offered(world, "mp3", "flac", "wav", takes=2), wav(1.0), wav(1.5))

    made = Rendition.unscoped.order_by("track__take", "format")
    assert [(one.track.take, one.format, one.organization_id) for one in made] == [
        (take, audio_format, world.customer.pk) for take in (0, 1) for audio_format in ("flac", "wav")
    ]
    for one in made:
        with default_storage.open(one.file) as file:
            body = file.read()
        assert (len(body), hashlib.sha256(body).hexdigest()) == (one.size, one.sha256)
    assert len(files()) == 6
    # Each take is charged once, in however many formats it comes.
    assert (job.state, job.charged_micro) == (JobState.SUCCEEDED, 2 * SONG_PRICE)


def test_a_wire_that_offers_none_has_none_made(world: World) -> None:
    finished(submitted(world))

    assert Rendition.unscoped.count() == 0
    assert len(files()) == 1


def test_a_song_that_came_too_late_leaves_no_file(
    world: World, django_capture_on_commit_callbacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = offered(world, "mp3", "flac", "wav")
    work = received(job)
    monkeypatch.setattr(
        "generation.services.finish.faults.reach",
        lambda place: settle(job.pk, token=work.token, state=JobState.CANCELLED) if place == "prepared" else None,
    )

    with django_capture_on_commit_callbacks(execute=True):
        finish(work.token)

    assert Job.unscoped.get().state == JobState.CANCELLED
    assert (Track.unscoped.count(), Rendition.unscoped.count(), files()) == (0, 0, [])


@pytest.mark.both_databases
def test_what_is_asked_for_is_told_to_a_worker_once(track: Track, told: list[str]) -> None:
    first, second = rendition_of(track, "flac"), rendition_of(track, "flac")

    assert (first.pk, first.file) == (second.pk, "")
    assert told == [str(first.pk)]


def test_a_worker_that_makes_nothing_is_taken_for_lost(track: Track, told: list[str]) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        asked = rendition_of(track, "flac")
    for after, times in ((ASKED_AGAIN - timedelta(seconds=1), 1), (ASKED_AGAIN, 2), (ASKED_AGAIN, 2)):
        with time_machine.travel(now + after, tick=False):
            rendition_of(track, "flac")
        assert told == [str(asked.pk)] * times


def test_a_rendition_is_made_once(track: Track, told: list[str]) -> None:
    asked = rendition_of(track, "wav")
    make_rendition(asked.pk)
    first = Rendition.unscoped.get()
    make_rendition(asked.pk)

    assert (Rendition.unscoped.get().file, first.format) == (first.file, "wav")
    assert rendition_of(track, "wav").file == first.file
    assert told == [str(asked.pk)]
    assert len(files()) == 2


def test_of_two_workers_the_second_leaves_the_firsts_file(
    track: Track, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = rendition_of(track, "wav")
    save = FileSystemStorage.save

    def overtaken(storage: FileSystemStorage, name: str, content) -> str:
        monkeypatch.setattr(FileSystemStorage, "save", save)
        make_rendition(asked.pk)
        return save(storage, name, content)

    monkeypatch.setattr(FileSystemStorage, "save", overtaken)
    make_rendition(asked.pk)

    made = Rendition.unscoped.get()
    assert files() == sorted([track.file, made.file])
    with default_storage.open(made.file) as file:
        assert hashlib.sha256(file.read()).hexdigest() == made.sha256


def test_what_is_not_made_yet_is_busy(track: Track, told: list[str]) -> None:
    asked = rendition_of(track, "wav")

    with pytest.raises(Refusal) as refused:
        made_rendition(asked.pk)

    assert refused.value.code == "busy"


@pytest.mark.both_databases
def test_half_a_rendition_cannot_be_stored(track: Track, told: list[str]) -> None:
    asked = rendition_of(track, "wav")

    with pytest.raises(IntegrityError), transaction.atomic():
        Rendition.unscoped.filter(pk=asked.pk).update(file="tracks/x")
