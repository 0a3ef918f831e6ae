"""A tune that was brought is the tune of the song: by its notes, and by ear."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from generation.providers.rehearsal import Composition, compose
from generation.providers.rehearsal.given_tune import GivenTune, TuneNote, set_tune, tune_key, tune_tempo
from generation.providers.rehearsal.harmony import PITCH_NAMES, SCALES, Key, Mode
from generation.providers.rehearsal.leaning import Leaning, Material, lean
from generation.providers.rehearsal.listening import HeardKey
from generation.providers.rehearsal.pitch_track import HeardNote
from tests.generation.providers.rehearsal.tunes import TUNE, heard_notes, recording

LYRICS = "[Intro]\n[Verse]\nWalking down the street\nFeeling the beat\n[Chorus]\nDancing in the sun\nHaving so much fun"
PITCHES = [pitch for _, _, pitch in TUNE]
RATE = 44_100


def tune_in(tonic: int, mode: Mode, tempo_bpm: float = 96.0, **given: Any) -> GivenTune:
    tune = set_tune(heard_notes(**given), Key(tonic, mode), tempo_bpm)
    assert tune is not None
    return tune


def steps(pitches: list[int]) -> list[int]:
    return [after - before for before, after in pairwise(pitches)]


# --- Notes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tempo_bpm", [70.0, 96.0, 133.0])
def test_tempo_of_a_tune_is_heard_by_its_notes(tempo_bpm: float) -> None:
    assert tune_tempo(heard_notes(tempo_bpm=tempo_bpm)) == pytest.approx(tempo_bpm, rel=0.002)


def test_one_note_has_a_tempo_all_the_same() -> None:
    assert tune_tempo([HeardNote(0.2, 1.0, 60)]) == 100.0


@pytest.mark.parametrize("up", range(12))
def test_key_of_a_tune_is_heard_by_its_notes(up: int) -> None:
    assert tune_key(heard_notes(up=up)) == HeardKey(up, "major")


def test_notes_lie_on_the_grid_where_they_were() -> None:
    tune = tune_in(0, "major")

    assert [(note.start, note.length, note.pitch) for note in tune.notes] == TUNE
    assert tune.beats == 32.0


@pytest.mark.parametrize("tonic", range(12))
def test_tune_moves_to_the_tonic_of_the_song(tonic: int) -> None:
    tune = tune_in(tonic, "major")

    assert steps([note.pitch for note in tune.notes]) == steps(PITCHES)
    assert tune.notes[0].pitch % 12 == tonic


def test_tune_in_the_other_mode_keeps_its_place_in_the_scale() -> None:
    tune = tune_in(9, "minor")  # A minor has the notes of C major

    assert [note.pitch for note in tune.notes] == PITCHES


def test_notes_outside_the_scale_take_their_neighbours() -> None:
    chromatic = [HeardNote(step / 2, step / 2 + 0.4, 60 + step) for step in range(13)]

    tune = set_tune(chromatic, Key(0, "minor"), 120.0)

    assert tune is not None
    allowed = {*SCALES["minor"], 11}
    assert {note.pitch % 12 for note in tune.notes} <= allowed


def test_tune_goes_at_its_own_speed_in_a_song_of_twice_the_tempo() -> None:
    tune = tune_in(0, "major", tempo_bpm=192.0)

    assert [note.start for note in tune.notes] == [2 * start for start, _, _ in TUNE]


def test_tune_begins_again() -> None:
    tune = GivenTune((TuneNote(0.0, 1.0, 60), TuneNote(2.0, 2.0, 67)), 4.0)

    assert tune.between(3.0, 9.0) == (TuneNote(1.0, 1.0, 60), TuneNote(3.0, 2.0, 67), TuneNote(5.0, 1.0, 60))
    assert tune.between(2.0, 3.0) == (TuneNote(0.0, 1.0, 67),)
    assert [tune.pitch_at(beat) for beat in (0.0, 1.5, 2.0, 3.9, 4.0)] == [60, 60, 67, 67, 60]


def test_tune_moves_by_octaves_as_a_whole() -> None:
    tune = GivenTune((TuneNote(0.0, 1.0, 40), TuneNote(1.0, 1.0, 45)), 4.0)

    assert [note.pitch for note in tune.near(70).notes] == [64, 69]


def test_tune_without_notes_is_none() -> None:
    assert set_tune((), Key(0, "major"), 100.0) is None


# --- The song -----------------------------------------------------------------------------------------------------


def song_with(leaning: Leaning, prompt: str, **order: Any) -> tuple[Composition, GivenTune]:
    song = compose(prompt=prompt, lyrics=LYRICS, leaning=leaning, **{"seed": 4, **order})
    tune = set_tune(leaning.notes, Key(PITCH_NAMES.index(song.key), song.mode), song.tempo_bpm)
    assert tune is not None
    return song, tune


def in_the_centre(song: Composition, start: float, end: float) -> int:
    """The pitch that is strongest between two times in what both sides share, where tune and voice are."""
    span = song.samples[round(start * RATE) : round(end * RATE)]
    bell, size = np.hanning(len(span)), 1 << 16
    centre, sides = (np.abs(np.fft.rfft(one * bell, size)) for one in (span.sum(axis=1), span[:, 0] - span[:, 1]))
    shared = np.maximum(centre - sides, 0)

    def strength(pitch: int) -> float:
        edges = [440 * 2 ** ((pitch - 69 + off) / 12) * size / RATE for off in (-0.4, 0.4)]
        return sum(
            float(shared[int(edges[0] * harmonic) : int(edges[1] * harmonic) + 1].max()) / harmonic**0.5
            for harmonic in (1, 2, 3)
        )

    return max(range(60, 92), key=strength)


def heard_share(song: Composition, tune: GivenTune) -> float:
    """The share of the first round's notes whose pitch class is the one that is heard."""
    beat = 60 / song.tempo_bpm
    notes = [note for note in tune.notes if (note.start + note.length) * beat < len(song.samples) / RATE - 3]
    found = [
        in_the_centre(song, note.start * beat, (note.start + min(note.length, 1.0)) * beat) % 12 == note.pitch % 12
        for note in notes
    ]
    assert len(found) >= 24
    return sum(found) / len(found)


