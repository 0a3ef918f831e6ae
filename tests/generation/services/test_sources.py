"""What an order leans on: looked at when it is given, and read by the job that makes it."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from pytest_django import Settings

from accounts.caller import Caller
from accounts.tenancy import scope, system_scope
from catalog.models import Upstream
from generation.contract import Extend, Order, References, Refusal, SourceFile, SourceTrack
from generation.models import Attempt, Job, Track, Upload
from generation.providers.base import ProviderError
from generation.runner.database import DatabaseThreads
from generation.runner.sources import within_reach
from generation.services.quoting import quote_order
from generation.services.sources import keep_sources, stored_file, stored_track, with_sources
from generation.services.uploads import delete_upload
from tests.generation.worlds import World, caller_of, claimed, finished, make_world, order, submitted, upload

pytestmark = pytest.mark.both_databases

NAMES = {"reference": "reference_id", "vocal": "vocal_id", "melody": "melody_id", "extend": "song_id"}


def leaning(caller: Caller, **song: Any) -> Order:
    """The order as it is taken, looked at in its caller's own scope."""
    given = order(**song)
    with scope(caller.organization):
        return with_sources(Order(song=given.song, model="m", catalog="c", names=NAMES), caller=caller)


def refusal(caller: Caller, **song: Any) -> tuple[str, str | None, str]:
    with pytest.raises(Refusal) as refused:
        leaning(caller, **song)
    return refused.value.code, refused.value.param, refused.value.message


@pytest.mark.parametrize("purpose", ["reference", "vocal", "melody"])
def test_reference_is_taken_with_the_purpose_of_its_name(world: World, purpose: str) -> None:
    mine = upload(world.caller, purpose)

    leaning(world.caller, references=References(**{purpose: str(mine.pk)}))


@pytest.mark.parametrize(
    ("field", "purpose"), [("reference", "vocal"), ("vocal", "voice"), ("melody", "audio"), ("reference", "audio")]
)
def test_another_purpose_is_refused_naming_both(world: World, field: str, purpose: str) -> None:
    mine = upload(world.caller, purpose)

    message = f"'{field}_id' needs a file uploaded for {field}; this one is for {purpose}."
    told = refusal(world.caller, references=References(**{field: str(mine.pk)}))
    assert told == ("invalid_parameter", f"{field}_id", message)


@pytest.mark.parametrize("purpose", ["reference", "audio"])
def test_upload_of_either_purpose_is_continued(world: World, purpose: str) -> None:
    mine = upload(world.caller, purpose)

    leaning(world.caller, extend=Extend(upload=str(mine.pk), at_ms=8_000))


def test_upload_of_another_purpose_is_not_continued(world: World) -> None:
    mine = upload(world.caller, "voice")

    message = "'song_id' needs a file uploaded for reference or audio; this one is for voice."
    told = refusal(world.caller, extend=Extend(upload=str(mine.pk), at_ms=8_000))
    assert told == ("invalid_parameter", "song_id", message)


def test_foreign_missing_and_unreadable_ids_read_the_same(world: World) -> None:
    foreign, test = upload(caller_of(world.seller), "vocal"), upload(world.caller, "vocal", live=False)

    told = [
        refusal(world.caller, references=References(vocal=text))
        for text in (str(foreign.pk), str(test.pk), str(uuid.uuid4()), "no id at all")
    ]

    assert told == [("not_found", "vocal_id", "There is no file with the id given as 'vocal_id'.")] * 4


def test_foreign_and_missing_songs_read_the_same(world: World) -> None:
    track = finished(submitted(world)).tracks.get()
    stranger = caller_of(world.seller)

    told = [
        refusal(stranger, extend=Extend(track=text, at_ms=8_000)) for text in (str(track.pk), str(uuid.uuid4()), "x")
    ]

    assert told == [("not_found", "song_id", "There is no song with the id given as 'song_id'.")] * 3


def test_point_beyond_the_end_is_the_end(world: World) -> None:
    mine = upload(world.caller, "audio", duration_ms=20_000)
    track = finished(submitted(world)).tracks.get()

    extends = [
        leaning(world.caller, extend=extend).song.extend
        for extend in (
            Extend(upload=str(mine.pk), at_ms=420_000),
            Extend(track=str(track.pk), at_ms=420_000),
            Extend(upload=str(mine.pk), at_ms=8_000),
        )
    ]

    assert [extend.at_ms for extend in extends if extend] == [20_000, track.duration_ms, 8_000]


def test_quote_and_order_look_at_what_is_leant_on(world: World) -> None:
    world.mapping.llm.capabilities |= {"references": ["vocal"]}
    world.mapping.llm.save()
    given = order(references=References(vocal=str(uuid.uuid4())))

    with scope(world.customer), pytest.raises(Refusal, match="no file with the id given as 'vocal'"):
        quote_order(given, caller=world.caller)
    with pytest.raises(Refusal, match="no file with the id"):
        submitted(world, references=given.song.references)
    assert Job.unscoped.count() == 0


