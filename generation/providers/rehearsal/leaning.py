"""What a song takes over from the sounds it leans on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from generation.providers.rehearsal.given_tune import tune_key, tune_tempo
from generation.providers.rehearsal.listening import HeardKey, key_of, pulse_of, tempo_of
from generation.providers.rehearsal.pitch_track import HeardNote, notes_of, track_pitch

if TYPE_CHECKING:
    from generation.providers.base import Sound

LONGEST_SECONDS, SHORTEST_SECONDS = 60.0, 3.0
LOWEST_VOICE, HIGHEST_VOICE = 46, 76


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What was given to lean on: sounds, and a melody as sound or as notes."""

    reference: Sound | None = None
    vocal: Sound | None = None
    melody: Sound | tuple[HeardNote, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaning:
    """What was heard there. None, and no notes, leave the choice to prompt and seed.

    `voice_pitch` is the middle of a voice, a MIDI number. With `is_continued` tempo and key hold against the prompt,
    and the song begins without an opening; else what the prompt names in figures holds. `loudness_lufs` is how loud
    the song shall be, where not as loud as any.
    """

    tempo_bpm: float | None = None
    key: HeardKey | None = None
    voice_pitch: float | None = None
    notes: tuple[HeardNote, ...] = ()
    loudness_lufs: float | None = None
    is_continued: bool = False


def lean(material: Material) -> Leaning:
    """Listen to everything that was given, a minute of each: pure, and bounded to some 2 s of one processor."""
    leaning = Leaning()
    if material.melody is not None:
        leaning = _on_melody(material.melody)
    if material.vocal is not None:
        voice = _beginning(material.vocal)
        middle = track_pitch(voice.samples, voice.sample_rate).middle
        leaning = replace(leaning, voice_pitch=_singable(middle) if middle is not None else None)
    if material.reference is not None:
        sound = _beginning(material.reference)
        tempo_bpm, key = tempo_and_key(sound)
        leaning = replace(leaning, tempo_bpm=tempo_bpm or leaning.tempo_bpm, key=key or leaning.key)
    return leaning


def tempo_and_key(sound: Sound) -> tuple[float | None, HeardKey | None]:
    """Of a sound; neither is told of one that is too short to tell."""
    if len(sound.samples) < SHORTEST_SECONDS * sound.sample_rate:
        return None, None
    return tempo_of(pulse_of(sound.samples, sound.sample_rate)), key_of(sound.samples, sound.sample_rate)


def _on_melody(melody: Sound | tuple[HeardNote, ...]) -> Leaning:
    if not isinstance(melody, tuple):
        beginning = _beginning(melody)
        melody = notes_of(track_pitch(beginning.samples, beginning.sample_rate))
    if not melody:
        return Leaning()
    return Leaning(tempo_bpm=tune_tempo(melody), key=tune_key(melody), notes=melody)


def _beginning(sound: Sound) -> Sound:
    return replace(sound, samples=sound.samples[: round(LONGEST_SECONDS * sound.sample_rate)])


def _singable(pitch: float) -> float:
    """Within the reach of the voice we have."""
    return min(HIGHEST_VOICE, max(LOWEST_VOICE, pitch))
