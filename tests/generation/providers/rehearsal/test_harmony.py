from __future__ import annotations

import random
from itertools import pairwise

import pytest

from generation.providers.rehearsal.harmony import Chord, Key, join_sections, nearest, progression, voice_chord

C_MAJOR = Key(0, "major")


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("section_type", ["verse", "chorus", "bridge", "break", "intro"])
def test_a_round_has_four_different_chords(mode, section_type: str) -> None:
    for seed in range(10):
        chords = progression(Key(5, mode), section_type, again=False, choose=random.Random(seed))

        assert len(set(chords)) == 4


def test_the_second_round_in_a_row_is_another() -> None:
    first, second = (progression(C_MAJOR, "verse", again=again, choose=random.Random(1)) for again in (False, True))

    assert first != second


def test_joined_sections_change_chord_at_the_border_and_end_at_home() -> None:
    one, four, five = (C_MAJOR.chord(degree) for degree in ("I", "IV", "V"))

    joined = join_sections(C_MAJOR, [[one, four, C_MAJOR.chord("vi"), one], [one, five, four, one]])

    assert joined[0][-1] == five
    assert joined[1][-1] == one
    assert all(before[-1] != after[0] for before, after in pairwise(joined))


def test_a_song_of_short_sections_still_has_four_chords() -> None:
    one, four = C_MAJOR.chord("I"), C_MAJOR.chord("IV")

    joined = join_sections(C_MAJOR, [[one, four], [four, one], [one, four]])

    assert len({chord for chords in joined for chord in chords}) >= 4


def test_voices_move_little_from_chord_to_chord() -> None:
    first = voice_chord(C_MAJOR.chord("I"), (), 60)
    second = voice_chord(C_MAJOR.chord("IV"), first, 60)

    assert {pitch % 12 for pitch in second} == {5, 9, 0}
    assert sum(min(abs(pitch - before) for before in first) for pitch in second) <= 4


@pytest.mark.parametrize(("chord", "name"), [(Chord(9, "m"), "Am"), (Chord(7, "7"), "G7"), (Chord(1, ""), "Db")])
def test_chords_have_their_usual_names(chord: Chord, name: str) -> None:
    assert chord.name == name


def test_the_nearest_allowed_pitch_is_found() -> None:
    assert (nearest(61.2, (0, 4, 7)), nearest(71.9, (0,))) == (60, 72)
