"""What an order leans on, as sound: decoded for a provider that listens itself."""

from __future__ import annotations

import io
import wave

from generation.audio.decode import decode
from generation.audio.formats import PCM_BITS
from generation.audio.samples import BadAudio
from generation.contract import SourceFile, SourceTrack
from generation.providers.base import ProviderError, Sound


def sound_of(source: SourceFile | SourceTrack) -> Sound:
    """Decode a source to its very end: not for the event loop. Raises ProviderError (not made) for damaged audio."""
    try:
        samples = decode(_with_header(source))
    except BadAudio as bad:
        message = f"What the song leans on cannot be read. {bad} Nothing was charged."
        raise ProviderError("bad_audio", message, seen="not_made") from bad
    return Sound(samples.values, samples.sample_rate)


def _with_header(source: SourceFile | SourceTrack) -> bytes:
    """The format `pcm` has no header; a WAV's is put before it."""
    if not isinstance(source, SourceTrack) or source.format != "pcm":
        return source.audio
    if source.sample_rate is None or source.channels is None:
        raise BadAudio("Its sample rate is not known.")
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setsampwidth(PCM_BITS // 8)
        file.setframerate(source.sample_rate)
        file.setnchannels(source.channels)
        file.writeframes(source.audio)
    return target.getvalue()
