"""Tempo and key of songs whose tempo and key are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from generation.providers.rehearsal import Composition, compose
from generation.providers.rehearsal.harmony import PITCH_NAMES
from generation.providers.rehearsal.listening import beat_after, key_of, key_of_classes, pulse_of, tempo_of

GENRES = ("pop", "rock", "folk", "jazz", "lofi", "electronic")
LYRICS = "[Verse]\nWalking down the street\nFeeling the beat\n[Chorus]\nDancing in the sun\nHaving so much fun"
RATE = 44_100


def song_in(tonic: int, mode: str, tempo_bpm: int) -> Composition:
    prompt = f"{GENRES[tonic % len(GENRES)]} in {PITCH_NAMES[tonic]} {mode}, {tempo_bpm} bpm"
    return compose(prompt=prompt, lyrics=LYRICS, seed=tonic, duration_seconds=30.0)


SONGS = [
    (tonic, mode, 62 + (tonic * 7 + 40 * (mode == "minor")) % 88) for tonic in range(12) for mode in ("major", "minor")
]


@pytest.fixture(scope="module")
def songs() -> list[Composition]:
    return [song_in(*asked) for asked in SONGS]


def test_tempo_is_heard_within_four_percent_or_by_half_or_double(songs: list[Composition]) -> None:
    heard = [tempo_of(pulse_of(song.samples, RATE)) or 0.0 for song in songs]

    off = [
        min(abs(tempo * times / song.tempo_bpm - 1) for times in (0.5, 1, 2))
        for tempo, song in zip(heard, songs, strict=True)
    ]
    assert max(off) <= 0.04


def test_key_is_right_in_nearly_all_of_twenty_four(songs: list[Composition]) -> None:
    heard = [key_of(song.samples, RATE) for song in songs]

    right = [
        key is not None and (PITCH_NAMES[key.tonic], key.mode) == (song.key, song.mode)
        for key, song in zip(heard, songs, strict=True)
    ]
    assert sum(right) >= 21


def test_lossy_coding_and_another_rate_change_neither(songs: list[Composition], listen: Callable) -> None:
    played = listen(songs[3]).samples

    assert tempo_of(pulse_of(played, RATE)) == pytest.approx(songs[3].tempo_bpm, rel=0.01)
    assert key_of(played, RATE) == key_of(songs[3].samples, RATE)
    assert tempo_of(pulse_of(played[::2], RATE // 2)) == pytest.approx(songs[3].tempo_bpm, rel=0.01)
    assert key_of(played[::2], RATE // 2) == key_of(songs[3].samples, RATE)


@pytest.mark.parametrize("seconds", [13.37, 20.0, 26.11])
def test_next_beat_is_where_the_song_has_it(songs: list[Composition], seconds: float) -> None:
    for song in songs[::5]:
        beat = 60 / song.tempo_bpm
        cut = song.samples[: round(seconds * RATE)]

        late = (seconds + beat_after(pulse_of(cut, RATE), song.tempo_bpm) + beat / 2) % beat - beat / 2

        # Half a beat off is a beat of twice the tempo.
        assert min(abs(late), abs(abs(late) - beat / 2)) <= 0.03


@pytest.mark.parametrize("frames", [1, 700, 30_000])
def test_silence_has_neither_tempo_nor_key(frames: int) -> None:
    silence = np.zeros((frames, 2), np.float32)

    assert (tempo_of(pulse_of(silence, RATE)), key_of(silence, RATE)) == (None, None)


def test_noise_has_no_key() -> None:
    assert key_of_classes(np.ones(12)) is None
