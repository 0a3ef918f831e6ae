"""PCM WAV: 16-bit integers, or 32-bit floats for what they cannot hold."""

from __future__ import annotations

import struct
from typing import cast

import numpy as np
import numpy.typing as npt

from generation.providers.rehearsal.sounds import Samples

Pcm = npt.NDArray[np.int16] | Samples
"""Samples as a file has them, of shape (frames, channels)."""

HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
INTEGERS, FLOATS = 1, 3


def pcm_of(samples: Samples) -> npt.NDArray[np.int16]:
    """16-bit integers from float samples in -1..1; beyond that is clipped."""
    scaled: npt.NDArray[np.int16] = np.rint(np.clip(samples, -1, 1) * np.float32(32767)).astype("<i2")
    return scaled


def as_integers(pcm: Pcm) -> npt.NDArray[np.int16]:
    """The same samples at 16 bits, whatever they came as."""
    if pcm.dtype.kind == "i":
        return cast("npt.NDArray[np.int16]", pcm)
    return pcm_of(cast("Samples", pcm))


def wav_file(pcm: Pcm, sample_rate: int) -> bytes:
    """A whole RIFF WAVE file that holds these samples unchanged."""
    channels, width = pcm.shape[1], pcm.dtype.itemsize
    form = INTEGERS if pcm.dtype.kind == "i" else FLOATS
    header = HEADER.pack(
        b"RIFF", HEADER.size - 8 + pcm.nbytes, b"WAVE",
        b"fmt ", 16, form, channels, sample_rate, sample_rate * channels * width, channels * width, 8 * width,
        b"data", pcm.nbytes,
    )  # fmt: skip
    return header + pcm.tobytes()
