"""Reading audio: what a file is, by decoding it to its very end, never by a label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from generation.audio import sniff
from generation.audio.bad_audio import BadAudio
from generation.audio.opening import DAMAGED, opened
from generation.audio.samples import Samples

MAX_DURATION_SECONDS = 1_200.0

_EMPTY = "The audio file is empty."
_MISSING_SECONDS = 0.1
_MP4_EXCESS_FRAMES = 4_096
_LARGEST_SAMPLE = 100.0
_NOMINAL_TOLERANCE = 0.01
_CODECS = {"mp3float": "mp3", "libopus": "opus", "libvorbis": "vorbis"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a file holds, measured. `format` is mp3, wav, flac, opus, vorbis (both in Ogg), m4a or aac (raw ADTS).

    `sample_rate` hertz, `bitrate` bits per second of the audio packets, `duration_ms` decoded milliseconds.
    """

    format: str
    codec: str
    sample_rate: int
    channels: int
    bitrate: int
    duration_ms: int


@dataclass(slots=True)
class _Tally:
    """What passed by while a file was read."""

    frames: int = 0
    packet_bytes: int = 0
    packet_seconds: float = 0.0
    chunks: list[npt.NDArray[np.float32]] = field(default_factory=list)


def probe(audio: bytes, *, max_duration_seconds: float = MAX_DURATION_SECONDS) -> Probe:
    """Say what a file holds. Raises BadAudio for what is damaged, cut short, empty, too long, or of no known format.

    A cut shows wherever the container says how long it is. A bare MP3 or ADTS stream does not say so: there only the
    promised length (see `quality`) can tell.
    """
    return _read(audio, max_duration_seconds, keep=False)[0]


def decode(audio: bytes, *, max_duration_seconds: float = MAX_DURATION_SECONDS) -> Samples:
    """Decode a file to its very end. Raises BadAudio as `probe` does."""
    return read(audio, max_duration_seconds=max_duration_seconds)[1]


def read(audio: bytes, *, max_duration_seconds: float = MAX_DURATION_SECONDS) -> tuple[Probe, Samples]:
    """`probe` and `decode` in one pass over the file."""
    found, tally, frames = _read(audio, max_duration_seconds, keep=True)
    values = np.concatenate(tally.chunks)[:frames]
    return found, Samples(values, found.sample_rate)


def _read(audio: bytes, max_seconds: float, *, keep: bool) -> tuple[Probe, _Tally, int]:
    tally = _Tally()
    with opened(audio) as (container, stream):
        context = stream.codec_context
        shape = context.sample_rate, context.channels
        limit = int(max_seconds * context.sample_rate)
        for frame in _frames(container, stream, tally):
            if (frame.sample_rate, frame.layout.nb_channels) != shape:
                raise BadAudio(DAMAGED)
            tally.frames += frame.samples
            if tally.frames > limit:
                raise BadAudio(f"The audio is longer than {max_seconds:g} seconds.")
            values = _as_float(frame)
            if keep:
                tally.chunks.append(values)
        frames = _delivered_frames(audio, stream, tally.frames)
        return _probed(stream, tally, frames), tally, frames


def _frames(container: InputContainer, stream: AudioStream, tally: _Tally) -> Iterator[AudioFrame]:
    for packet in container.demux(stream):
        tally.packet_bytes += packet.size
        if packet.duration and packet.time_base:
            tally.packet_seconds += float(packet.duration * packet.time_base)
        yield from packet.decode()


def _delivered_frames(audio: bytes, stream: AudioStream, frames: int) -> int:
    """How many of the decoded frames belong to the song; BadAudio if the file promises more than it holds."""
    if not frames:
        raise BadAudio(_EMPTY)
    kind = sniff.container_of(audio)
    if stream.duration is None or stream.time_base is None or not sniff.declares_duration(audio, kind):
        return frames
    rate = stream.codec_context.sample_rate
    declared = round(stream.duration * stream.time_base * rate)
    if declared - frames > _MISSING_SECONDS * rate:
        raise BadAudio(DAMAGED)
    # AAC comes in whole packets; the edit list says where in the last one the song ends.
    is_padded = kind is sniff.MPEG_4 and 0 < frames - declared <= _MP4_EXCESS_FRAMES and declared > 0
    return declared if is_padded else frames


def _probed(stream: AudioStream, tally: _Tally, frames: int) -> Probe:
    context = stream.codec_context
    codec = _CODECS.get(context.name, context.name)
    return Probe(
        format=_format_name(stream.container.format.name, codec),
        codec=codec,
        sample_rate=context.sample_rate,
        channels=context.channels,
        bitrate=_bitrate(stream, tally, frames / context.sample_rate),
        duration_ms=round(1000 * frames / context.sample_rate),
    )


def _format_name(demuxer: str, codec: str) -> str:
    if codec.startswith("pcm_"):
        return "wav"
    if codec == "aac":
        return "aac" if demuxer == "aac" else "m4a"
    return codec


def _bitrate(stream: AudioStream, tally: _Tally, seconds: float) -> int:
    """Bits per second that the packets really take; the nominal value where it agrees with them within 1 %."""
    measured = tally.packet_bytes * 8 / (tally.packet_seconds or seconds)
    nominal = stream.codec_context.bit_rate or 0
    return nominal if abs(measured - nominal) <= _NOMINAL_TOLERANCE * measured else round(measured)


def _as_float(frame: AudioFrame) -> npt.NDArray[np.float32]:
    """A frame as float32 (frames, channels) with full scale at 1.0."""
    raw: npt.NDArray[Any] = frame.to_ndarray()
    table = raw.T if frame.format.is_planar else raw.reshape(-1, frame.layout.nb_channels)
    if table.dtype.kind == "f":
        return _plausible(table)
    bits = 8 * table.dtype.itemsize
    offset = 2 ** (bits - 1) if table.dtype.kind == "u" else 0
    values: npt.NDArray[np.float32] = (table.astype(np.float32) - np.float32(offset)) / np.float32(2 ** (bits - 1))
    return values


def _plausible(table: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Floating point may hold anything; what is no number, or 40 dB over full scale, is no music."""
    with np.errstate(over="ignore", invalid="ignore"):
        values: npt.NDArray[np.float32] = np.ascontiguousarray(table, dtype=np.float32)
        if not (values.max(initial=0.0) <= _LARGEST_SAMPLE and values.min(initial=0.0) >= -_LARGEST_SAMPLE):
            raise BadAudio(DAMAGED)
    return values
