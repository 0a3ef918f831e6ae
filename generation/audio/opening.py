"""An audio file laid open: one demuxer, its few decoders, and nothing a file says can change that."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

import av
import av.logging
from av.audio.stream import AudioStream
from av.container import InputContainer

from generation.audio import sniff
from generation.audio.bad_audio import BadAudio
from generation.audio.formats import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE

DAMAGED = "The audio file is damaged: it does not decode to its end."
MAX_CHANNELS = 2
# Errors that damaged bytes bring up through PyAV and NumPy; FFmpegError covers FFmpeg's own.
DECODER_ERRORS = (av.FFmpegError, ValueError, IndexError, ArithmeticError, MemoryError, NotImplementedError)

# FFmpeg tells stderr about every damaged byte, and its log lock is a known place for two threads to wait on each
# other. What matters comes back as an exception.
av.logging.set_level(None)


@contextlib.contextmanager
def opened(audio: bytes) -> Iterator[tuple[InputContainer, AudioStream]]:
    """The file as an open container and its audio stream; whatever goes wrong inside is a BadAudio.

    FFmpeg is given one demuxer and its few decoders, and bytes instead of a path: nothing in a file can make it open
    another file or an address.
    """
    kind = sniff.container_of(audio)
    sniff.require_whole(audio, kind)
    allowed = {"codec_whitelist": ",".join(sorted(kind.codecs))}
    try:
        with av.open(
            io.BytesIO(audio), "r", format=kind.demuxer, container_options=allowed, metadata_errors="replace"
        ) as container:
            yield container, _only_stream(container, kind)
    except DECODER_ERRORS as error:
        raise BadAudio(DAMAGED) from error


def _only_stream(container: InputContainer, kind: sniff.Container) -> AudioStream:
    if not container.streams.audio:
        raise BadAudio("The file holds no audio.")
    stream = container.streams.audio[0]
    context = stream.codec_context
    if context is None or context.name not in kind.codecs:
        raise BadAudio("The audio in the file is in a codec that is not taken.")
    if not MIN_SAMPLE_RATE <= context.sample_rate <= MAX_SAMPLE_RATE:
        raise BadAudio(f"The audio has a sample rate of {context.sample_rate} Hz, which is not taken.")
    if not 1 <= context.channels <= MAX_CHANNELS:
        raise BadAudio(f"The audio has {context.channels} channels; only mono and stereo are taken.")
    if kind is sniff.FLAC:
        # Each FLAC frame carries a checksum, which FFmpeg compares only when asked to.
        context.options = {"err_detect": "crccheck+explode"}
    return stream
