"""The heads of WAV files of 16-bit samples that grow while they are heard."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from generation.audio.formats import PCM_BITS

HEAD_BYTES: Final = 44
SAMPLE_BYTES: Final = PCM_BITS // 8
_OPEN_LENGTH: Final = 0xFFFF_FFFF
_FIRST_CHUNK_AT: Final = 12
_CHUNK_HEAD_BYTES: Final = 8


class Shape(NamedTuple):
    """Hertz, 1 or 2 channels."""

    sample_rate: int
    channels: int


def open_head(shape: Shape) -> bytes:
    """A head that leaves the length open, as encoders that write to a pipe do."""
    block = SAMPLE_BYTES * shape.channels
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", _OPEN_LENGTH, b"WAVE", b"fmt ", 16, 1, shape.channels),
        *(shape.sample_rate, shape.sample_rate * block, block, PCM_BITS),
        *(b"data", _OPEN_LENGTH),
    )


def samples_at(wav: bytes | bytearray) -> int | None:
    """Where the samples of a WAV file begin; None while its head has not come whole."""
    place = _FIRST_CHUNK_AT
    while place + _CHUNK_HEAD_BYTES <= len(wav):
        name, size = bytes(wav[place : place + 4]), int.from_bytes(wav[place + 4 : place + 8], "little")
        place += _CHUNK_HEAD_BYTES
        if name == b"data":
            return place
        place += size + size % 2
    return None
