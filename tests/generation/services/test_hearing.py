"""What one listener is given of a take while it is made."""

from __future__ import annotations

import pytest

from generation.audio.decode import probe
from generation.contract import Delivery, Fault, RawTake
from generation.models import Job, Track
from generation.services.claim import Work
from generation.services.finish import finish
from generation.services.hearing import Hearing
from generation.services.pieces import discard_pieces
from generation.services.receive import receive, store_raw
from generation.services.retry import put_back
from generation.services.settle import settle
from tests.generation.previews import heard, let_be_heard, mp3_parts
from tests.generation.worlds import World, claimed, submitted, wav

pytestmark = pytest.mark.both_databases

GONE = Fault("upstream_error", "gone")


@pytest.fixture
def work(world: World) -> Work:
    let_be_heard(world)
    return claimed(submitted(world, partial_audio=True, takes=2))


def all_of(hearing: Hearing) -> list[bytes]:
    """Whatever can be heard at present."""
    return list(iter(hearing.next_piece, None))


def delivered(work: Work, *takes: bytes) -> None:
    raw = store_raw(work, Delivery(takes=tuple(RawTake(audio=take) for take in takes)))
    assert receive(work, raw, lyrics=None)
    finish(work.token)


def failed(work: Work) -> None:
    assert put_back(work.job_id, work.token, error=GONE, after_seconds=0)


def test_each_piece_of_the_take_is_given_once_and_in_order(work: Work) -> None:
    hearing = Hearing(work.job_id, 0)
    for part, sound in enumerate((b"a", b"b")):
        heard(work, sound, part=part)
        heard(work, b"of the other", take=1, part=part)

    first = all_of(hearing)
    heard(work, b"c", part=2)

    assert (first, all_of(hearing), all_of(hearing)) == ([b"a", b"b"], [b"c"], [])
    assert (hearing.seconds, hearing.attempt, hearing.is_over) == (3.0, 1, False)


def test_more_pieces_than_are_read_at_once_are_all_given(work: Work) -> None:
    sounds = [str(part).encode() for part in range(230)]
    for part, sound in enumerate(sounds):
        heard(work, sound, part=part)

    assert all_of(Hearing(work.job_id, 0)) == sounds


def test_the_take_ends_when_it_is_delivered(work: Work) -> None:
    hearing = Hearing(work.job_id, 0)
    heard(work, b"a")
    delivered(work, wav(3), wav(3))

    assert (all_of(hearing), hearing.is_over, hearing.is_void) == ([b"a"], True, False)


def test_the_take_ends_when_its_job_fails(work: Work) -> None:
    hearing = Hearing(work.job_id, 0)
    heard(work, b"a")
    settle(work.job_id, token=work.token, fault=GONE)

    assert (all_of(hearing), hearing.is_over, hearing.rest("mp3")) == ([b"a"], True, b"")


def test_who_was_given_sound_hears_nothing_of_another_attempt(work: Work) -> None:
    hearing = Hearing(work.job_id, 0)
    heard(work, b"a")
    first = all_of(hearing)
    failed(work)
    again = claimed(Job.unscoped.get())
    heard(again, b"another song")
    delivered(again, wav(3), wav(3))

    assert (first, all_of(hearing)) == ([b"a"], [])
    assert (hearing.is_over, hearing.is_void, hearing.rest("mp3")) == (True, True, b"")


def test_who_was_given_nothing_hears_the_newest_attempt(work: Work) -> None:
    early, late = Hearing(work.job_id, 0), Hearing(work.job_id, 0)
    assert all_of(early) == []
    heard(work, b"void")
    failed(work)
    again = claimed(Job.unscoped.get())
    heard(again, b"b")

    assert (all_of(early), all_of(late)) == ([b"b"], [b"b"])
    assert (late.attempt, late.is_void) == (2, False)


def test_who_comes_between_two_attempts_hears_nothing_yet(work: Work) -> None:
    heard(work, b"void")
    failed(work)
    hearing = Hearing(work.job_id, 0)

    assert (all_of(hearing), hearing.is_over) == ([], False)


def test_who_comes_before_the_next_attempt_has_a_sound_hears_nothing_yet(work: Work) -> None:
    heard(work, b"void")
    failed(work)
    claimed(Job.unscoped.get())
    hearing = Hearing(work.job_id, 0)

    assert (all_of(hearing), hearing.is_over) == ([], False)


def test_the_rest_is_what_was_not_given(work: Work) -> None:
    hearing = Hearing(work.job_id, 0)
    first, *_ = mp3_parts(4)
    heard(work, first)
    delivered(work, wav(4), wav(4))
    all_of(hearing)

    rest = hearing.rest("mp3")

    assert abs(probe(rest).duration_ms - 3000) <= 120  # encoders add some silence at both ends


def test_there_is_no_rest_of_a_take_that_was_given_whole(work: Work) -> None:
    hearing = Hearing(work.job_id, 0)
    for part, sound in enumerate(mp3_parts(3)):
        heard(work, sound, part=part)
    delivered(work, wav(3.3), wav(3.3))
    all_of(hearing)

    assert hearing.rest("mp3") == b""


def test_the_rest_of_a_take_that_gave_nothing_is_the_file(work: Work) -> None:
    hearing = Hearing(work.job_id, 1)
    delivered(work, wav(3), wav(3))
    all_of(hearing)

    assert len(hearing.rest("mp3")) == Track.unscoped.get(take=1).size
    assert hearing.rest("wav") == b""


def test_sound_that_is_discarded_meanwhile_ends_the_hearing(work: Work) -> None:
    hearing = Hearing(work.job_id, 0)
    heard(work, b"a")
    heard(work, b"b", part=1)
    assert hearing.next_piece() == b"a"
    discard_pieces(work.job_id)

    assert (all_of(hearing), hearing.is_over, hearing.is_void) == ([], True, True)
