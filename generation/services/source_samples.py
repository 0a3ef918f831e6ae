"""What an order leans on, as sound: decoded for a provider that listens itself."""

from __future__ import annotations

from generation.audio.bad_audio import BadAudio
from generation.audio.decode import decode
from generation.audio.headerless import with_header
from generation.contract import SourceFile, SourceTrack
from generation.providers.base import ProviderError, Sound


def sound_of(source: SourceFile | SourceTrack) -> Sound:
    """Decode a source to its very end: not for the event loop. Raises ProviderError (not made) for damaged audio."""
    try:
        samples = decode(_whole(source))
    except BadAudio as bad:
        message = f"What the song leans on cannot be read. {bad} Nothing was charged."
        raise ProviderError("bad_audio", message, seen="not_made", blame="order") from bad
    return Sound(samples.values, samples.sample_rate)


def _whole(source: SourceFile | SourceTrack) -> bytes:
    """The file; samples of the format `pcm` under a header."""
    if not isinstance(source, SourceTrack) or source.format != "pcm":
        return source.audio
    if source.sample_rate is None or source.channels is None:
        raise BadAudio("Its sample rate is not known.")
    return with_header(source.audio, sample_rate=source.sample_rate, channels=source.channels)
