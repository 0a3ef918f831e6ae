"""A take that is heard while it is made: its pieces, decoded and encoded as they come, into one growing stream.

| format | what grows                                                                                    |
|--------|-----------------------------------------------------------------------------------------------|
| mp3    | frames, each piece whole ones; without a head, as nobody knows yet how long the song will be  |
| wav    | a head that leaves the length open, then samples as in pcm                                    |
| pcm    | 16-bit little-endian samples of all channels in turn                                          |

No other format can be cut and joined anywhere, so an order for one of those is heard as MP3. MP3 that comes as it was
ordered passes through untouched; all else is encoded, so that every listener hears the ordered format.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple, Protocol, cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.packet import Packet

from generation.audio.bad_audio import BadAudio
from generation.audio.decode import as_float
from generation.audio.encode import ENCODER_OPTIONS, LAYOUTS
from generation.audio.formats import FORMATS, PCM_BITS, legal_bitrate, legal_sample_rate
from generation.audio.headerless import with_header
from generation.audio.id3_tags import tag_bytes
from generation.audio.opening import DECODER_ERRORS, MAX_CHANNELS
from generation.audio.prepare import BITRATE_TOLERANCE, Wanted
from generation.audio.samples import Samples
from generation.audio.wav_heads import HEAD_BYTES, SAMPLE_BYTES, Shape, open_head, samples_at
from generation.contract import AudioFormat, Piece

GROWING: Final[tuple[AudioFormat, ...]] = ("mp3", "wav", "pcm")
_FULL_SCALE: Final = np.float32(2 ** (PCM_BITS - 1))
_LONGEST_HEAD_BYTES: Final = 64 * 1024
_NO_PIECE: Final = "What can be heard of the song does not decode."


class Grown(NamedTuple):
    """What has been added to a stream: its bytes, and how many seconds of music went in."""

    data: bytes
    seconds: float


NOTHING: Final = Grown(b"", 0.0)


def growing_format(ordered: AudioFormat | None) -> AudioFormat:
    """In which format a song is heard while it is made."""
    return ordered if ordered in GROWING else "mp3"


class GrowingTake:
    """One take's stream: takes pieces in any format that grows, gives bytes in the format of `wanted`.

    Rate and channels that were not ordered are those of the first piece. Not for several threads at once.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.format = growing_format(wanted.format)
        self._wanted = wanted
        self._coder: _Coder | None = None

    @property
    def shape(self) -> Shape:
        """Of what is given; known once a first piece has come."""
        if self._coder is None:
            raise LookupError("nothing has come yet")
        return self._coder.shape

    def add(self, piece: Piece) -> Grown:
        """What the piece adds; possibly nothing yet. Raises BadAudio."""
        try:
            if self._coder is None:
                self._coder = self._coder_for(piece)
            return self._coder.add(piece.data)
        except DECODER_ERRORS as error:
            raise BadAudio(_NO_PIECE) from error

    def end(self) -> Grown:
        """What the encoder still held. Raises BadAudio."""
        try:
            return self._coder.end() if self._coder is not None else NOTHING
        except DECODER_ERRORS as error:
            raise BadAudio(_NO_PIECE) from error

    def _coder_for(self, piece: Piece) -> _Coder:
        if piece.format not in GROWING or not 1 <= piece.channels <= MAX_CHANNELS:
            raise BadAudio(_NO_PIECE)
        wanted, came = self._wanted, Shape(piece.sample_rate, piece.channels)
        shape = Shape(
            legal_sample_rate(self.format, wanted.sample_rate or came.sample_rate), wanted.channels or came.channels
        )
        if piece.format == self.format == "mp3" and came == shape and _is_of_bitrate(piece, wanted):
            return _Untouched(came)
        source = _Mp3Source() if piece.format == "mp3" else _PcmSource(came, has_head=piece.format == "wav")
        bitrate = wanted.bitrate if wanted.format == self.format else None
        return _Transcoded(source, _Sink(self.format, shape, bitrate), shape)


class _Coder(Protocol):
    @property
    def shape(self) -> Shape: ...
    def add(self, data: bytes) -> Grown: ...
    def end(self) -> Grown: ...


