"""The gate every take passes before it is delivered and charged."""

from __future__ import annotations

from generation.audio.bad_audio import BadAudio
from generation.audio.measure import dead_channels, silent_share
from generation.audio.samples import Samples

SILENCE_DBFS = -60.0
SILENT_SHARE_LIMIT = 0.9
LENGTH_TOLERANCE_SECONDS = 1.0
LENGTH_TOLERANCE_SHARE = 0.03


def judge(samples: Samples, promised_seconds: float | None = None) -> None:
    """Raise BadAudio, with a sentence for the customer, for a take nobody should pay for."""
    if not samples.frames:
        raise BadAudio("The audio is empty.")
    if silent_share(samples, SILENCE_DBFS) >= SILENT_SHARE_LIMIT:
        raise BadAudio("The audio is silent.")
    if dead_channels(samples):
        raise BadAudio("One channel of the audio is silent.")
    if promised_seconds is not None:
        _judge_length(samples.duration_seconds, promised_seconds)


def _judge_length(seconds: float, promised_seconds: float) -> None:
    tolerance = max(LENGTH_TOLERANCE_SECONDS, LENGTH_TOLERANCE_SHARE * promised_seconds)
    if abs(seconds - promised_seconds) > tolerance:
        raise BadAudio(f"The audio is {seconds:.1f} seconds long instead of {promised_seconds:g}.")
