"""Ears: a song judged by its sound alone, after the encoder that customers' files come from."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import av
import numpy as np
import pytest

from generation.audio.encode import encode
from generation.audio.loudness import integrated_loudness_lufs
from generation.audio.measure import silent_share
from generation.audio.samples import Samples
from generation.providers.rehearsal import Composition, compose

HOP_FRAMES = 441  # 10 ms at 44.1 kHz
FRAMES_PER_SECOND = 100
# Krumhansl and Kessler's ratings of how well each degree fits a key.
MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
TRIADS = {"": (0, 4, 7), "m": (0, 3, 7)}
SEEDED: dict[str, Any] = {
    "prompt": "Pop music, happy, suitable for a sunny day",
    "lyrics": "[Intro]\n\n[Verse]\nWalking down the street\nFeeling the beat\n\n"
    "[Chorus]\nDancing in the sun\nHaving so much fun",
}


@dataclass(frozen=True)
class Recording:
    """Sound to be measured: float32 of shape (frames, 2) at 44.1 kHz."""

    samples: np.ndarray

    @property
    def seconds(self) -> float:
        return len(self.samples) / 44_100

    @property
    def peak_dbfs(self) -> float:
        return float(20 * np.log10(np.abs(self.samples).max()))

    @property
    def largest_step(self) -> float:
        return float(np.abs(np.diff(self.samples, axis=0)).max())

    @property
    def loudness_lufs(self) -> float:
        return integrated_loudness_lufs(Samples(self.samples, 44_100))

    @property
    def quiet_share(self) -> float:
        """Share of 100 ms windows below -50 dBFS."""
        return silent_share(Samples(self.samples, 44_100), -50.0)

    @cached_property
    def mono(self) -> np.ndarray:
        return self.samples.mean(axis=1)

    @cached_property
    def bands(self) -> np.ndarray:
        """Energy in dB of 24 bands, each a third of an octave, every 10 ms; shape (times, 24)."""
        power = self._power(2048)
        hertz = np.fft.rfftfreq(2048, 1 / 44_100)
        edges = 60 * 2 ** (np.arange(25) / 3)
        bins = np.searchsorted(hertz, edges)
        columns = [power[:, low : max(high, low + 1)].sum(axis=1) for low, high in itertools.pairwise(bins)]
        return 10 * np.log10(np.stack(columns, axis=1) + 1e-4)

    @cached_property
    def onset_strength(self) -> np.ndarray:
        """Spectral flux every 10 ms: how much louder the compressed spectrum became."""
        spectrum = np.log1p(20 * np.sqrt(self._power(1024)))
        rise = np.maximum(0, np.diff(spectrum, axis=0, prepend=spectrum[:1])).sum(axis=1)
        return rise / rise.max()

    @cached_property
    def onsets(self) -> np.ndarray:
        """Times in seconds of the flux's peaks that stand out of their surroundings."""
        flux = self.onset_strength
        around = np.lib.stride_tricks.sliding_window_view(np.pad(flux, 40, mode="reflect"), 81)
        stands_out = flux > np.median(around, axis=1) + 0.08
        is_peak = flux == np.lib.stride_tricks.sliding_window_view(np.pad(flux, 4), 9).max(axis=1)
        return np.flatnonzero(stands_out & is_peak) / FRAMES_PER_SECOND

    def on_grid_share(self, tempo_bpm: float, tolerance_seconds: float = 0.04) -> float:
        """Share of onsets within the tolerance of a beat, beats counted from the start."""
        beat = 60 / tempo_bpm
        return float((np.abs((self.onsets + beat / 2) % beat - beat / 2) <= tolerance_seconds).mean())

    @property
    def tempo_bpm(self) -> float:
        """The lag at which the onset strength is most like itself, between 55 and 180 beats a minute."""
        flux = np.convolve(self.onset_strength, np.hanning(9), "same")
        flux = flux - flux.mean()
        size = 1 << (2 * len(flux)).bit_length()
        likeness = np.fft.irfft(np.abs(np.fft.rfft(flux, size)) ** 2)[: len(flux)]
        lags = np.arange(round(6000 / 180), round(6000 / 55) + 1)
        return 6000 / float(lags[np.argmax(likeness[lags])])

    def chroma(self, start: float, end: float) -> np.ndarray:
        """Share of each pitch class (C first) between two times, 55 to 1760 Hz."""
        span = self.mono[round(start * 44_100) : round(end * 44_100)]
        size = 1 << max(14, len(span).bit_length())
        power = np.abs(np.fft.rfft(span * np.hanning(len(span)), size))
        hertz = np.fft.rfftfreq(size, 1 / 44_100)
        heard = (hertz > 55) & (hertz < 1760)
        pitch = 69 + 12 * np.log2(hertz[heard] / 440)
        classes = np.rint(pitch).astype(int) % 12
        close = np.abs(pitch - np.rint(pitch)) < 0.3
        folded = np.bincount(classes[close], np.sqrt(power[heard][close]), minlength=12)
        return folded / folded.sum()

    def chord(self, start: float, end: float) -> tuple[int, str]:
        """The triad whose notes hold most of the chroma: root 0-11 and '' or 'm'."""
        chroma = self.chroma(start, end)
        return max(
            ((root, name) for root in range(12) for name in TRIADS),
            key=lambda chord: sum(chroma[(chord[0] + step) % 12] for step in TRIADS[chord[1]]) + chroma[chord[0]] / 3,
        )

    @property
    def key(self) -> tuple[int, str]:
        """Tonic 0-11 and mode by correlation with the key profiles."""
        seconds = np.arange(0, self.seconds - 1, 2.0)
        chroma = np.mean([self.chroma(start, min(start + 2.0, self.seconds)) for start in seconds], axis=0)
        fits = {
            (tonic, mode): np.corrcoef(np.roll(profile, tonic), chroma)[0, 1]
            for tonic in range(12)
            for mode, profile in (("major", MAJOR), ("minor", MINOR))
        }
        return max(fits, key=fits.__getitem__)

    def contrast(self, moment: float, span: float = 0.8) -> float:
        """How much the sound differs before and after a moment: dB between bands plus 40 x chroma distance."""
        at, reach = round(moment * FRAMES_PER_SECOND), round(span * FRAMES_PER_SECOND)
        before, after = self.bands[max(0, at - reach) : at], self.bands[at : at + reach]
        instruments = np.abs(before.mean(axis=0) - after.mean(axis=0)).mean()
        chords = np.abs(self.chroma(max(0, moment - span), moment) - self.chroma(moment, moment + span)).sum()
        return float(instruments + 40 * chords / 2 / 4)

    def _power(self, size: int) -> np.ndarray:
        padded = np.pad(self.mono, (size // 2, size))
        framed = np.lib.stride_tricks.sliding_window_view(padded, size)[::HOP_FRAMES][: len(self.mono) // HOP_FRAMES]
        window = np.hanning(size).astype(np.float32)
        return np.concatenate([np.abs(np.fft.rfft(piece * window)) ** 2 for piece in np.array_split(framed, 16)])


def as_mp3(song: Composition, bitrate: int) -> bytes:
    return encode(Samples(song.samples, song.sample_rate), "mp3", bitrate=bitrate)


def from_file(audio: bytes) -> Recording:
    with av.open(io.BytesIO(audio), "r") as container:
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=44_100)
        pieces = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
    return Recording(np.ascontiguousarray(np.concatenate([piece.to_ndarray() for piece in pieces], axis=1).T))


@pytest.fixture(scope="session")
def listen() -> Callable[[Composition], Recording]:
    """What a customer hears: the song as an MP3 of 128 kbit/s, decoded again."""
    return lambda song: from_file(as_mp3(song, 128_000))


@pytest.fixture(scope="session")
def listen_at() -> Callable[[Composition, int], Recording]:
    """The same at a chosen bitrate."""
    return lambda song, bitrate: from_file(as_mp3(song, bitrate))


@pytest.fixture(scope="session")
def first_song() -> Composition:
    return compose(**SEEDED)


@pytest.fixture(scope="session")
def first_recording(first_song: Composition, listen: Callable[[Composition], Recording]) -> Recording:
    return listen(first_song)