class _Untouched:
    """MP3 that is as it was ordered."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._cutter = _decoder()

    def add(self, data: bytes) -> Grown:
        return Grown(data, _seconds_of(self._cutter.parse(data), self.shape))

    def end(self) -> Grown:
        return NOTHING


class _Transcoded:
    def __init__(self, source: _Source, sink: _Sink, shape: Shape) -> None:
        self.shape = shape
        self._source = source
        self._sink = sink

    def add(self, data: bytes) -> Grown:
        return self._encoded(self._source.decode(data))

    def end(self) -> Grown:
        last = self._encoded(self._source.rest())
        return Grown(last.data + self._sink.end(), last.seconds)

    def _encoded(self, decoded: Iterator[Samples]) -> Grown:
        data, seconds = bytearray(), 0.0
        for samples in decoded:
            data += self._sink.encode(samples)
            seconds += samples.duration_seconds
        return Grown(bytes(data), seconds)


class _Source(Protocol):
    def decode(self, data: bytes) -> Iterator[Samples]: ...
    def rest(self) -> Iterator[Samples]: ...


class _PcmSource:
    """16-bit samples, with or without the head of a WAV file in front; pieces may end anywhere."""

    def __init__(self, shape: Shape, *, has_head: bool) -> None:
        self._shape = shape
        self._has_head = has_head
        self._waiting = bytearray()

    def decode(self, data: bytes) -> Iterator[Samples]:
        self._waiting += data
        if self._has_head and not self._is_past_head():
            return
        block = SAMPLE_BYTES * self._shape.channels
        size = len(self._waiting) - len(self._waiting) % block
        if size:
            values = np.frombuffer(bytes(self._waiting[:size]), dtype="<i2").reshape(-1, self._shape.channels)
            del self._waiting[:size]
            yield Samples(values.astype(np.float32) / _FULL_SCALE, self._shape.sample_rate)

    def rest(self) -> Iterator[Samples]:
        return iter(())

    def _is_past_head(self) -> bool:
        start = samples_at(self._waiting)
        if start is None:
            if len(self._waiting) > _LONGEST_HEAD_BYTES:
                raise BadAudio(_NO_PIECE)
            return False
        del self._waiting[:start]
        self._has_head = False
        return True


class _Mp3Source:
    def __init__(self) -> None:
        self._decoder = _decoder()

    def decode(self, data: bytes) -> Iterator[Samples]:
        yield from self._samples(self._decoder.parse(data))

    def rest(self) -> Iterator[Samples]:
        for frame in self._decoder.decode(None):
            yield Samples(as_float(frame), frame.sample_rate)

    def _samples(self, packets: Sequence[Packet[Any]]) -> Iterator[Samples]:
        for packet in packets:
            for frame in self._decoder.decode(packet):
                yield Samples(as_float(frame), frame.sample_rate)


class _Sink:
    """An encoder without a file around it."""

    def __init__(self, audio_format: AudioFormat, shape: Shape, bitrate: int | None) -> None:
        target = FORMATS[audio_format]
        self._shape = shape
        self._head = open_head(shape) if audio_format == "wav" else b""
        self._frames = 0
        self._encoder = cast(AudioCodecContext, av.CodecContext.create(target.encoder, "w"))
        self._encoder.sample_rate = shape.sample_rate
        self._encoder.layout = LAYOUTS[shape.channels]
        self._encoder.format = (self._encoder.codec.audio_formats or [])[0].name
        self._encoder.options = {**ENCODER_OPTIONS.get(target.encoder, {}), "flags": "+bitexact"}
        bits = legal_bitrate(
            audio_format, bitrate or target.bitrate or 0, sample_rate=shape.sample_rate, channels=shape.channels
        )
        if target.bitrate is not None and bits is not None:
            self._encoder.bit_rate = bits

    def encode(self, samples: Samples) -> bytes:
        mixed = samples.mixed(self._shape.channels)
        flat = np.ascontiguousarray(mixed.values, dtype=np.float32).reshape(1, -1)
        frame = AudioFrame.from_ndarray(flat, format="flt", layout=LAYOUTS[mixed.channels])
        frame.sample_rate, frame.pts = mixed.sample_rate, self._frames
        frame.time_base = Fraction(1, mixed.sample_rate)
        self._frames += mixed.frames
        head, self._head = self._head, b""
        return head + _joined(self._encoder.encode(frame))

    def end(self) -> bytes:
        return _joined(self._encoder.encode(None)) if self._frames else b""


def joined(pieces: list[bytes], audio_format: AudioFormat, shape: Shape) -> bytes:
    """What has grown so far, as a file that says how long it is where its format can."""
    if audio_format == "mp3":
        return b"".join(pieces)
    samples = b"".join(pieces)[HEAD_BYTES if audio_format == "wav" else 0 :]
    return with_header(samples, sample_rate=shape.sample_rate, channels=shape.channels)


def rest_of(audio: bytes, audio_format: AudioFormat, shape: Shape, *, after_seconds: float) -> bytes:
    """A delivered file from a moment on, as the continuation of a stream that has grown to there.

    Empty for a format that does not grow. Raises BadAudio.
    """
    if audio_format == "mp3":
        return _mp3_from(audio, after_seconds)
    if audio_format not in GROWING:
        return b""
    start = (samples_at(audio) or 0) if audio_format == "wav" else 0
    return audio[start + round(after_seconds * shape.sample_rate) * SAMPLE_BYTES * shape.channels :]


def _mp3_from(audio: bytes, seconds: float) -> bytes:
    decoder = _decoder()
    packets = decoder.parse(audio[tag_bytes(audio) :])
    if not packets:
        raise BadAudio(_NO_PIECE)
    first = next((frame for packet in packets[:2] for frame in decoder.decode(packet)), None)
    if first is None:
        raise BadAudio(_NO_PIECE)
    return _joined(packets[round(seconds * first.sample_rate / first.samples) :])


def _decoder() -> AudioCodecContext:
    return cast(AudioCodecContext, av.CodecContext.create("mp3float", "r"))


def _joined(packets: Sequence[Packet[Any]]) -> bytes:
    return b"".join(bytes(packet) for packet in packets)


def _seconds_of(packets: Sequence[Packet[Any]], shape: Shape) -> float:
    """Of MP3 frames; those of the lower rates are half as long."""
    return len(packets) * (1152 if shape.sample_rate >= 32_000 else 576) / shape.sample_rate  # noqa: PLR2004


def _is_of_bitrate(piece: Piece, wanted: Wanted) -> bool:
    if wanted.bitrate is None:
        return True
    seconds = _seconds_of(_decoder().parse(piece.data), Shape(piece.sample_rate, piece.channels))
    ordered = legal_bitrate("mp3", wanted.bitrate, sample_rate=piece.sample_rate, channels=piece.channels) or 0
    return abs(8 * len(piece.data) - ordered * seconds) <= BITRATE_TOLERANCE * ordered * seconds
