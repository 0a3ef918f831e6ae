"""Tonal instruments: single cycles read at the pitch of the note, brightness dying faster than body."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import tau

import numpy as np

from generation.providers.rehearsal.sounds import SAMPLE_RATE, Samples, frequency, noise, seconds_axis, shelf

CYCLE_BITS = 12
CYCLE_FRAMES = 1 << CYCLE_BITS
PAD_FRAMES = 1 << 16


@dataclass(frozen=True, slots=True)
class Timbre:
    """How an instrument sounds.

    `tilt` is the slope of its harmonics (amplitude h**-tilt), `even` the share of the even ones, `cutoff_hz` where
    they end. `decay_seconds` holds the time constants of body, middle and brilliance; None sustains.
    """

    tilt: float
    even: float
    cutoff_hz: float
    decay_seconds: tuple[float, float, float] | None
    attack_seconds: float
    ring_seconds: float
    vibrato_cents: float = 0.0
    detune_cents: float = 0.0
    click: float = 0.0
    drive: float = 0.0


TIMBRES = {
    "piano": Timbre(1.45, 1.0, 6500, (1.3, 0.6, 0.2), 0.003, 2.4, detune_cents=3, click=0.08),
    "epiano": Timbre(2.1, 0.35, 4200, (1.2, 0.5, 0.12), 0.004, 2.4, detune_cents=4, click=0.03),
    "guitar": Timbre(1.2, 0.9, 5500, (0.9, 0.35, 0.12), 0.002, 2.0, click=0.12),
    "zither": Timbre(1.0, 0.8, 7500, (0.9, 0.4, 0.15), 0.002, 2.0, click=0.1),
    "crunch": Timbre(1.0, 0.9, 3600, (2.5, 1.6, 0.9), 0.004, 2.6, detune_cents=9, drive=3.0),
    "organ": Timbre(1.1, 0.8, 3500, None, 0.012, 2.4, vibrato_cents=6, detune_cents=5),
    "pluck": Timbre(0.95, 1.0, 7000, (0.45, 0.22, 0.09), 0.003, 1.2, detune_cents=12),
    "musicbox": Timbre(2.2, 0.2, 9000, (0.7, 0.4, 0.15), 0.002, 1.6, click=0.05),
    "fingered": Timbre(1.6, 0.9, 1500, (0.9, 0.4, 0.15), 0.006, 1.8, click=0.03),
    "upright": Timbre(1.9, 0.8, 1100, (0.6, 0.25, 0.08), 0.006, 1.4, click=0.05),
    "synthbass": Timbre(1.1, 1.0, 1300, (1.2, 0.35, 0.12), 0.004, 1.8, detune_cents=6),
    "flute": Timbre(2.4, 0.7, 3500, None, 0.045, 2.4, vibrato_cents=14),
    "reed": Timbre(1.2, 0.75, 3800, None, 0.03, 2.4, vibrato_cents=16),
    "sawlead": Timbre(1.15, 1.0, 5000, None, 0.012, 2.4, vibrato_cents=12, detune_cents=10),
    "guitarlead": Timbre(0.95, 0.9, 3600, (3.0, 2.0, 1.2), 0.008, 2.6, vibrato_cents=15, drive=2.5),
    "bow": Timbre(1.0, 1.0, 4200, None, 0.06, 2.6, vibrato_cents=18),
}


def note_sound(instrument: str, pitch: int) -> Samples:
    """One note at full length, mono, peak about 1; cut it where the note ends."""
    return shelf.take((instrument, pitch), lambda: _render_note(TIMBRES[instrument], pitch))


def _render_note(timbre: Timbre, pitch: int) -> Samples:
    seconds = seconds_axis(round(timbre.ring_seconds * SAMPLE_RATE))
    cycles = _cycles(timbre, pitch)
    sound = _read(cycles, timbre, pitch, 0.0, seconds)
    if timbre.detune_cents:
        sound = 0.6 * sound + 0.4 * _read(cycles, timbre, pitch, timbre.detune_cents, seconds)
    if timbre.drive:
        sound = np.tanh(sound * np.float32(timbre.drive)) * np.float32(0.8)
    if timbre.click:
        struck = noise(pitch, 900) * np.linspace(1, 0, 900, dtype=np.float32) ** 3
        sound[:900] += np.convolve(struck, np.ones(6, np.float32) / 6, "same") * np.float32(timbre.click)
    rise = max(2, round(timbre.attack_seconds * SAMPLE_RATE))
    sound[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    return sound


def _read(cycles: Samples, timbre: Timbre, pitch: int, cents: float, seconds: Samples) -> Samples:
    index = cycle_index(frequency(pitch + cents / 100), len(seconds), timbre.vibrato_cents)
    if timbre.decay_seconds is None:
        held: Samples = cycles.sum(axis=0)[index]
        return held
    sound = np.zeros(len(seconds), np.float32)
    for cycle, decay in zip(cycles, timbre.decay_seconds, strict=True):
        sound += cycle[index] * np.exp(seconds / np.float32(-decay))
    return sound


def cycle_index(hertz: float, frames: int, vibrato_cents: float) -> np.ndarray:
    """Where each frame reads a cycle; the phase lives in 32 bits that wrap by themselves."""
    step = round(hertz / SAMPLE_RATE * 2**32)
    phase = np.arange(frames, dtype=np.uint32) * np.uint32(step)
    if vibrato_cents:
        swing = _vibrato_cycles(frames) * np.float32(hertz * vibrato_cents * 2**32)
        phase += swing.astype(np.int64).astype(np.uint32)
    return phase >> np.uint32(32 - CYCLE_BITS)


@lru_cache(maxsize=16)
def _vibrato_cycles(frames: int) -> Samples:
    """Phase of a 5.4 Hz vibrato that sets in after 0.2 s, in cycles per (hertz x cent)."""
    seconds = seconds_axis(frames)
    depth = np.clip((seconds - 0.2) / 0.3, 0, 1)
    swing: Samples = (depth * np.sin(tau * 5.4 * seconds) * (np.log(2) / 1200 / (tau * 5.4))).astype(np.float32)
    return swing


def _cycles(timbre: Timbre, pitch: int) -> Samples:
    """One cycle each of body, middle and brilliance, shape (3, CYCLE_FRAMES); their sum peaks at 1."""
    hertz = frequency(pitch)
    count = max(1, min(48, int(0.45 * SAMPLE_RATE / hertz)))
    harmonic = np.arange(1, count + 1)
    loudness = harmonic**-timbre.tilt / (1 + (harmonic * hertz / timbre.cutoff_hz) ** 4)
    loudness *= np.where(harmonic % 2 == 0, timbre.even, 1.0)
    phases = np.random.default_rng(7).uniform(0, tau, 48)[:count]
    cycles = np.stack(
        [
            harmonic_cycle(np.where((harmonic >= low) & (harmonic < high), loudness, 0) * np.exp(1j * phases))
            for low, high in ((1, 3), (3, 8), (8, 99))
        ]
    )
    scaled: Samples = (cycles / np.abs(cycles.sum(axis=0)).max()).astype(np.float32)
    return scaled


def harmonic_cycle(amplitudes: np.ndarray) -> np.ndarray:
    """The waveform of one period from complex amplitudes of harmonics 1, 2, …"""
    spectrum = np.zeros(CYCLE_FRAMES // 2 + 1, np.complex128)
    spectrum[1 : len(amplitudes) + 1] = amplitudes
    return np.fft.irfft(spectrum) * CYCLE_FRAMES


PADS = {"warm": (1.7, 2200.0), "strings": (1.15, 4200.0), "choir": (1.5, 2800.0), "glass": (1.9, 6000.0)}


def pad_sound(pad: str, pitches: tuple[int, ...]) -> Samples:
    """A chord held for ever: a stereo loop of shape (2, PAD_FRAMES) whose end meets its start, RMS 0.25."""
    return shelf.take((pad, pitches), lambda: _render_pad(pad, pitches))


def _render_pad(pad: str, pitches: tuple[int, ...]) -> Samples:
    """Every harmonic is a narrow band of random phase, so a loop of 1.5 s beats like a section of players."""
    tilt, cutoff_hz = PADS[pad]
    loudness = np.zeros(PAD_FRAMES // 2 + 1, np.float32)
    for pitch in pitches:
        for harmonic in range(1, 15):
            _add_band(loudness, frequency(pitch) * harmonic, harmonic**-tilt, cutoff_hz)
    phases = np.random.default_rng(len(pad)).uniform(0, tau, (2, len(loudness))).astype(np.float32)
    loop = np.fft.irfft(loudness * np.exp(1j * phases), axis=1).astype(np.float32)
    return loop * np.float32(0.25 / np.sqrt(np.mean(loop**2)))


def _add_band(loudness: Samples, hertz: float, level: float, cutoff_hz: float) -> None:
    centre = hertz * PAD_FRAMES / SAMPLE_RATE
    width = 0.6 + centre * 0.004
    low, high = int(centre - 3 * width), int(centre + 3 * width) + 2
    if high < len(loudness):
        bins = np.arange(low, high, dtype=np.float32)
        level /= (1 + (hertz / cutoff_hz) ** 4) * width**0.5
        loudness[low:high] += level * np.exp(-0.5 * ((bins - centre) / width) ** 2)
