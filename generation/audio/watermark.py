"""An audible mark at the end of a song: two rising bell notes, over music that steps back for them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from generation.audio.samples import Samples

MARK_SECONDS = 0.8
NOTES_HZ = (1046.5, 1568.0)

_PEAK = 0.25
_MUSIC_UNDER_MARK = 0.4
# The mark rises no faster than the music steps back, so that their sum stays under full scale.
_ATTACK_SECONDS = 0.01
_DECAY_SECONDS = 0.15
_RELEASE_SECONDS = 0.02


def watermarked(samples: Samples) -> Samples:
    """A copy of the song, as long as before, whose last 0.8 s carry the mark; it cannot clip music that did not."""
    motif = mark(samples.sample_rate)[-samples.frames :, None]
    values = samples.values.copy()
    tail = values[-len(motif) :]
    tail *= _step_back(len(motif), samples.sample_rate)[:, None]
    tail += motif
    return Samples(values, samples.sample_rate)


def mark(sample_rate: int) -> npt.NDArray[np.float32]:
    """The motif alone: float32 (frames,)."""
    note_frames = int(MARK_SECONDS * sample_rate) // len(NOTES_HZ)
    seconds = np.arange(note_frames) / sample_rate
    attack = np.minimum(seconds / _ATTACK_SECONDS, 1.0)
    release = np.minimum((seconds[-1] - seconds) / _RELEASE_SECONDS, 1.0)
    envelope = _PEAK * attack * release * np.exp(-seconds / _DECAY_SECONDS)
    return np.concatenate([envelope * np.sin(2 * np.pi * hertz * seconds) for hertz in NOTES_HZ]).astype(np.float32)


def _step_back(frames: int, sample_rate: int) -> npt.NDArray[np.float32]:
    seconds = np.arange(frames) / sample_rate
    fade = np.minimum(seconds / _ATTACK_SECONDS, 1.0)
    return (1 - (1 - _MUSIC_UNDER_MARK) * fade).astype(np.float32)
