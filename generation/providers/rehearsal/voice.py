"""A voice: glottal harmonics shaped by the formants of a vowel, each syllable begun by its consonant."""

from __future__ import annotations

import numpy as np

from generation.providers.rehearsal.instruments import cycle_index, harmonic_cycle
from generation.providers.rehearsal.sounds import SAMPLE_RATE, Samples, band, frequency, noise, seconds_axis, shelf

# First four formants of sung vowels in hertz, between the classic tables for men and women.
FORMANTS = {
    "a": (760, 1250, 2650, 3600),
    "e": (520, 1950, 2650, 3650),
    "i": (320, 2350, 3000, 3700),
    "o": (480, 880, 2600, 3500),
    "u": (350, 780, 2450, 3400),
    "@": (560, 1450, 2500, 3500),
}
BANDWIDTHS_HZ = (90, 110, 150, 220)
LEVELS = (1.0, 0.62, 0.38, 0.22)
HISSES = {"s": (4500, 9000, 0.075), "t": (2500, 8000, 0.03), "h": (900, 4000, 0.06)}
STEP_SECONDS = 0.5


def vowel_sound(vowel: str, pitch: int, seconds: float) -> Samples:
    """A vowel held for at least `seconds`, mono, peak about 1; cut it where the syllable ends."""
    steps = max(1, int(np.ceil(seconds / STEP_SECONDS)))
    return shelf.take(("voice", vowel, pitch, steps), lambda: _render_vowel(vowel, pitch, steps * STEP_SECONDS))


def consonant_sound(consonant: str) -> Samples:
    low_hz, high_hz, length_seconds = HISSES[consonant]
    return shelf.take(("consonant", consonant), lambda: _render_hiss(low_hz, high_hz, length_seconds))


def _render_vowel(vowel: str, pitch: int, seconds: float) -> Samples:
    frames = round(seconds * SAMPLE_RATE)
    index = cycle_index(frequency(pitch), frames, 22.0)
    time = seconds_axis(frames)
    # The mouth opens: a neutral sound turns into the vowel within some 60 ms.
    opening = 1 - np.exp(time / np.float32(-0.06))
    closed, opened = _cycle("@", pitch)[index], _cycle(vowel, pitch)[index]
    sound: Samples = closed + (opened - closed) * opening
    sound *= 0.8 + 0.2 * np.exp(time / np.float32(-0.35))
    sound += _breath(frames) * np.float32(0.015)
    rise = round(0.022 * SAMPLE_RATE)
    sound[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)
    return sound


def _breath(frames: int) -> Samples:
    return shelf.take(("breath", frames), lambda: band(noise(13, frames), 1500, 6000))


def _cycle(vowel: str, pitch: int) -> Samples:
    return shelf.take(("cycle", vowel, pitch), lambda: _render_cycle(vowel, pitch))


def _render_cycle(vowel: str, pitch: int) -> Samples:
    hertz = frequency(pitch)
    harmonic = np.arange(1, max(2, int(5200 / hertz)) + 1)
    heard = harmonic * hertz
    mouth = np.full(len(harmonic), 0.04)
    for centre, width, level in zip(FORMANTS[vowel], BANDWIDTHS_HZ, LEVELS, strict=True):
        mouth += level / np.sqrt(1 + ((heard - centre) / width) ** 2)
    phases = np.random.default_rng(11).uniform(0, 2 * np.pi, 200)[: len(harmonic)]
    cycle = harmonic_cycle(mouth * harmonic**-0.75 * np.exp(1j * phases))
    scaled: Samples = (cycle / np.abs(cycle).max()).astype(np.float32)
    return scaled


def _render_hiss(low_hz: float, high_hz: float, length_seconds: float) -> Samples:
    frames = round(length_seconds * SAMPLE_RATE)
    hiss = band(noise(17, frames), low_hz, high_hz) * np.hanning(frames).astype(np.float32)
    scaled: Samples = hiss / np.abs(hiss).max()
    return scaled