@pytest.mark.parametrize(
    ("player", "up", "tempo_bpm", "prompt"),
    [
        ("flute", 5, 96, "pop"), ("voice", -3, 120, "rock"), ("piano", 2, 80, "folk, sad"), ("voice", 0, 72, "jazz"),
        ("guitar", 11, 140, "electronic"), ("bow", 8, 110, "古风"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("instrumental", [True, False])
def test_tune_is_heard_note_by_note_in_its_key_and_tempo(
    player: str, up: int, tempo_bpm: float, prompt: str, instrumental: bool
) -> None:
    leaning = lean(Material(melody=recording(player, up=up, tempo_bpm=tempo_bpm)))

    song, tune = song_with(leaning, prompt, instrumental=instrumental)

    assert [note.pitch - up for note in tune.notes] == PITCHES
    assert song.tempo_bpm == pytest.approx(tempo_bpm, rel=0.01)
    assert (song.key, song.mode) == (PITCH_NAMES[up % 12], "major")
    assert heard_share(song, tune) >= 0.85


def test_measure_of_what_is_heard_can_fail() -> None:
    leaning = lean(Material(melody=heard_notes()))
    song, tune = song_with(leaning, "pop")

    other = compose(prompt="pop in C major, 96 bpm", lyrics=LYRICS, seed=4)

    assert heard_share(other, tune) < 0.6 < heard_share(song, tune)


def test_named_key_and_tempo_hold_and_the_tune_follows() -> None:
    leaning = lean(Material(melody=recording("flute")))

    song, tune = song_with(leaning, "lofi in D major, 80 bpm")

    assert song.tempo_bpm == pytest.approx(80.0)
    assert (song.key, song.mode) == ("D", "major")
    assert steps([note.pitch for note in tune.notes]) == steps(PITCHES)
    assert heard_share(song, tune) >= 0.85


def test_voice_sings_the_tune() -> None:
    leaning = lean(Material(melody=heard_notes()))

    with_voice, without = (
        song_with(leaning, "piano, no drums", instrumental=instrumental)[0] for instrumental in (False, True)
    )

    assert any(section.lines for section in with_voice.sections)
    assert with_voice.chords == without.chords


def test_chords_hold_the_tune() -> None:
    leaning = lean(Material(melody=heard_notes(up=4)))

    following = [held_share(*song_with(leaning, "pop", seed=seed)) for seed in range(1, 5)]
    careless = [
        held_share(compose(prompt="pop in E major, 96 bpm", lyrics=LYRICS, seed=seed), tune_in(4, "major", up=4))
        for seed in range(1, 5)
    ]

    assert np.mean(following) >= np.mean(careless) + 0.15


def held_share(song: Composition, tune: GivenTune) -> float:
    """How much of the tune is in the chord under it, over all bars but the last ones."""
    beat = 60 / song.tempo_bpm
    shares = []
    for bar in range(int(len(song.samples) / RATE / beat / 4) - 2):
        name = [chord for start, chord in song.chords if start <= bar * 4 * beat + 0.01][-1]
        root, third = PITCH_NAMES.index(name.removesuffix("m")), 3 if name.endswith("m") else 4
        sounding = tune.shares(bar * 4.0, bar * 4.0 + 4.0)
        shares.append(sum(sounding[(root + step) % 12] for step in (0, third, 7)) / sum(sounding))
    return float(np.mean(shares))
