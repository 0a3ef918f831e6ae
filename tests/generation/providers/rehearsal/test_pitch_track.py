"""Notes of recordings whose notes are known."""

from __future__ import annotations

import numpy as np
import pytest

from generation.providers.base import Sound
from generation.providers.rehearsal.pitch_track import HeardNote, PitchTrack, notes_of, track_pitch
from tests.generation.providers.rehearsal.tunes import RATE, SILENCE_SECONDS, TUNE, recording


def tracked(sound: Sound) -> PitchTrack:
    return track_pitch(sound.samples, sound.sample_rate)


def noted(sound: Sound) -> tuple[HeardNote, ...]:
    return notes_of(tracked(sound))


@pytest.mark.parametrize("player", ["flute", "voice", "piano", "guitar", "bow", "reed"])
@pytest.mark.parametrize("up", [-12, 0, 11])
def test_every_note_is_heard(player: str, up: int) -> None:
    notes = noted(recording(player, up=up))

    beat = 60 / 96
    assert [note.pitch - up for note in notes] == [pitch for _, _, pitch in TUNE]
    late = [note.start - SILENCE_SECONDS - start * beat for note, (start, _, _) in zip(notes, TUNE, strict=True)]
    assert max(map(abs, late)) <= 0.05


@pytest.mark.parametrize("tuning", [-0.4, 0.35])
def test_recording_out_of_tune_is_heard_as_it_was_meant(tuning: float) -> None:
    notes = noted(recording("voice", tuning=tuning))

    assert [note.pitch for note in notes] == [pitch for _, _, pitch in TUNE]


def test_hiss_under_a_voice_changes_nothing() -> None:
    sound = recording("voice")
    hiss = np.random.default_rng(5).normal(0, 0.004, sound.samples.shape).astype(np.float32)

    notes = noted(Sound(sound.samples + hiss, RATE))

    assert [note.pitch for note in notes] == [pitch for _, _, pitch in TUNE]


@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_rate_of_a_file_does_not_move_its_pitch(rate: int) -> None:
    sound = recording("flute")
    places = np.arange(0, len(sound.samples) - 1, RATE / rate)
    mono = np.interp(places, np.arange(len(sound.samples)), sound.samples[:, 0]).astype(np.float32)

    notes = noted(Sound(mono[:, None], rate))

    assert [note.pitch for note in notes] == [pitch for _, _, pitch in TUNE]


@pytest.mark.parametrize("up", [-9, 0, 7])
def test_middle_of_a_voice_is_its_median(up: int) -> None:
    middle = tracked(recording("voice", up=up)).middle

    assert middle == pytest.approx(64.5 + up, abs=1.0)


@pytest.mark.parametrize("frames", [1, 900, 44_100])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_nothing_is_sung_in_silence_and_noise(frames: int, noise: float) -> None:
    samples = (np.random.default_rng(1).normal(0, 1, (frames, 2)) * noise).astype(np.float32)

    track = track_pitch(samples, RATE)

    assert (notes_of(track), track.middle) == ((), None)
