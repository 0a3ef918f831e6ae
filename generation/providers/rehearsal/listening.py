"""How fast a recording is and in which key: estimates of a modest listener, who may take half a tempo for the whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generation.providers.rehearsal.harmony import Mode
from generation.providers.rehearsal.sounds import Samples
from generation.providers.rehearsal.spectra import magnitudes, mono_at

TEMPO_HERTZ, KEY_HERTZ = 11_025, 4_500
FLUX_WINDOW_SECONDS, FLUX_HOP_SECONDS = 0.046, 0.01
KEY_WINDOW_SECONDS = 0.75
SLOWEST_BPM, FASTEST_BPM = 55.0, 190.0
USUAL_BPM, TEMPO_SPREAD_OCTAVES = 105.0, 0.9
TEMPO_STEPS = 800
MULTIPLES, BEATS_HEARD = 8, 16
RISE_SECONDS = 0.016
"""By so much the flux peaks after the stroke that caused it."""
FAINTEST_LIKENESS = 0.05
LOWEST_PITCH, HIGHEST_PITCH, IN_TUNE = 36, 96, 0.35
CLEAREST_CORRELATION = 0.3

# How often each degree is heard in a key. Source: D. Temperley, "Music and Probability" (2007), from the
# Kostka-Payne corpus.
PROFILES: dict[Mode, tuple[float, ...]] = {
    "major": (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400),
    "minor": (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330),
}


@dataclass(frozen=True, slots=True, eq=False)
class Pulse:
    """How strongly something begins, `per_second` times a second."""

    strength: Samples
    per_second: float


@dataclass(frozen=True, slots=True)
class HeardKey:
    """`tonic` is a pitch class 0-11 (C is 0)."""

    tonic: int
    mode: Mode


def pulse_of(samples: Samples, sample_rate: int) -> Pulse:
    """The rise of the compressed spectrum (spectral flux), about every 10 ms."""
    mono, rate = mono_at(samples, sample_rate, TEMPO_HERTZ)
    size, hop = 1 << round(np.log2(rate * FLUX_WINDOW_SECONDS)), max(1, round(rate * FLUX_HOP_SECONDS))
    # Begun half a window early, so that a window's middle stands for its moment.
    spectra = np.log1p(magnitudes(np.pad(mono, (size // 2, 0)), size, hop) * np.float32(20))
    rise = np.maximum(0, np.diff(spectra, axis=0, prepend=spectra[:1]))
    return Pulse(rise.sum(axis=1), rate / hop)


def tempo_of(pulse: Pulse) -> float | None:
    """Beats a minute, 55-190: the lag at whose multiples the pulse is most like itself. None without a beat."""
    flux = np.convolve(pulse.strength, np.hanning(7), "same")
    flux = flux - flux.mean()
    size = 1 << (2 * len(flux)).bit_length()
    likeness = np.fft.irfft(np.abs(np.fft.rfft(flux, size)) ** 2)[: len(flux)]
    if likeness[0] <= 0:
        return None
    likeness = likeness / likeness[0]
    tempos = np.geomspace(SLOWEST_BPM, FASTEST_BPM, TEMPO_STEPS)
    lags = 60.0 * pulse.per_second / tempos
    alike = np.mean(
        [np.interp(lags * multiple, np.arange(len(flux)), likeness, right=0.0) for multiple in range(1, MULTIPLES + 1)],
        axis=0,
    )
    usual = np.exp(-0.5 * (np.log2(tempos / USUAL_BPM) / TEMPO_SPREAD_OCTAVES) ** 2)
    best = int(np.argmax(alike * usual))
    return float(tempos[best]) if alike[best] >= FAINTEST_LIKENESS else None


def beat_after(pulse: Pulse, tempo_bpm: float) -> float:
    """Seconds from the end of a sound to its next beat, 0 up to a beat; from its last 16 beats."""
    beat = 60.0 * pulse.per_second / tempo_bpm
    beats = min(BEATS_HEARD, int(len(pulse.strength) / beat))
    if not beats:
        return 0.0
    flux = np.convolve(pulse.strength, np.hanning(7), "same")
    shifts = np.arange(0.0, beat, 0.5)
    moments = len(flux) - beat * np.arange(1, beats + 1)[:, None] + shifts
    heard = np.interp(moments, np.arange(len(flux)), flux).sum(axis=0)
    return (float(shifts[int(np.argmax(heard))]) / pulse.per_second - RISE_SECONDS) % (60.0 / tempo_bpm)


def key_of(samples: Samples, sample_rate: int) -> HeardKey | None:
    """The key whose profile the pitch classes fit best; None for what has no pitch."""
    mono, rate = mono_at(samples, sample_rate, KEY_HERTZ)
    size = 1 << round(np.log2(rate * KEY_WINDOW_SECONDS))
    spectra = magnitudes(mono, size, size // 2)
    hertz = np.fft.rfftfreq(size, 1 / rate)
    pitches = 69 + 12 * np.log2(np.maximum(hertz, 1e-9) / 440)
    heard = (pitches >= LOWEST_PITCH) & (pitches <= HIGHEST_PITCH) & (np.abs(pitches - np.rint(pitches)) < IN_TUNE)
    classes = np.rint(pitches[heard]).astype(int) % 12
    chroma = np.stack([np.bincount(classes, spectrum, minlength=12) for spectrum in spectra[:, heard]])
    loudest = chroma.sum(axis=1, keepdims=True)
    if not loudest.max() > 0:
        return None
    return key_of_classes((chroma / np.maximum(loudest, loudest.max() * 0.05)).sum(axis=0))


def key_of_classes(shares: np.ndarray) -> HeardKey | None:
    """The key that twelve pitch classes (C first) fit best, however much each sounds; None where none fits."""
    if np.ptp(shares) <= 0:
        return None
    fits = {
        HeardKey(tonic, mode): float(np.corrcoef(np.roll(profile, tonic), shares)[0, 1])
        for mode, profile in PROFILES.items()
        for tonic in range(12)
    }
    best = max(fits, key=fits.__getitem__)
    return best if fits[best] >= CLEAREST_CORRELATION else None
