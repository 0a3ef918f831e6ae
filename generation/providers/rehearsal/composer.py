"""A whole song from a few words: pure, deterministic, and quick enough to make by the thousand."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from generation.contract import Line, Section, Word
from generation.providers.rehearsal.accompaniment import Feel, accompany
from generation.providers.rehearsal.form import BEATS_PER_BAR, TEMPO_GIVE, Passage, Plan, plan_song
from generation.providers.rehearsal.given_tune import GivenTune, set_tune
from generation.providers.rehearsal.harmony import Key, Mode, nearest
from generation.providers.rehearsal.leaning import Leaning
from generation.providers.rehearsal.lyrics import read_stanzas
from generation.providers.rehearsal.mastering import TARGET_LUFS, master
from generation.providers.rehearsal.melody import Contour, SungNote, Tune, make_tune
from generation.providers.rehearsal.mixing import PassageMixer
from generation.providers.rehearsal.sounds import SAMPLE_RATE, Samples
from generation.providers.rehearsal.vocabulary import BANDS, CEILING_BPM, FLOOR_BPM, Brief, hear
from generation.providers.rehearsal.writing import write_lyrics

if TYPE_CHECKING:
    from generation.providers.rehearsal.vocabulary import Band

MAJOR_SHARE = 0.7
DRIVING_BPM = 112
UNASKED_GENRES = ("pop", "pop", "folk", "electronic")
VOICE_CENTRE, LOW_VOICE_CENTRE, LEAD_CENTRE = 67, 55, 72


class Stopped(Exception):
    """The song was called off while it was being made."""


@dataclass(frozen=True, slots=True, eq=False)
class Composition:
    """A finished song.

    `samples` is float32 of shape (frames, 2) in -1..1; `chords` holds (start in seconds, name) wherever the chord
    changes; `sections` carry line and word timings in milliseconds; `lyrics` is what is sung, None when nobody sings.
    """

    samples: Samples
    sample_rate: int
    tempo_bpm: float
    key: str
    mode: Mode
    chords: tuple[tuple[float, str], ...]
    sections: tuple[Section, ...]
    lyrics: str | None
    seed: int


def compose(
    *,
    prompt: str = "",
    lyrics: str | None = None,
    seed: int | None = None,
    duration_seconds: float | None = None,
    instrumental: bool = False,
    temperature: float | None = None,
    leaning: Leaning | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Composition:
    """Make a song. The same arguments give the same samples on the same machine.

    Without a seed it is drawn from prompt and lyrics; without a duration the song takes 30-60 s from its sections;
    without lyrics, unless instrumental, it sings a few lines of its own. `temperature` (0-2, 1 when None) widens the
    steps of the melody; `leaning` holds what other sounds decide. Raises Stopped between two sections once
    `is_stopped` answers True.
    """
    leaning = leaning or Leaning()
    if not instrumental and not (lyrics or "").strip():
        lyrics = write_lyrics(prompt)
    seed = seed_of(prompt, lyrics) if seed is None else seed
    brief = hear(prompt)
    choose = random.Random(f"song:{seed}")
    band = _band(brief, choose)
    key = _key(brief, band, leaning, choose)
    tempo_bpm = _tempo(brief, band, leaning, choose)
    given = set_tune(leaning.notes, key, tempo_bpm)
    stanzas = read_stanzas(lyrics or "", opens=not leaning.is_continued)
    give = 0.0 if leaning.is_continued else TEMPO_GIVE
    plan = plan_song(stanzas, key, tempo_bpm, duration_seconds, choose, given=given, tempo_give=give)
    adventure = 1.0 if temperature is None else min(2.0, max(0.0, temperature))
    studio = _Studio(seed, brief, band, key, adventure, given, leaning)
    samples, tunes = _record(plan, studio, sings=not instrumental, is_stopped=is_stopped)
    return Composition(
        samples=samples,
        sample_rate=SAMPLE_RATE,
        tempo_bpm=plan.tempo_bpm,
        key=key.name,
        mode=key.mode,
        chords=_chord_changes(plan),
        sections=tuple(_section(plan, passage, tune) for passage, tune in zip(plan.passages, tunes, strict=True)),
        lyrics=None if instrumental else lyrics,
        seed=seed,
    )


def seed_of(prompt: str, lyrics: str | None) -> int:
    """The seed of an order that names none: 31 bits of SHA-256 over prompt and lyrics."""
    digest = hashlib.sha256(f"{prompt}\0{lyrics or ''}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


@dataclass(frozen=True, slots=True)
class _Studio:
    seed: int
    brief: Brief
    band: Band
    key: Key
    adventure: float
    given: GivenTune | None
    leaning: Leaning

    @property
    def loudness_lufs(self) -> float:
        return TARGET_LUFS if self.leaning.loudness_lufs is None else self.leaning.loudness_lufs

    def centre(self, *, is_sung: bool) -> int:
        """The pitch a melody moves around: for a voice like one that was given, its middle, else a tonic."""
        if is_sung and self.leaning.voice_pitch is not None:
            return round(self.leaning.voice_pitch)
        centre = (LOW_VOICE_CENTRE if self.brief.low_voice else VOICE_CENTRE) if is_sung else LEAD_CENTRE
        return nearest(centre, (self.key.tonic,))

    def feel(self, plan: Plan) -> Feel:
        if self.brief.calm:
            return "calm"
        return "driving" if plan.tempo_bpm >= DRIVING_BPM else "plain"

    def choose(self, what: str) -> random.Random:
        return random.Random(f"{self.seed}:{what}")


def _band(brief: Brief, choose: random.Random) -> Band:
    drawn = choose.choice(UNASKED_GENRES)
    is_asked = brief.genre is not None or brief.band != BANDS["pop"]
    return brief.band if is_asked else BANDS[drawn]


def _key(brief: Brief, band: Band, leaning: Leaning, choose: random.Random) -> Key:
    drawn, is_major = choose.randrange(12), choose.random() < MAJOR_SHARE
    if brief.major_vote:
        is_major = brief.major_vote > 0
    tonic = drawn if brief.tonic is None else brief.tonic
    if leaning.key is not None and (brief.tonic is None or leaning.is_continued):
        return Key(leaning.key.tonic, leaning.key.mode, band.sevenths, band.pentatonic)
    return Key(tonic, "major" if is_major else "minor", band.sevenths, band.pentatonic)


def _tempo(brief: Brief, band: Band, leaning: Leaning, choose: random.Random) -> float:
    drawn = choose.uniform(0.97, 1.03)
    if leaning.tempo_bpm is not None and (brief.tempo_bpm is None or leaning.is_continued):
        return leaning.tempo_bpm
    if brief.tempo_bpm is not None:
        return brief.tempo_bpm
    return min(CEILING_BPM, max(FLOOR_BPM, band.bpm * brief.tempo_factor * drawn))


def _record(
    plan: Plan, studio: _Studio, *, sings: bool, is_stopped: Callable[[], bool]
) -> tuple[Samples, tuple[Tune, ...]]:
    mix = np.zeros((2, plan.frames), np.float32)
    tunes = []
    for passage in plan.passages:
        if is_stopped():
            raise Stopped
        tune, sound = _play(plan, passage, studio, sings=sings)
        start = plan.frame_of_bar(passage.first_bar)
        room = min(sound.shape[1], plan.frames - start)
        mix[:, start : start + room] += sound[:, :room]
        tunes.append(tune)
    return np.ascontiguousarray(master(mix, studio.loudness_lufs).T), tuple(tunes)


def _play(plan: Plan, passage: Passage, studio: _Studio, *, sings: bool) -> tuple[Tune, Samples]:
    kind = passage.section_type
    is_sung = sings and bool(passage.lines)
    tune = make_tune(
        passage,
        studio.key,
        studio.centre(is_sung=is_sung),
        Contour(f"{studio.seed}:{kind}", studio.adventure),
        beat_seconds=60 / plan.tempo_bpm,
        sings=sings,
        given=studio.given,
    )
    if not (tune.is_given or _lead_plays(passage, is_sung=is_sung)):
        tune = Tune(tune.sung, tune.words, ())
    parts = accompany(passage, studio.band, feel=studio.feel(plan), choose=studio.choose(f"{kind}:band"))
    harmony = _harmony(passage, tune) if "harmony" in passage.layers else ()
    return tune, PassageMixer(plan, passage, studio.band).mix(tune, parts, harmony)


def _lead_plays(passage: Passage, *, is_sung: bool) -> bool:
    """An instrument takes the tune where it is seated, where nobody sings, and between sung lines."""
    return is_sung or bool(passage.layers & {"lead", "voice"})


def _harmony(passage: Passage, tune: Tune) -> tuple[SungNote, ...]:
    """A second voice on the next chord note below."""
    second = []
    for note in tune.sung:
        chord = passage.chords[min(int(note.start // BEATS_PER_BAR), passage.bars - 1)]
        second.append(note._replace(pitch=nearest(note.pitch - 4.4, chord.pitch_classes)))
    return tuple(second)


def _chord_changes(plan: Plan) -> tuple[tuple[float, str], ...]:
    changes: list[tuple[float, str]] = []
    for passage in plan.passages:
        for bar, chord in enumerate(passage.chords, start=passage.first_bar):
            seconds = plan.frame_of_bar(bar) / SAMPLE_RATE
            if seconds * SAMPLE_RATE < plan.frames and (not changes or changes[-1][1] != chord.name):
                changes.append((seconds, chord.name))
    return tuple(changes)


def _section(plan: Plan, passage: Passage, tune: Tune) -> Section:
    def at(beat: float) -> int:
        frame = min(plan.frame_of_beat(passage.first_bar * BEATS_PER_BAR + beat), plan.frames)
        return round(frame * 1000 / SAMPLE_RATE)

    lines = tuple(
        Line(
            at(words[0].start),
            at(words[-1].end),
            line.text,
            tuple(Word(at(word.start), at(word.end), word.text) for word in words),
        )
        for line, words in zip(passage.lines, tune.words, strict=False)
    )
    return Section(passage.section_type, at(0), round(plan.end_frame(passage) * 1000 / SAMPLE_RATE), lines)
