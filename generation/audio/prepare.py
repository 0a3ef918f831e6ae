"""The whole audio step of a take: from what an upstream sent to the file a customer gets."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from generation.audio.decode import MAX_DURATION_SECONDS, Probe, probe, read
from generation.audio.encode import encode
from generation.audio.formats import FORMATS, PCM_BITS, legal_bitrate, legal_sample_rate
from generation.audio.quality import judge
from generation.audio.relabel import relabel
from generation.audio.samples import Samples
from generation.audio.watermark import watermarked
from generation.contract import AudioFormat

# What comes in but is not sold goes out as its nearest relative.
_NEAREST_FORMAT: dict[str, AudioFormat] = {"vorbis": "opus", "aac": "m4a"}
# The average of an encoder that is free to choose differs from its order by this much without being another order.
_BITRATE_TOLERANCE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How the audio was ordered: hertz, bits per second, 1 or 2 channels. None: as it came."""

    format: AudioFormat | None = None
    sample_rate: int | None = None
    bitrate: int | None = None
    channels: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A deliverable file and what it measures: hertz, bits per second, milliseconds, bytes; `sha256` in hex.

    `renditions` are the same audio in other formats.
    """

    audio: bytes
    format: AudioFormat
    sample_rate: int
    channels: int
    bitrate: int
    duration_ms: int
    size: int
    sha256: str
    renditions: tuple[Prepared, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """What the delivered file will be, every value one its format can carry."""

    format: AudioFormat
    sample_rate: int
    bitrate: int | None
    channels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """What came and was judged: its bytes, what they hold, and the samples that are delivered."""

    raw: bytes
    probe: Probe
    samples: Samples
    is_changed: bool
    """The samples are not what the bytes decode to: a mark was added."""


def prepare(
    raw: bytes,
    *,
    wanted: Wanted,
    promised_seconds: float | None,
    tags: Mapping[str, str],
    watermark: bool = False,
    max_duration_seconds: float = MAX_DURATION_SECONDS,
    renditions: Collection[AudioFormat] = (),
) -> Prepared:
    """Decode, judge, transcode where the order asks for it, tag, measure. Raises BadAudio.

    Audio that already is as ordered keeps its packets; only its tags change. `renditions` are formats to make besides,
    of the same samples; the ordered one is not made again.
    """
    came, samples = read(raw, max_duration_seconds=max_duration_seconds)
    judge(samples, promised_seconds)
    heard = watermarked(samples) if watermark else samples
    source = _Source(raw=raw, probe=came, samples=heard, is_changed=watermark)
    ordered = _made(source, wanted, tags, max_duration_seconds)
    others = (
        # A bitrate is ordered for one format, and says nothing of another.
        _made(source, replace(wanted, format=other, bitrate=None), tags, max_duration_seconds)
        for other in renditions
        if other != ordered.format
    )
    return replace(ordered, renditions=tuple(others))


def _made(source: _Source, wanted: Wanted, tags: Mapping[str, str], max_duration_seconds: float) -> Prepared:
    target = _target(wanted, source.probe)
    if not source.is_changed and _is_as_ordered(source.probe, target, wanted):
        return _measured(relabel(source.raw, tags), target, max_duration_seconds)
    return _measured(_encoded(source.samples, target, tags), target, max_duration_seconds)


def _encoded(samples: Samples, target: _Target, tags: Mapping[str, str]) -> bytes:
    return encode(
        samples,
        target.format,
        sample_rate=target.sample_rate,
        bitrate=target.bitrate,
        channels=target.channels,
        tags=tags,
    )


def _target(wanted: Wanted, came: Probe) -> _Target:
    audio_format = wanted.format or _format_as_it_came(came)
    channels = wanted.channels or came.channels
    sample_rate = legal_sample_rate(audio_format, wanted.sample_rate or came.sample_rate)
    own_bitrate = came.bitrate if came.format == audio_format else FORMATS[audio_format].bitrate
    ordered = wanted.bitrate or own_bitrate or 0
    bitrate = legal_bitrate(audio_format, ordered, sample_rate=sample_rate, channels=channels)
    return _Target(format=audio_format, sample_rate=sample_rate, bitrate=bitrate, channels=channels)


def _format_as_it_came(came: Probe) -> AudioFormat:
    known: dict[str, AudioFormat] = {name: name for name in FORMATS}
    return (known | _NEAREST_FORMAT)[came.format]


def _is_as_ordered(came: Probe, target: _Target, wanted: Wanted) -> bool:
    shape = came.format, came.sample_rate, came.channels
    if shape != (target.format, target.sample_rate, target.channels):
        return False
    # A WAV of 24 bits or floats stays one unless WAV was ordered: ours has 16.
    if wanted.format and came.codec != FORMATS[target.format].codec:
        return False
    if FORMATS[target.format].bitrate is None or wanted.bitrate is None or target.bitrate is None:
        return True
    return abs(came.bitrate - target.bitrate) <= _BITRATE_TOLERANCE * target.bitrate


def _measured(audio: bytes, target: _Target, max_duration_seconds: float) -> Prepared:
    """Every number is taken from the finished file; headless PCM has only its length to tell."""
    is_headless = target.format == "pcm"
    found = _pcm_probe(audio, target) if is_headless else probe(audio, max_duration_seconds=max_duration_seconds)
    return Prepared(
        audio=audio,
        format=target.format,
        sample_rate=found.sample_rate,
        channels=found.channels,
        bitrate=found.bitrate,
        duration_ms=found.duration_ms,
        size=len(audio),
        sha256=hashlib.sha256(audio).hexdigest(),
    )


def _pcm_probe(audio: bytes, target: _Target) -> Probe:
    bits_per_second = target.sample_rate * target.channels * PCM_BITS
    return Probe(
        format="pcm",
        codec="pcm_s16le",
        sample_rate=target.sample_rate,
        channels=target.channels,
        bitrate=bits_per_second,
        duration_ms=round(1000 * 8 * len(audio) / bits_per_second),
    )
