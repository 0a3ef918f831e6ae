"""What a song takes over from reference, voice and melody, through the provider."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from generation.audio.decode import decode
from generation.audio.encode import encode
from generation.audio.quality import judge
from generation.audio.samples import Samples
from generation.contract import Delivery, References, SongRequest, SourceFile
from generation.providers.base import ProviderError, Sound
from generation.providers.rehearsal import Rehearsal, compose, mixing
from generation.providers.rehearsal.leaning import LONGEST_SECONDS, Leaning, Material, lean
from generation.providers.rehearsal.listening import HeardKey, key_of, pulse_of, tempo_of
from generation.providers.rehearsal.voice import vowel_sound
from tests.generation.providers.rehearsal.shelves import Shelf, Told, access
from tests.generation.providers.rehearsal.tunes import RATE, midi_notes, recording

LYRICS = "[Verse]\nWalking down the street\nFeeling the beat\n[Chorus]\nDancing in the sun"
SONG = SongRequest(prompt="happy pop", lyrics=LYRICS, duration_seconds=20.0, seed=7)


def uploaded(sound: Sound, purpose: str) -> SourceFile:
    """As an upload is kept: M4A of our own making."""
    audio = encode(Samples(sound.samples, sound.sample_rate), "m4a", bitrate=192_000)
    length_ms = round(len(sound.samples) / sound.sample_rate * 1000)
    return SourceFile(audio=audio, format="m4a", file_name="sent.mp3", purpose=purpose, duration_ms=length_ms)


def reference(prompt: str) -> SourceFile:
    song = compose(prompt=prompt, lyrics=LYRICS, seed=3, duration_seconds=30.0)
    return uploaded(Sound(song.samples, song.sample_rate), "reference")


async def made(song: SongRequest, shelf: Shelf) -> Delivery:
    return await Rehearsal().make(song, access(shelf), Told())


def heard(delivery: Delivery) -> tuple[Any, Any]:
    """Tempo and key by ear."""
    samples = decode(delivery.takes[0].audio)
    judge(samples, 20.0)
    return tempo_of(pulse_of(samples.values, RATE)), key_of(samples.values, RATE)


@pytest.mark.parametrize(("prompt", "key"), [
    ("rock in F# minor, 84 bpm", HeardKey(6, "minor")), ("folk in Bb major, 132 bpm", HeardKey(10, "major")),
])  # fmt: skip
async def test_song_has_tempo_and_key_of_its_reference(prompt: str, key: HeardKey) -> None:
    file = reference(prompt)
    length = tempo_of(pulse_of(decode(file.audio).values, RATE))

    delivery = await made(replace(SONG, references=References(reference="r")), Shelf(r=file))

    assert length is not None
    # The ordered length bends the tempo by up to 6 %.
    assert heard(delivery) == (pytest.approx(length, rel=0.07), key)


async def test_figures_of_the_prompt_hold_against_a_reference() -> None:
    order = replace(SONG, prompt="pop in A minor, 120 bpm", references=References(reference="r"))

    delivery = await made(order, Shelf(r=reference("folk in Bb major, 84 bpm")))

    assert heard(delivery) == (pytest.approx(120, rel=0.01), HeardKey(9, "minor"))


async def test_same_order_and_files_give_the_same_song_and_other_files_another() -> None:
    order = replace(SONG, references=References(reference="r"))
    file = reference("rock in F minor, 84 bpm")

    first, again = [await made(order, Shelf(r=file)) for _ in range(2)]
    other = await made(order, Shelf(r=reference("rock in G major, 120 bpm")))

    assert first == again
    assert other.takes[0].audio != first.takes[0].audio


@pytest.mark.parametrize("up", [-12, -4, 6])
def test_voice_sings_where_the_given_voice_does(up: int, monkeypatch: pytest.MonkeyPatch) -> None:
    voice = recording("voice", up=up)

    leaning = lean(Material(vocal=voice))

    assert leaning.voice_pitch == pytest.approx(64.5 + up, abs=1.0)
    assert sung_height(leaning, monkeypatch) == pytest.approx(64.5 + up, abs=5.0)


def sung_height(leaning: Leaning, monkeypatch: pytest.MonkeyPatch) -> float:
    """The median pitch of what is sung: the vowels that are laid into the mix."""
    pitches: list[int] = []

    def noted(vowel: str, pitch: int, seconds: float) -> np.ndarray:
        pitches.append(pitch)
        return vowel_sound(vowel, pitch, seconds)

    monkeypatch.setattr(mixing, "vowel_sound", noted)
    compose(prompt="piano", lyrics=LYRICS, seed=2, leaning=leaning)
    return float(np.median(pitches))


def test_low_and_high_voices_sing_an_octave_and_more_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    low, high = (sung_height(Leaning(voice_pitch=pitch), monkeypatch) for pitch in (52.0, 70.0))

    assert high - low >= 12


async def test_reference_and_voice_go_together() -> None:
    shelf = Shelf(r=reference("rock in F minor, 84 bpm"), v=uploaded(recording("voice", up=-12), "vocal"))

    delivery = await made(replace(SONG, references=References(reference="r", vocal="v")), shelf)

    assert shelf.asked == ["r", "v"]
    assert heard(delivery)[1] == HeardKey(5, "minor")


async def test_melody_of_a_midi_file_is_taken_note_by_note() -> None:
    midi = SourceFile(
        audio=b"MThd", format="mid", file_name="a.mid", purpose="melody", duration_ms=20_000, tune=midi_notes(up=3)
    )
    sung = uploaded(recording("flute", up=3), "melody")
    order = replace(SONG, references=References(melody="m"), instrumental=True, lyrics=None)

    by_notes, by_ear = [await made(order, Shelf(m=file)) for file in (midi, sung)]

    assert heard(by_notes) == (pytest.approx(96, rel=0.07), HeardKey(3, "major"))
    assert heard(by_ear)[1] == HeardKey(3, "major")
    one, two = (decode(made_of.takes[0].audio).values[: 5 * RATE, 0].tolist() for made_of in (by_notes, by_ear))
    assert np.corrcoef(one, two)[0, 1] > 0.5


async def test_files_without_beat_voice_or_tune_leave_all_to_prompt_and_seed() -> None:
    hiss = np.random.default_rng(2).normal(0, 0.1, (6 * RATE, 1)).astype(np.float32)
    silence = Sound(np.zeros((6 * RATE, 2), np.float32), RATE)

    assert lean(Material(melody=Sound(hiss, RATE), vocal=Sound(hiss, RATE))) == Leaning()
    assert lean(Material(reference=silence, melody=silence, vocal=silence)) == Leaning()
    assert lean(Material(melody=())) == Leaning()


def test_no_more_than_a_minute_is_listened_to() -> None:
    sound = recording("voice", tempo_bpm=40.0)
    long = Sound(np.concatenate([sound.samples, sound.samples, sound.samples]), RATE)
    minute = Sound(long.samples[: round(LONGEST_SECONDS * RATE)], RATE)

    assert len(long.samples) > 2 * len(minute.samples)
    assert lean(Material(melody=long)) == lean(Material(melody=minute))
    assert all(one.end <= two.start for one, two in pairwise(lean(Material(melody=long)).notes))


@pytest.mark.parametrize("field", ["reference", "vocal", "melody"])
async def test_file_that_is_gone_is_told(field: str) -> None:
    with pytest.raises(ProviderError) as told:
        await made(replace(SONG, references=References(**{field: "x"})), Shelf())

    assert (told.value.code, told.value.seen) == ("not_found", "not_made")
