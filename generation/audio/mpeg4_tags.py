"""Tags of an MPEG-4 file as players read them: `moov/udta/meta/ilst`, free names as `----` atoms.

FFmpeg's muxer writes either the well-known atoms or, with `use_metadata_tags`, QuickTime keys that most players do not
show; it never writes freeform atoms. So the item list is written here (QuickTime File Format, "Metadata").
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

_WELL_KNOWN = {"title": b"\xa9nam", "artist": b"\xa9ART", "album": b"\xa9alb", "comment": b"\xa9cmt"}
_FREEFORM_OWNER = b"com.apple.iTunes"
_UTF_8 = 1
_ATOM_HEADER_BYTES = 8
_HANDLER = b"\0\0\0\0mdirappl" + b"\0" * 9


def with_tags(file: bytes, tags: Mapping[str, str]) -> bytes:
    """The file with exactly these tags.

    `file` comes from our own muxer, which puts `moov` last: it can grow without moving the audio it points to.
    """
    atoms = list(_atoms(file))
    name, start, end = atoms[-1]
    if name != b"moov":
        raise ValueError("The movie header must be the last atom of the file.")
    header = file[start + _ATOM_HEADER_BYTES : end]
    kept = [header[a:b] for child, a, b in _atoms(header) if child != b"udta"]
    return file[:start] + _atom(b"moov", *kept, *([_user_data(tags)] if tags else []))


def _user_data(tags: Mapping[str, str]) -> bytes:
    items = _atom(b"ilst", *(_item(key, value) for key, value in tags.items()))
    return _atom(b"udta", _atom(b"meta", b"\0\0\0\0", _atom(b"hdlr", b"\0\0\0\0" + _HANDLER), items))


def _item(key: str, value: str) -> bytes:
    data = _atom(b"data", struct.pack(">II", _UTF_8, 0), value.encode())
    if key in _WELL_KNOWN:
        return _atom(_WELL_KNOWN[key], data)
    owner = _atom(b"mean", b"\0\0\0\0", _FREEFORM_OWNER)
    return _atom(b"----", owner, _atom(b"name", b"\0\0\0\0", key.encode()), data)


def _atom(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", _ATOM_HEADER_BYTES + len(body)) + name + body


def _atoms(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each atom on one level."""
    at = 0
    while at + _ATOM_HEADER_BYTES <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < _ATOM_HEADER_BYTES:
            raise ValueError("An atom of the file has an impossible size.")
        yield data[at + 4 : at + 8], at, at + size
        at += size