def test_file_that_is_removed_between_quote_and_order_is_missed(world: World) -> None:
    mine = upload(world.caller, "vocal")
    song = order(references=References(vocal=str(mine.pk))).song
    with scope(world.customer):
        keep_sources(song, caller=world.caller)
        delete_upload(str(mine.pk), live=True)

        with pytest.raises(Refusal, match="has just been removed"):
            keep_sources(song, caller=world.caller)


# --- When the song is made ----------------------------------------------------------------------------------------


def test_job_reads_the_files_of_its_own_organization_alone(world: World) -> None:
    job = submitted(world)
    mine, foreign = upload(world.caller, "vocal"), upload(caller_of(world.seller), "vocal")
    test = upload(world.caller, "vocal", live=False)

    found = stored_file(job.pk, str(mine.pk))

    assert found is not None
    assert found.read() == SourceFile(
        audio=b"made anew", format="m4a", file_name="song.mp3", purpose="vocal", duration_ms=30_000
    )
    assert [stored_file(job.pk, text) for text in (str(foreign.pk), str(test.pk), str(uuid.uuid4()), "x")] == [None] * 4


@pytest.fixture
def track(world: World) -> Track:
    """A song as its upstream knows it."""
    found = finished(submitted(world)).tracks.get()
    found.upstream_id = "113905464770561"
    found.save()
    return found


def test_song_remembers_the_upstream_that_made_it(world: World, track: Track) -> None:
    assert track.origin == world.mapping.upstream


def test_song_is_known_by_its_own_id_at_the_upstream_that_made_it(world: World, track: Track) -> None:
    work = claimed(submitted(world))

    found = stored_track(work.job_id, str(track.pk), attempt_id=work.attempt_id)

    assert found is not None
    came = found.read()
    assert came == SourceTrack(
        audio=came.audio,
        format="mp3",
        duration_ms=track.duration_ms,
        upstream_id="113905464770561",
        sample_rate=track.sample_rate,
        channels=track.channels,
    )
    assert len(came.audio) == track.size


def test_tune_of_a_midi_file_comes_with_it(world: World) -> None:
    job, mine = submitted(world), upload(world.caller, "melody")
    Upload.unscoped.filter(pk=mine.pk).update(format="mid", tune=[[0, 480, 60], [500, 900, 64]])

    found = stored_file(job.pk, str(mine.pk))

    assert found is not None
    assert found.read().tune == ((0, 480, 60), (500, 900, 64))


def test_song_is_a_stranger_at_any_other_upstream(world: World, track: Track) -> None:
    work = claimed(submitted(world))
    other = Upstream.unscoped.create(organization=world.seller, slug="other", name="Other", provider="rehearsal")
    for asked_now in (other, None):
        Attempt.unscoped.filter(pk=work.attempt_id).update(upstream=asked_now)

        found = stored_track(work.job_id, str(track.pk), attempt_id=work.attempt_id)

        assert found is not None
        assert found.upstream_id == ""


def test_job_reads_the_songs_of_its_own_organization_alone(world: World, track: Track) -> None:
    work = claimed(submitted(world))
    Track.unscoped.filter(pk=track.pk).update(organization=world.seller)

    assert stored_track(work.job_id, str(track.pk), attempt_id=work.attempt_id) is None
    assert stored_track(work.job_id, "x", attempt_id=work.attempt_id) is None


@pytest.fixture
def open_world(transactional_db: None, settings: Settings, tmp_path: Path) -> World:
    settings.MEDIA_ROOT = tmp_path
    with system_scope():
        return make_world()


async def test_provider_reads_what_its_job_leans_on_and_is_told_what_is_gone(open_world: World) -> None:
    database = DatabaseThreads(1)
    try:
        work = await database.run(lambda: claimed(submitted(open_world)))
        mine = await database.run(upload, open_world.caller, "vocal")
        sources = within_reach(work, database).access.sources

        assert (await sources.file(str(mine.pk))).audio == b"made anew"
        with pytest.raises(ProviderError, match="cannot be read"):
            await sources.samples(await sources.file(str(mine.pk)))
        for gone in (sources.file(str(uuid.uuid4())), sources.track(str(uuid.uuid4()))):
            with pytest.raises(ProviderError) as told:
                await gone
            assert (told.value.code, told.value.seen) == ("not_found", "not_made")
        await database.run(default_storage.delete, mine.file)
        with pytest.raises(ProviderError, match="gone"):
            await sources.file(str(mine.pk))
    finally:
        database.close()
