"""ID3v2.4 tags in front of an elementary stream (MP3, ADTS), every byte of which stays as it is.

Written here and not by FFmpeg's muxer: that one would also write the file's first frame anew (where the encoder's
delay is kept), and shift the song by 12 ms if the frame had named no delay. Source: id3.org, "ID3 tag version 2.4.0".
"""

from __future__ import annotations

from collections.abc import Mapping

HEADER_BYTES = 10

_FRAMES = {"title": b"TIT2", "artist": b"TPE1", "album": b"TALB"}
_UTF_8 = b"\x03"
_VERSION_1_BYTES = 128


def tag_bytes(audio: bytes) -> int:
    """Length of the leading ID3v2 tags, of which careless programs leave several; 0 where there is none."""
    end = 0
    while audio[end : end + 3] == b"ID3" and len(audio) >= end + HEADER_BYTES:
        size = 0
        for byte in audio[end + 6 : end + HEADER_BYTES]:
            size = size << 7 | byte & 0x7F
        end += HEADER_BYTES + size
    return end


def with_tags(audio: bytes, tags: Mapping[str, str]) -> bytes:
    """The stream with exactly these tags; older ones at its front and its end are dropped."""
    end = len(audio) - (_VERSION_1_BYTES if audio[-_VERSION_1_BYTES:][:3] == b"TAG" else 0)
    return _tag(tags) + audio[tag_bytes(audio) : end]


def _tag(tags: Mapping[str, str]) -> bytes:
    frames = b"".join(_frame(key, value) for key, value in tags.items())
    return b"ID3\x04\0\0" + _seven_bits(len(frames)) + frames if frames else b""


def _frame(key: str, value: str) -> bytes:
    if key in _FRAMES:
        name, body = _FRAMES[key], _UTF_8 + value.encode()
    else:
        name, body = b"TXXX", _UTF_8 + key.encode() + b"\0" + value.encode()
    return name + _seven_bits(len(body)) + b"\0\0" + body


def _seven_bits(size: int) -> bytes:
    """ID3 keeps the eighth bit of a size clear, lest a decoder take it for the start of a frame."""
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
