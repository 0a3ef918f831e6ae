"""16-bit PCM WAV from samples."""

from __future__ import annotations

import struct

import numpy as np

from generation.providers.rehearsal.sounds import Samples

HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")


def wav_bytes(samples: Samples, sample_rate: int) -> bytes:
    """A whole RIFF WAVE file from float samples of shape (frames, channels) in -1..1; beyond that is clipped."""
    channels = samples.shape[1]
    pcm = np.rint(np.clip(samples, -1, 1) * np.float32(32767)).astype("<i2")
    header = HEADER.pack(
        b"RIFF", HEADER.size - 8 + pcm.nbytes, b"WAVE",
        b"fmt ", 16, 1, channels, sample_rate, sample_rate * channels * 2, channels * 2, 16,
        b"data", pcm.nbytes,
    )  # fmt: skip
    return header + bytes(pcm.data)
