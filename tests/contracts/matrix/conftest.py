"""A shop in front of a stand-in, and the songs that the stand-in gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from generation.audio.encode import encode
from generation.audio.samples import Samples
from generation.contract import AudioFormat
from tests.contracts.providers.conftest import standin_of
from tests.generation.conftest import shop

__all__ = ["shop", "standin_of"]

SOUNDING: dict[AudioFormat, tuple[int, int]] = {"mp3": (44_100, 2), "wav": (32_000, 1)}
"""The rate in hertz and the channels of what a stand-in gives; an MP3 has 256 kbit/s."""
USUAL_SECONDS = 10


@pytest.fixture(scope="session")
def songs_of(tmp_path_factory: pytest.TempPathFactory) -> SongShelf:
    return SongShelf(tmp_path_factory.mktemp("songs"))


class SongShelf:
    """Songs in files, by their length."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def paths(self, seconds: int) -> dict[str, str]:
        """By kind, made when they are first asked for."""
        return {kind: str(self._path(kind, seconds)) for kind in SOUNDING}

    def _path(self, kind: AudioFormat, seconds: int) -> Path:
        path = self._folder / f"{seconds}.{kind}"
        if not path.exists():
            path.write_bytes(encode(_song(seconds, *SOUNDING[kind]), kind, bitrate=256_000))
        return path


def _song(seconds: int, rate: int, channels: int) -> Samples:
    moments = np.arange(seconds * rate, dtype=np.float32) / rate
    tones = [
        0.3 * np.sin(2 * np.pi * (220 + 40 * np.sin(moments)) * (1 + channel) * moments) for channel in range(channels)
    ]
    return Samples(np.stack(tones, axis=1).astype(np.float32), rate)
