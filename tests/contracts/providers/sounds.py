"""What stand-ins give for a song. Standard library only."""

from __future__ import annotations

import io
import math
import struct
import wave
from functools import cache

PICTURE = bytes.fromhex("89504e470d0a1a0a0000000d49484452") * 64


@cache
def sound(loudness: float = 0.3) -> bytes:
    """One second of 220 Hz, WAV, 16 bit, mono, 22,050 Hz."""
    target = io.BytesIO()
    with wave.open(target, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(22_050)
        out.writeframes(
            b"".join(
                struct.pack("<h", round(32_767 * loudness * math.sin(2 * math.pi * 220 * moment / 22_050)))
                for moment in range(22_050)
            )
        )
    return target.getvalue()
