"""Playing what was delivered, as a customer's player does."""

from __future__ import annotations

import io
from typing import NamedTuple

import av
import numpy as np
import numpy.typing as npt


class Played(NamedTuple):
    """What came out of the player: seconds, channels, level."""

    seconds: float
    channels: int

    level_dbfs: float
    """Root mean square of all channels; digital silence is minus infinity."""


def play(audio: bytes) -> Played:
    """Decode to the end; raises what the decoder raises for a file that does not play."""
    samples = samples_of(audio)
    with np.errstate(divide="ignore"):
        level = 20 * np.log10(np.sqrt(np.mean(np.square(samples.values))))
    return Played(samples.values.shape[1] / samples.rate, samples.values.shape[0], float(level))


class Samples(NamedTuple):
    """What the loudspeaker gets: (channels, frames) in [-1, 1], and frames in a second."""

    values: npt.NDArray[np.float64]
    rate: int


def samples_of(audio: bytes) -> Samples:
    with av.open(io.BytesIO(audio), "r") as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="dblp", layout=stream.layout)
        frames = [piece for frame in container.decode(stream) for piece in resampler.resample(frame)]
        frames += resampler.resample(None)
        return Samples(np.concatenate([frame.to_ndarray() for frame in frames], axis=1), stream.sample_rate)
