"""Whole frames from a stream that comes in any pieces."""

from __future__ import annotations

import random

import numpy as np
import pytest

from generation.audio.encode import encode
from generation.audio.samples import Samples
from generation.providers.mpeg_frames import Frame, FrameCutter, Kind
from tests.generation.audio.test_label import packets_sha256

STEREO = Kind(44_100, 2, 1152)


def mp3(seconds: float = 1.0, *, sample_rate: int = 44_100, channels: int = 2, bitrate: int = 128_000) -> bytes:
    moments = np.arange(int(seconds * sample_rate)) / sample_rate
    sine = (0.3 * np.sin(2 * np.pi * 220 * moments)).astype(np.float32)
    samples = Samples(np.stack([sine] * channels, axis=1), sample_rate)
    return encode(samples, "mp3", sample_rate=sample_rate, bitrate=bitrate, channels=channels, tags={"title": "x"})


def silent_frame(bitrate_index: int = 9, mode: int = 0x40) -> bytes:
    """A frame of MPEG-1 Layer III at 44.1 kHz; 9 is 128 kbit/s."""
    kbits = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128)[bitrate_index]
    size = 144 * kbits * 1000 // 44_100
    return bytes((0xFF, 0xFB, bitrate_index << 4, mode)).ljust(size, b"\x00")


def cut_in_pieces(data: bytes, sizes: list[int]) -> list[Frame]:
    cutter, frames, at = FrameCutter(), [], 0
    for size in sizes:
        frames += cutter.cut(data[at : at + size])
        at += size
    return frames + cutter.cut(data[at:])


@pytest.mark.parametrize("seed", range(5))
def test_frames_are_the_same_in_whatever_pieces_they_come(seed: int) -> None:
    data = mp3()
    sizes = random.Random(seed).choices((1, 2, 3, 5, 100, 417, 4096), k=2000)

    assert cut_in_pieces(data, sizes) == FrameCutter().cut(data)


def test_frames_of_a_file_are_all_its_sound_and_nothing_else() -> None:
    data = mp3()

    frames = FrameCutter().cut(data)

    whole = b"".join(frame.data for frame in frames)
    assert {frame.kind for frame in frames} == {STEREO}
    assert data.endswith(whole)
    assert data[: -len(whole)].startswith(b"ID3")
    assert sum(frame.seconds for frame in frames) == pytest.approx(1.0, abs=0.1)
    assert packets_sha256(whole, "mp3") == packets_sha256(data, "mp3")


@pytest.mark.parametrize(
    ("sample_rate", "channels", "bitrate", "kind"),
    [
        (48_000, 1, 64_000, Kind(48_000, 1, 1152)),
        (32_000, 2, 192_000, Kind(32_000, 2, 1152)),
        (22_050, 2, 64_000, Kind(22_050, 2, 576)),
        (16_000, 1, 32_000, Kind(16_000, 1, 576)),
        (11_025, 1, 32_000, Kind(11_025, 1, 576)),
    ],
)
def test_every_version_of_the_format_is_measured(sample_rate: int, channels: int, bitrate: int, kind: Kind) -> None:
    data = mp3(sample_rate=sample_rate, channels=channels, bitrate=bitrate)

    frames = FrameCutter().cut(data)

    assert {frame.kind for frame in frames} == {kind}
    assert data.endswith(b"".join(frame.data for frame in frames))


def test_half_a_frame_waits_for_its_rest() -> None:
    frame, cutter = silent_frame(), FrameCutter()

    assert cutter.cut(frame) == []
    assert cutter.cut(frame[:10]) == [Frame(STEREO, frame)]
    assert cutter.cut(frame[10:-1]) == []
    assert cutter.cut(frame[-1:]) == [Frame(STEREO, frame)]


def test_what_is_broken_is_left_out_and_the_rest_is_found_again() -> None:
    good, cutter = silent_frame(), FrameCutter()
    of_another_kind = silent_frame(mode=0xC0)

    frames = cutter.cut(good * 3 + b"\x00\xff\xfb" * 50 + of_another_kind * 2 + good * 3)

    assert frames == [Frame(STEREO, good)] * 6


def test_head_after_a_gap_is_not_believed_for_where_it_waited() -> None:
    good, cutter = silent_frame(), FrameCutter()

    cutter.cut(good * 2 + b"\x00" * 10 + good[:4])
    frames = cutter.cut(b"\x00" * 500 + good * 3)

    assert frames == [Frame(STEREO, good)] * 3


@pytest.mark.parametrize("junk", [b"\xff\xfb\x90\x40", b"\x00" * 40, b"\xff" * 40, b"RIFF....WAVEfmt "])
def test_stream_that_is_no_mp3_gives_nothing_and_is_not_kept(junk: bytes) -> None:
    cutter = FrameCutter()

    # A period that is no frame's size, so that no head is followed by another.
    assert [cutter.cut(junk + b"\x01\x02\x03") for _ in range(3000)] == [[]] * 3000
    assert len(cutter._buffer) < 3000


def test_frame_that_does_not_tell_its_size_is_none() -> None:
    free = bytes((0xFF, 0xFB, 0x00, 0x40)).ljust(417, b"\x00")
    layer_2 = bytes((0xFF, 0xFD, 0x90, 0x40)).ljust(417, b"\x00")
    no_rate = bytes((0xFF, 0xFB, 0x9C, 0x40)).ljust(417, b"\x00")

    assert [FrameCutter().cut(frame * 4) for frame in (free, layer_2, no_rate)] == [[], [], []]
