"""An uploaded song made anew: decoded, cut to the longest its purpose takes, and encoded by us.

Runs in a process of its own (see `isolated`), and without NumPy, which takes as long to load as the rest.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO, Final

import av
import av.subtitles.stream  # loaded by PyAV for its first file, when no file can be opened any more
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer

from generation.audio import sniff
from generation.audio.bad_audio import BadAudio
from generation.audio.opening import DAMAGED, opened

RECODED_FORMAT: Final = "m4a"
BITRATE: Final = 192_000

_RATES: Final = (22_050, 24_000, 32_000, 44_100, 48_000)
_LAYOUTS: Final = {1: "mono", 2: "stereo"}
# The encoder's fast coder takes half of the time of its default, for an error nobody leans on in a reference.
_ENCODER_OPTIONS: Final = {"aac_coder": "fast", "flags": "+bitexact"}
_PIECE: Final = 8_192
_QUIETEST: Final = 32
"""Of 32,768, which is -60 dBFS: what stays below it is silence."""
_LOOKED_AT: Final = 8
"""Every eighth sample tells whether there is sound."""
_HEARD_SHARE: Final = 0.1
_DAMAGED_SHARE: Final = 0.05
"""Songs in the wild have a packet or two that no decoder reads; a file of many is no song."""


def read(source: bytes, target: BinaryIO, *, longest_seconds: float) -> dict[str, Any]:
    """Write the song to `target` as M4A, cut after `longest_seconds`; what was written. Raises BadAudio.

    Whatever the source holds, only 16-bit samples of one or two channels reach the encoder.
    """
    _refuse_others(source)
    with opened(source) as (container, stream):
        rate = _rate_of(stream)
        layout = _LAYOUTS[stream.codec_context.channels]
        sound = _Sound()
        frames = sound.heard(_cut(_resampled(container, stream, rate, layout), round(longest_seconds * rate)))
        written = _encode(frames, target, rate, layout)
    if not written:
        raise BadAudio("The audio file is empty.")
    if sound.heard_share < _HEARD_SHARE:
        raise BadAudio("The audio is silent.")
    return {"format": RECODED_FORMAT, "duration_ms": round(1000 * written / rate), "tune": []}


def _refuse_others(source: bytes) -> None:
    with contextlib.suppress(BadAudio):
        if sniff.container_of(source) in (sniff.MP3, sniff.MPEG_4):
            return
    raise BadAudio("The file is neither MP3 nor M4A.")


def _rate_of(stream: AudioStream) -> int:
    rate = stream.codec_context.sample_rate
    return rate if rate in _RATES else min(_RATES, key=lambda known: abs(known - rate))


def _resampled(container: InputContainer, stream: AudioStream, rate: int, layout: str) -> Iterator[AudioFrame]:
    resampler = AudioResampler(format="s16p", layout=layout, rate=rate)
    for frame in _decoded(container, stream):
        frame.pts = None
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _decoded(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    packets = damaged = 0
    for packet in container.demux(stream):
        packets += 1
        try:
            yield from packet.decode()
        except av.FFmpegError:
            damaged += 1
    if damaged > max(1, _DAMAGED_SHARE * packets):
        raise BadAudio(DAMAGED)


def _cut(frames: Iterator[AudioFrame], left: int) -> Iterator[AudioFrame]:
    """Frames of one size, `left` samples in all at most."""
    fifo = AudioFifo()
    for frame in frames:
        frame.pts = None
        fifo.write(frame)
        while left and fifo.samples >= _PIECE:
            size = min(_PIECE, left)
            left -= size
            yield from _taken(fifo, size)
        if not left:
            return
    yield from _taken(fifo, min(left, fifo.samples))


def _taken(fifo: AudioFifo, size: int) -> Iterator[AudioFrame]:
    piece = fifo.read(size) if size else None
    if piece is not None:
        yield piece


def _encode(frames: Iterator[AudioFrame], target: BinaryIO, rate: int, layout: str) -> int:
    written = 0
    with av.open(target, "w", format="ipod") as container:
        stream = container.add_stream("aac", rate=rate, options=_ENCODER_OPTIONS, layout=layout)
        stream.bit_rate = BITRATE
        for frame in frames:
            frame.pts, frame.time_base, frame.sample_rate = written, Fraction(1, rate), rate
            written += frame.samples
            container.mux(stream.encode(frame))
        if written:
            container.mux(stream.encode(None))
    return written


class _Sound:
    """Notes while pieces pass by how many of them can be heard."""

    def __init__(self) -> None:
        self._pieces = self._heard = 0

    @property
    def heard_share(self) -> float:
        return self._heard / max(1, self._pieces)

    def heard(self, pieces: Iterator[AudioFrame]) -> Iterator[AudioFrame]:
        for piece in pieces:
            self._pieces += 1
            self._heard += any(_is_heard(plane) for plane in piece.planes)
            yield piece


def _is_heard(plane: Any) -> bool:
    samples = memoryview(plane).cast("B").cast("h")[::_LOOKED_AT].tolist()
    return max(samples) > _QUIETEST or min(samples) < -_QUIETEST
