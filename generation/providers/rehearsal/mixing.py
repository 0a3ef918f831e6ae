"""From notes to a stereo passage: sounds laid into lanes, lanes panned, a small room around them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from generation.providers.rehearsal.accompaniment import Parts
from generation.providers.rehearsal.form import BEATS_PER_BAR, Passage, Plan
from generation.providers.rehearsal.instruments import PAD_FRAMES, note_sound, pad_sound
from generation.providers.rehearsal.melody import Note, SungNote, Tune
from generation.providers.rehearsal.percussion import hit_sound
from generation.providers.rehearsal.sounds import SAMPLE_RATE, Samples, band, noise, seconds_axis
from generation.providers.rehearsal.vocabulary import Band
from generation.providers.rehearsal.voice import consonant_sound, vowel_sound

TAIL_SECONDS = 1.2
RELEASE_FRAMES = 1600
CONSONANT_SHARE = 0.16
RELEASE = np.linspace(1, 0, RELEASE_FRAMES, dtype=np.float32)
ROOM_BLOCK = 1 << 14
PAD_LEVEL, PAD_OVERLAP_FRAMES = 0.2, 3000


class Chair(NamedTuple):
    """Where a player sits: the lane, how loud, and how much of it the room hears."""

    lane: Literal["centre", "left", "right"]
    level: float
    send: float


BASS, CHORDS, ARP = Chair("centre", 0.42, 0.0), Chair("left", 0.2, 0.25), Chair("right", 0.14, 0.4)
# A tune that was brought is what the song is about: it stands in front.
GIVEN = Chair("centre", 0.3, 0.3)
LEAD, VOICE, HARMONY = Chair("centre", 0.14, 0.35), Chair("centre", 0.27, 0.3), Chair("right", 0.10, 0.3)
DRUM_LEVELS = {
    "kick": 0.62, "soft kick": 0.5, "snare": 0.34, "clap": 0.3, "rim": 0.24, "brush": 0.2, "crash": 0.16,
    "hat": 0.10, "open hat": 0.10, "shaker": 0.10, "ride": 0.09, "high tom": 0.36, "low tom": 0.4,
}  # fmt: skip
DRUM_LANES = {
    "hat": "right",
    "open hat": "right",
    "low tom": "right",
    "shaker": "left",
    "ride": "left",
    "high tom": "left",
}
ROOMY_DRUMS = frozenset({"snare", "clap", "rim", "high tom", "low tom", "crash"})


@dataclass(slots=True)
class Lanes:
    """Mono lanes of one passage, each `frames` long with room for what rings over."""

    centre: Samples
    left: Samples
    right: Samples
    room: Samples

    @classmethod
    def empty(cls, frames: int) -> Lanes:
        return cls(*(np.zeros(frames, np.float32) for _ in range(4)))


def lay(lane: Samples, start: int, sound: Samples, gain: float, frames: int | None = None) -> None:
    """Add a sound to a lane at a frame. With `frames` it is released there, over some 36 ms, without a click."""
    room = len(lane) - start
    if room <= 0:
        return
    if frames is None or frames + RELEASE_FRAMES >= len(sound):
        part = sound[:room] * np.float32(gain)
    else:
        part = sound[: frames + RELEASE_FRAMES] * np.float32(gain)
        part[frames:] *= RELEASE
        part = part[:room]
    lane[start : start + len(part)] += part


class PassageMixer:
    """Renders one passage of a plan to stereo, shape (2, frames of the passage + tail)."""

    def __init__(self, plan: Plan, passage: Passage, players: Band) -> None:
        self._plan, self._passage, self._band = plan, passage, players
        self._origin_beat = passage.first_bar * BEATS_PER_BAR
        self._origin = plan.frame_of_beat(self._origin_beat)
        self._frames = plan.end_frame(passage) - self._origin + round(TAIL_SECONDS * SAMPLE_RATE)

    def mix(self, tune: Tune, parts: Parts, harmony: tuple[SungNote, ...]) -> Samples:
        lanes = Lanes.empty(self._frames)
        self._notes(lanes, BASS, self._band.bass, parts.bass)
        self._notes(lanes, CHORDS, self._band.chords, parts.chords)
        self._notes(lanes, ARP, self._band.arp, parts.arp)
        self._notes(lanes, GIVEN if tune.is_given else LEAD, self._band.lead, tune.answers)
        self._sing(lanes, VOICE, tune.sung)
        self._sing(lanes, HARMONY, harmony)
        self._drums(lanes, parts)
        return self._stereo(lanes, self._pads(parts))

    def _frame(self, beat: float) -> int:
        return self._plan.frame_of_beat(self._origin_beat + beat) - self._origin

    def _notes(self, lanes: Lanes, chair: Chair, instrument: str, notes: tuple[Note, ...]) -> None:
        lane = getattr(lanes, chair.lane)
        for note in notes:
            start, end = self._frame(note.start), self._frame(note.start + note.length)
            sound = note_sound(instrument, note.pitch)
            lay(lane, start, sound, chair.level * note.velocity, end - start)
            if chair.send:
                lay(lanes.room, start, sound, chair.level * note.velocity * chair.send, end - start)

    def _sing(self, lanes: Lanes, chair: Chair, notes: tuple[SungNote, ...]) -> None:
        lane = getattr(lanes, chair.lane)
        for note in notes:
            start, end = self._frame(note.start), self._frame(note.start + note.length)
            gain = chair.level * note.velocity
            if note.syllable.consonant:
                lay(lane, start, consonant_sound(note.syllable.consonant), gain * CONSONANT_SHARE)
            frames = max(1, end - start - RELEASE_FRAMES // 2)
            sound = vowel_sound(note.syllable.vowel, note.pitch, (frames + RELEASE_FRAMES) / SAMPLE_RATE)
            lay(lane, start, sound, gain, frames)
            lay(lanes.room, start, sound, gain * chair.send, frames)

    def _drums(self, lanes: Lanes, parts: Parts) -> None:
        for hit in parts.hits:
            sound, start = hit_sound(hit.drum), self._frame(hit.start)
            gain = DRUM_LEVELS[hit.drum] * hit.velocity
            lane = DRUM_LANES.get(hit.drum, "centre")
            lay(getattr(lanes, lane), start, sound, gain)
            if hit.drum in ROOMY_DRUMS:
                lay(lanes.room, start, sound, gain * 0.2)

    def _pads(self, parts: Parts) -> Samples | None:
        if not parts.pad:
            return None
        pads = np.zeros((2, self._frames), np.float32)
        rise = np.linspace(0, 1, PAD_OVERLAP_FRAMES, dtype=np.float32)
        for chord in parts.pad:
            start = self._frame(chord.start)
            end = min(self._frame(chord.start + chord.length) + PAD_OVERLAP_FRAMES, self._frames)
            if end - start < PAD_OVERLAP_FRAMES:
                continue
            loop = pad_sound(self._band.pad, chord.pitches)
            held = np.tile(loop, (1, -(-(end - start) // PAD_FRAMES)))[:, : end - start] * np.float32(PAD_LEVEL)
            held[:, :PAD_OVERLAP_FRAMES] *= rise
            held[:, -PAD_OVERLAP_FRAMES:] *= rise[::-1]
            pads[:, start:end] += held
        if self._band.pumping:
            pads *= self._pump()
        return pads

    def _pump(self) -> Samples:
        """The pad ducks under every beat, as if the kick drum pressed it down."""
        beat_frames = 60.0 / self._plan.tempo_bpm * SAMPLE_RATE
        phase = np.arange(self._frames, dtype=np.float32) % np.float32(beat_frames) / np.float32(beat_frames)
        pump: Samples = np.minimum(np.float32(1), np.float32(0.3) + phase * np.float32(1.4))
        return pump

    def _stereo(self, lanes: Lanes, pads: Samples | None) -> Samples:
        stereo = reverberate(lanes.room)
        stereo += lanes.centre
        stereo[0] += lanes.left * np.float32(0.9) + lanes.right * np.float32(0.35)
        stereo[1] += lanes.right * np.float32(0.9) + lanes.left * np.float32(0.35)
        if pads is not None:
            stereo += pads
        return stereo


def reverberate(send: Samples) -> Samples:
    """A small room at half the sample rate, where its dark tail loses nothing: shape (2, len(send))."""
    halved = send[: len(send) // 2 * 2].reshape(-1, 2).mean(axis=1)
    blocks = -(-len(halved) // ROOM_BLOCK)
    padded = np.zeros((blocks, ROOM_BLOCK), np.float32)
    padded.reshape(-1)[: len(halved)] = halved
    spectra = np.fft.rfft(padded, 2 * ROOM_BLOCK, axis=1)
    wet = np.zeros((2, len(send)), np.float32)
    for side, response in enumerate(_room_response()):
        pieces = np.fft.irfft(spectra * response, axis=1).astype(np.float32)
        pieces[1:, :ROOM_BLOCK] += pieces[:-1, ROOM_BLOCK:]
        tail = pieces[:, :ROOM_BLOCK].reshape(-1)[: len(halved)]
        _double_rate(tail, wet[side])
    return wet


def _double_rate(slow: Samples, fast: Samples) -> None:
    fast[: 2 * len(slow) : 2] = slow
    fast[1 : 2 * len(slow) - 1 : 2] = (slow[1:] + slow[:-1]) * np.float32(0.5)


@lru_cache(maxsize=1)
def _room_response() -> np.ndarray:
    """Spectra of two different tails of noise, 60 dB down after about 0.7 s; shape (2, ROOM_BLOCK + 1)."""
    tails = []
    for seed in (21, 22):
        tail = noise(seed, ROOM_BLOCK) * np.exp(seconds_axis(ROOM_BLOCK) * np.float32(-9.5))
        tail[:220] = 0
        tail = band(tail, 300, 9000)
        tails.append(tail / np.sqrt(np.sum(tail**2)))
    return np.fft.rfft(np.stack(tails), 2 * ROOM_BLOCK, axis=1).astype(np.complex64)
