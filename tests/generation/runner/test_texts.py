"""A runner with texts to bring: alone, and before a song."""

from __future__ import annotations

import pytest

from billing.services.books import check_books
from generation.models import Attempt, Job, Track
from generation.services.cancel import cancel_job
from generation.states import AttemptState
from tests.generation.houses import eventually
from tests.generation.lyrics.sections import section_types
from tests.generation.runner.test_process import House, house, slots, states
from tests.generation.texts import TEXT_PRICE, ordered_text, sell_texts
from tests.generation.worlds import SONG_PRICE, log_of, submitted

__all__ = ["house", "slots"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture(autouse=True)
def _texts_are_sold(house: House) -> None:
    sell_texts(house.world)
    house.world.mapping.write_lyrics = True
    house.world.mapping.save()
    house.world.mapping.llm.capabilities = {"prompt": "optional", "lyrics": "required", "duration": "exact"}
    house.world.mapping.llm.save()


def test_ordered_text_is_written_delivered_and_charged(house: House) -> None:
    job = ordered_text(house.world, prompt="an old lighthouse")

    eventually(lambda: states() == {"succeeded": 1})

    ended = Job.unscoped.get()
    assert log_of(job) == ["queued", "started", "lyrics", "succeeded"]
    assert ("old lighthouse" in (ended.lyrics or ""), ended.charged_micro) == (True, TEXT_PRICE)
    assert (ended.title != "", ended.style_tags) == (True, "pop, bright")
    assert Attempt.unscoped.get().state == AttemptState.DELIVERED
    assert Track.unscoped.count() == 0
    assert check_books() == []


@pytest.mark.parametrize(
    ("prompt", "kinds"),
    [
        ("fail:refused please", ["queued", "started", "failed"]),
        ("fail:timeout please", ["queued", "started", "failed"]),
        ("fail:rate_limit please", ["queued", "started", "retrying", "started", "failed"]),
    ],
)
def test_text_that_failed_is_not_charged(house: House, settings, prompt: str, kinds: list[str]) -> None:
    settings.TUTTI_MAX_ATTEMPTS = 2
    job = ordered_text(house.world, prompt=prompt)

    eventually(lambda: states() == {"failed": 1})

    assert (log_of(job), Job.unscoped.get().charged_micro) == (kinds, 0)


def test_cancelled_text_frees_its_slot(house: House) -> None:
    job = ordered_text(house.world, prompt="slow:600 text")
    eventually(lambda: house.at_work.runner.in_hand == 1)

    cancel_job(job.pk, caller=house.world.caller)

    eventually(lambda: house.at_work.runner.in_hand == 0)
    assert states() == {"cancelled": 1}


def test_text_past_its_deadline_expires(house: House) -> None:
    ordered_text(house.world, prompt="the harbour")  # warm: the deadline below is short
    eventually(lambda: states() == {"succeeded": 1})
    Job.unscoped.get().mapping.__class__.objects.filter(operation="lyrics").update(deadline_seconds=1)
    ordered_text(house.world, prompt="slow:600 text")

    eventually(lambda: states() == {"succeeded": 1, "expired": 1})


def test_song_is_made_from_lyrics_that_are_written_first(house: House) -> None:
    job = submitted(house.world, prompt="an old lighthouse", duration_seconds=4.0)

    eventually(lambda: states() == {"succeeded": 1})

    ended = Job.unscoped.get()
    kinds = [kind for kind in log_of(job) if kind != "progress"]
    assert kinds == ["queued", "started", "lyrics", "take", "succeeded"]
    assert "old lighthouse" in (ended.lyrics or "")
    assert section_types(ended.lyrics or "")[0] == "verse"
    # What is sung in the track is what was written.
    [track] = Track.unscoped.all()
    sung = [line["text"] for section in track.sections for line in section["lines"]]
    assert sung != []
    assert set(sung) <= set((ended.lyrics or "").splitlines())
    assert (ended.charged_micro, track.charged_micro) == (SONG_PRICE + TEXT_PRICE,) * 2
    assert check_books() == []
