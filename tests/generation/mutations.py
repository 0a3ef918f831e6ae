"""Files spoilt on purpose, the same ones every time: each number is another spoilt file."""

from __future__ import annotations

import functools
import io
import random
import zipfile
import zlib
from collections.abc import Callable, Mapping

Spoil = Callable[[bytes, random.Random], bytes]


def mutated(sources: Mapping[str, bytes], number: int) -> tuple[str, bytes]:
    """The kind of the file that was spoilt, and what became of it."""
    dice = random.Random(number)
    kind = list(sources)[number % len(sources)]
    spoil = SPOILS[number // len(sources) % len(SPOILS)]
    return kind, spoil(sources[kind], dice)


def _flip(data: bytes, dice: random.Random) -> bytes:
    spoilt = bytearray(data)
    for _ in range(dice.choice((1, 8, 64, 512))):
        spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
    return bytes(spoilt)


def _flip_the_head(data: bytes, dice: random.Random) -> bytes:
    spoilt = bytearray(data)
    for _ in range(dice.choice((1, 4, 16))):
        spoilt[dice.randrange(8, min(512, len(spoilt)))] = dice.randrange(256)
    return bytes(spoilt)


def _cut(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data))]


def _splice(data: bytes, dice: random.Random) -> bytes:
    first, second = sorted(dice.randrange(len(data)) for _ in range(2))
    return data[:second] + data[first:]


def _hole(data: bytes, dice: random.Random) -> bytes:
    first, second = sorted(dice.randrange(len(data)) for _ in range(2))
    return data[:first] + bytes(second - first) + data[second:]


def _huge_sizes(data: bytes, dice: random.Random) -> bytes:
    """Numbers of four bytes that promise more than there is."""
    spoilt = bytearray(data)
    for _ in range(dice.choice((1, 3, 12))):
        place = dice.randrange(4, max(5, min(len(spoilt) - 4, 4_000)))
        spoilt[place : place + 4] = dice.choice(
            (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\xff\xff\xff", b"\0\0\0\0")
        )
    return bytes(spoilt)


def _other_head(data: bytes, dice: random.Random) -> bytes:
    heads = (
        b"MThd\0\0\0\x06\0\1\0\1",
        b"ID3\x04\0\0\x7f\x7f\x7f\x7f",
        b"\0\0\0\x20ftypM4A ",
        b"RIFF",
        b"PK\x03\x04",
        b"OggS",
    )
    return dice.choice(heads) + data[dice.choice((0, 12, 200)) :]


def _noise(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.choice((4, 12, 48))] + dice.randbytes(dice.choice((10, 1_000, 100_000)))


def _archive(data: bytes, dice: random.Random) -> bytes:
    """A few kilobytes that unpack to megabytes, plain or behind the magic of a song."""
    return dice.choice((b"", data[:64])) + dice.choice(_archives())


@functools.cache
def _archives() -> tuple[bytes, bytes]:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("song.mp3", bytes(4_000_000))
    return target.getvalue(), zlib.compress(bytes(4_000_000))


def _boxes(data: bytes, dice: random.Random) -> bytes:
    """MPEG-4 boxes: nested without end, or tables of four thousand million entries."""
    head = (20).to_bytes(4, "big") + b"ftypM4A " + bytes(8)
    if dice.random() < 0.5:
        box = b""
        for _ in range(dice.choice((50, 2_000))):
            box = (len(box) + 8).to_bytes(4, "big") + dice.choice((b"moov", b"trak", b"mdia", b"udta")) + box
        return head + box
    table = dice.choice((b"stsz", b"stts", b"stsc", b"stco", b"ctts"))
    place = data.find(table)
    if place < 0:
        return head + (16).to_bytes(4, "big") + table + bytes(8)
    return data[: place + 8] + b"\xff\xff\xff\xf0" * 2 + data[place + 16 :]


def _midi_nonsense(data: bytes, dice: random.Random) -> bytes:
    track = dice.randbytes(dice.choice((3, 300, 30_000)))
    header = b"MThd\0\0\0\x06" + dice.choice((b"\0\0", b"\0\1", b"\0\2")) + dice.choice((b"\0\1", b"\xff\xff"))
    division = dice.choice((b"\x01\xe0", b"\0\0", b"\xe7\x28", b"\x80\0"))
    return header + division + b"MTrk" + len(track).to_bytes(4, "big") + track


SPOILS: tuple[Spoil, ...] = (
    *(_flip, _flip_the_head, _cut, _splice, _hole, _huge_sizes),
    *(_other_head, _noise, _archive, _boxes, _midi_nonsense),
)
