"""Decoded audio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Samples:
    """Decoded audio: `values` is float32 of shape (frames, channels), full scale at 1.0; `sample_rate` in hertz."""

    values: npt.NDArray[np.float32]
    sample_rate: int

    @property
    def frames(self) -> int:
        return int(self.values.shape[0])

    @property
    def channels(self) -> int:
        return int(self.values.shape[1])

    @property
    def duration_seconds(self) -> float:
        return self.frames / self.sample_rate

    def mixed(self, channels: int) -> Samples:
        """The same audio in `channels` channels, at the same loudness to the ear of one listener.

        Stereo becomes mono by the mean, so that a full-scale song cannot clip; mono becomes stereo by repetition.
        libswresample would mix floating point to mono 3 dB hotter than integers, hence not its matrix.
        """
        if channels == self.channels:
            return self
        if channels == 1:
            mono = self.values.mean(axis=1, dtype=np.float32, keepdims=True)
            return Samples(mono, self.sample_rate)
        return Samples(np.repeat(self.values[:, :1], channels, axis=1), self.sample_rate)
