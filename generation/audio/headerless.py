"""Samples without a header, as the format `pcm` has them, given one: then they are a file like any other."""

from __future__ import annotations

import io
import wave

from generation.audio.formats import PCM_BITS


def with_header(audio: bytes, *, sample_rate: int, channels: int) -> bytes:
    """A WAV file of 16-bit little-endian samples."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setsampwidth(PCM_BITS // 8)
        file.setframerate(sample_rate)
        file.setnchannels(channels)
        file.writeframes(audio)
    return target.getvalue()
