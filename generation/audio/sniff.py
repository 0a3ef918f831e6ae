"""What a file is by its first bytes, and whether it ends where it says.

The demuxer is chosen here and named to FFmpeg, so its own guessing (playlists, scripts, images) never runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from generation.audio.bad_audio import BadAudio
from generation.audio.id3_tags import tag_bytes

_NOT_AUDIO = "This is not audio in a format that is taken: MP3, WAV, FLAC, Ogg (Opus or Vorbis), M4A or AAC."
_CUT_SHORT = "The audio file is damaged: it is cut short."
_XING_REACH_BYTES = 64
_ENDLESS_RIFF = (0, 0x7FFF_0000)
_MPEG_SYNC, _MPEG_LAYER, _ADTS_SYNC = 0xFFE0, 0x0006, 0xFFF0
_OGG_FLAGS_AT = 5
_OGG_LAST_PAGE = 0x04


@dataclass(frozen=True, slots=True)
class Container:
    """A container that is read. `codecs` are the only decoders FFmpeg may open for it."""

    demuxer: str
    codecs: frozenset[str]


MP3 = Container("mp3", frozenset({"mp3float", "mp3"}))
WAV = Container("wav", frozenset({"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"}))
FLAC = Container("flac", frozenset({"flac"}))
OGG = Container("ogg", frozenset({"opus", "libopus", "vorbis", "libvorbis"}))
MPEG_4 = Container("mov", frozenset({"aac"}))
ADTS = Container("aac", frozenset({"aac"}))


def container_of(audio: bytes) -> Container:
    """The container of a file, by its bytes. Raises BadAudio for anything outside the closed list."""
    head = audio[:12]
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return WAV
    if head[4:8] == b"ftyp":
        return MPEG_4
    if head[:4] in _BY_MAGIC:
        return _BY_MAGIC[head[:4]]
    return _elementary_stream(audio[tag_bytes(audio) :][:2])


_BY_MAGIC = {b"fLaC": FLAC, b"OggS": OGG}


def _elementary_stream(sync: bytes) -> Container:
    """MP3 and ADTS begin with eleven set bits; ADTS has a twelfth, and layer 0."""
    bits = int.from_bytes(sync, "big")
    if bits & _MPEG_SYNC == _MPEG_SYNC and bits & _MPEG_LAYER:
        return MP3
    if bits & (_ADTS_SYNC | _MPEG_LAYER) == _ADTS_SYNC:
        return ADTS
    raise BadAudio(_NOT_AUDIO)


def require_whole(audio: bytes, container: Container) -> None:
    """Raise BadAudio where the frame around the audio shows that the end is missing."""
    if container is WAV and _is_riff_cut(audio):
        raise BadAudio(_CUT_SHORT)
    if container is OGG and not _has_last_page(audio):
        raise BadAudio(_CUT_SHORT)


def _is_riff_cut(audio: bytes) -> bool:
    # Encoders that write to a pipe cannot go back, and leave zero or a huge number for the size.
    size = int.from_bytes(audio[4:8], "little")
    unknown, huge = _ENDLESS_RIFF
    return unknown < size < huge and size + 8 > len(audio) + 1


def _has_last_page(audio: bytes) -> bool:
    page = audio.rfind(b"OggS")
    flags = audio[page + _OGG_FLAGS_AT : page + _OGG_FLAGS_AT + 1]
    return bool(flags) and bool(flags[0] & _OGG_LAST_PAGE)


def declares_duration(audio: bytes, container: Container) -> bool:
    """Whether the file itself says how long it is, so that FFmpeg's duration is no estimate from a bitrate."""
    if container is MP3:
        start = tag_bytes(audio)
        head = audio[start : start + _XING_REACH_BYTES]
        return b"Xing" in head or b"Info" in head
    return container is not ADTS
