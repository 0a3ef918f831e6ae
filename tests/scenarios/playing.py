"""Playing what was delivered, as a customer's player does."""

from __future__ import annotations

import io
from typing import NamedTuple

import av


class Played(NamedTuple):
    """What came out of the player: seconds, channels."""

    seconds: float
    channels: int


def play(audio: bytes) -> Played:
    """Decode to the end; raises what the decoder raises for a file that does not play."""
    with av.open(io.BytesIO(audio), "r") as container:
        stream = container.streams.audio[0]
        samples = sum(frame.samples for frame in container.decode(stream))
        return Played(samples / stream.sample_rate, stream.channels)
