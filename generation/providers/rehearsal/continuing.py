"""A song continued: up to the point as it was, sample by sample, then on in its tempo, key and loudness."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from generation.contract import Line, Section, Word
from generation.providers.rehearsal.leaning import Leaning, tempo_and_key
from generation.providers.rehearsal.listening import beat_after, pulse_of
from generation.providers.rehearsal.mastering import CEILING, SILENCE_LUFS, TARGET_LUFS, loudness_lufs
from generation.providers.rehearsal.sounds import SAMPLE_RATE, Samples
from generation.providers.rehearsal.wav import Pcm, pcm_of

if TYPE_CHECKING:
    from generation.providers.base import Sound

HEARD_SECONDS = 45.0
QUIETEST_LUFS, LOUDEST_LUFS = -40.0, -9.0
LEAST_TAIL_SECONDS, OVERLAP_SECONDS, RISE_SECONDS = 0.04, 0.03, 0.005
FULL_SCALE = 32_768.0
BLOCK_FRAMES = 1 << 18
SMOOTH_BITS = 18


@dataclass(frozen=True, slots=True, eq=False)
class Beginning:
    """What is kept of a song, and what comes of it: `pcm` ends at the point, `tail` is what followed there.

    `wait_seconds` from the point to the next beat, where the new part begins.
    """

    pcm: Pcm
    tail: Samples
    sample_rate: int
    wait_seconds: float
    loudness_lufs: float

    @property
    def seconds(self) -> float:
        return len(self.pcm) / self.sample_rate


def begin(source: Sound, at_ms: int, leaning: Leaning, *, is_lossless: bool) -> tuple[Beginning, Leaning]:
    """Cut a song at a point, at its end at the latest, and hear how it goes on. Pure.

    `is_lossless`: every sample is kept exactly, where 16 bits do not hold it as a float.
    """
    rate = source.sample_rate
    point = min(len(source.samples), round(at_ms * rate / 1000))
    heard = source.samples[max(0, point - round(HEARD_SECONDS * rate)) : point]
    tempo_bpm, key = tempo_and_key(replace(source, samples=heard))
    wait = beat_after(pulse_of(heard, rate), tempo_bpm) if tempo_bpm else 0.0
    loudness = loudness_lufs(_paired(heard), rate)
    target = TARGET_LUFS if loudness <= SILENCE_LUFS else min(LOUDEST_LUFS, max(QUIETEST_LUFS, loudness))
    kept = Beginning(
        pcm=_as_it_was(source.samples[:point], is_lossless=is_lossless),
        tail=_tail(source.samples, point, round(max(LEAST_TAIL_SECONDS, wait + OVERLAP_SECONDS) * rate)),
        sample_rate=rate,
        wait_seconds=wait,
        loudness_lufs=target,
    )
    heard_there = replace(leaning, loudness_lufs=target, is_continued=True)
    return kept, replace(heard_there, tempo_bpm=tempo_bpm or leaning.tempo_bpm, key=key or leaning.key)


def join(kept: Beginning, samples: Samples) -> Pcm:
    """The whole song from what was kept and the new part, (frames, 2) at 44.1 kHz, at the old one's rate and channels.

    What followed in the old song dies away under the first beat of the new part, so that nothing clicks.
    """
    new = _at_loudness(_converted(samples, kept), kept)
    rise = max(2, round(RISE_SECONDS * kept.sample_rate))
    new[:rise] *= np.linspace(0, 1, rise, dtype=np.float32)[:, None]
    wait = round(kept.wait_seconds * kept.sample_rate)
    part = np.zeros((max(wait + len(new), len(kept.tail)), new.shape[1]), np.float32)
    part[wait : wait + len(new)] = new
    part[: len(kept.tail)] += kept.tail
    return np.concatenate([kept.pcm, pcm_of(part) if kept.pcm.dtype.kind == "i" else part])


def shifted(sections: tuple[Section, ...], kept: Beginning) -> tuple[Section, ...]:
    """The new part's sections where they fall in the whole song; the first begins at the point."""
    point = round(kept.seconds * 1000)
    by = round((kept.seconds + kept.wait_seconds) * 1000)
    moved = [
        Section(
            section.section_type,
            section.start + by,
            section.end + by,
            tuple(
                Line(
                    line.start + by,
                    line.end + by,
                    line.text,
                    tuple(Word(word.start + by, word.end + by, word.text) for word in line.words),
                )
                for line in section.lines
            ),
        )
        for section in sections
    ]
    return (replace(moved[0], start=point), *moved[1:])


def _as_it_was(samples: Samples, *, is_lossless: bool) -> Pcm:
    """16-bit integers where they hold every sample, or where nothing exact is to be kept; else the floats."""
    pcm = np.empty(samples.shape, "<i2")
    for first in range(0, len(samples), BLOCK_FRAMES):
        block = samples[first : first + BLOCK_FRAMES] * np.float32(FULL_SCALE)
        whole = np.clip(np.rint(block), -FULL_SCALE, FULL_SCALE - 1)
        if is_lossless and not np.array_equal(whole, block):
            return samples
        pcm[first : first + BLOCK_FRAMES] = whole
    return pcm


def _tail(samples: Samples, point: int, frames: int) -> Samples:
    """What follows the point, dying away; at the end of a song, what was before it, backwards."""
    following = samples[point : point + frames]
    if len(following) < min(frames, point) and len(following) < frames // 4:
        following = samples[max(0, point - frames) : point][::-1]
    fall = np.cos(np.linspace(0, np.pi / 2, len(following), dtype=np.float32)) ** 2
    tail: Samples = following * fall[:, None]
    return tail


def _paired(samples: Samples) -> Samples:
    """As two ears hear it: shape (2, frames)."""
    return np.ascontiguousarray(np.broadcast_to(samples.T, (2, len(samples))))


def _converted(samples: Samples, kept: Beginning) -> Samples:
    mixed = samples.mean(axis=1, keepdims=True, dtype=np.float32) if kept.tail.shape[1] == 1 else samples
    return _resampled(mixed, kept.sample_rate)


def _resampled(samples: Samples, sample_rate: int) -> Samples:
    """The same sound at another rate, by its spectrum: (frames, channels) to about frames * rate / 44,100."""
    if sample_rate == SAMPLE_RATE:
        return samples.copy()
    frames = round(len(samples) * sample_rate / SAMPLE_RATE)
    common = gcd(sample_rate, SAMPLE_RATE)
    old_step, new_step = SAMPLE_RATE // common, sample_rate // common
    # Lengths of small factors, in the exact ratio of the rates.
    smooth = 1 << max(0, SMOOTH_BITS - old_step.bit_length())
    pieces = -(-len(samples) // (old_step * smooth)) * smooth
    size, new_size = old_step * pieces, new_step * pieces
    spectrum = np.fft.rfft(samples, size, axis=0)[: new_size // 2 + 1]
    sound = np.fft.irfft(spectrum, new_size, axis=0)[:frames] * (new_size / size)
    return np.ascontiguousarray(sound, dtype=np.float32)


def _at_loudness(new: Samples, kept: Beginning) -> Samples:
    """Mixing to one channel and another rate cost a little; it is made good as far as the ceiling allows."""
    lost = kept.loudness_lufs - loudness_lufs(_paired(new), kept.sample_rate)
    room = CEILING / max(float(np.abs(new).max(initial=0.0)), 1e-9)
    gain = min(10 ** (lost / 20), max(1.0, room))
    return new * np.float32(gain)
