"""Synthesised audio for the tests of the audio step."""

from __future__ import annotations

import io
from collections.abc import Callable

import av
import numpy as np
import pytest

from generation.audio.samples import Samples


@pytest.fixture(scope="session")
def tone() -> Callable[..., Samples]:
    """A sine of a given level, the same in every channel."""

    def build(
        seconds: float, hertz: float = 440.0, *, rate: int = 44_100, channels: int = 2, dbfs: float = -6.0
    ) -> Samples:
        at = np.arange(round(seconds * rate)) / rate
        wave = 10 ** (dbfs / 20) * np.sin(2 * np.pi * hertz * at)
        return Samples(np.repeat(wave[:, None], channels, axis=1).astype(np.float32), rate)

    return build


@pytest.fixture(scope="session")
def song() -> Callable[..., Samples]:
    """Dense material that makes a codec use the bitrate it was given: chords under seeded noise."""

    def build(seconds: float, *, rate: int = 44_100, channels: int = 2) -> Samples:
        at = np.arange(round(seconds * rate)) / rate
        chord = np.sum([0.1 * np.sin(2 * np.pi * hertz * at) for hertz in (220.0, 277.2, 329.6)], axis=0)
        noise = 0.1 * np.random.default_rng(7).standard_normal((at.size, channels))
        return Samples((chord[:, None] + noise).astype(np.float32), rate)

    return build


@pytest.fixture(scope="session")
def muxed() -> Callable[..., bytes]:
    """Files of a kind that is read but not sold."""

    def build(samples: Samples, muxer: str, encoder: str, **options: str) -> bytes:
        file = io.BytesIO()
        layout = "stereo" if samples.channels == 2 else "mono"
        with av.open(file, "w", format=muxer) as container:
            stream = container.add_stream(encoder, rate=samples.sample_rate, layout=layout, options=options)
            assert isinstance(stream, av.AudioStream)
            for start in range(0, samples.frames, 1_000):
                part = samples.values[start : start + 1_000]
                frame = av.AudioFrame.from_ndarray(part.reshape(1, -1), format="flt", layout=layout)
                frame.sample_rate, frame.pts = samples.sample_rate, start
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return file.getvalue()

    return build
