"""MPEG audio, Layer III, cut at the borders of its frames while it comes (ISO/IEC 11172-3 and 13818-3).

What is no frame is left out: tags in front of the sound, what is broken, half a frame at the end.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_HEAD_BYTES: Final = 4
_FIRST: Final = b"\xff"
_SYNC: Final = 0xFFE0
_MPEG_1, _MPEG_2 = 3, 2
_NO_VERSION, _LAYER_3, _NO_RATE = 1, 1, 3
_MONO: Final = 3
_MPEG_1_KBITS: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_LATER_KBITS: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MPEG_1_RATES: Final = (44_100, 48_000, 32_000)


class Kind(NamedTuple):
    """What all frames of one stream have in common; hertz, 1 or 2 channels, samples of one channel in a frame."""

    sample_rate: int
    channels: int
    samples: int


class Frame(NamedTuple):
    """One whole frame with its head."""

    kind: Kind
    data: bytes

    @property
    def seconds(self) -> float:
        return self.kind.samples / self.kind.sample_rate


class _Head(NamedTuple):
    kind: Kind
    size: int


class FrameCutter:
    """Takes a stream in whatever pieces it comes, and gives its whole frames.

    A first frame is believed when another of its kind follows it; so is one after a gap. It keeps less than two frames.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._kind: Kind | None = None
        self._is_in_step = False
        """Whether the buffer begins where the last frame ended."""

    def cut(self, data: bytes) -> list[Frame]:
        """The frames that are whole by now."""
        self._buffer += data
        frames: list[Frame] = []
        at = 0
        while True:
            start, head = self._search(at)
            self._is_in_step = self._is_in_step and start == at
            if head is None:
                break
            at = start + head.size
            self._kind, self._is_in_step = head.kind, True
            frames.append(Frame(head.kind, bytes(self._buffer[start:at])))
        del self._buffer[:start]
        return frames

    def _search(self, at: int) -> tuple[int, _Head | None]:
        """Where the next whole frame begins, and its head; else where to search on once more has come."""
        end = len(self._buffer) - _HEAD_BYTES + 1
        # What comes may be no music at all, and long: only bytes that can begin a head are looked at.
        start = at - 1
        while (start := self._buffer.find(_FIRST, start + 1, max(at, end))) >= 0:
            head = self._head(start)
            if head is None:
                continue
            follower = start + head.size
            if self._is_in_step and start == at:
                return start, head if follower <= len(self._buffer) else None
            if follower >= end:
                return start, None
            if self._head(follower, head.kind) is not None:
                return start, head
        return max(at, end), None

    def _head(self, start: int, kind: Kind | None = None) -> _Head | None:
        """The head that stands here, if it is of this kind, or of the stream's where that is known."""
        head = _head_in(self._buffer[start : start + _HEAD_BYTES])
        return head if head is not None and (kind or self._kind) in (None, head.kind) else None


def _head_in(four: bytes | bytearray) -> _Head | None:
    """The head of a Layer III frame; None for anything else, and for a frame that does not tell its size."""
    if int.from_bytes(four[:2], "big") & _SYNC != _SYNC:
        return None
    version, layer = four[1] >> 3 & 3, four[1] >> 1 & 3
    bitrate_index, rate_index, padding = four[2] >> 4, four[2] >> 2 & 3, four[2] >> 1 & 1
    if version == _NO_VERSION or layer != _LAYER_3 or bitrate_index in (0, 15) or rate_index == _NO_RATE:
        return None
    is_mpeg_1 = version == _MPEG_1
    rate = _MPEG_1_RATES[rate_index] // (1 if is_mpeg_1 else 2 if version == _MPEG_2 else 4)
    bitrate = 1000 * (_MPEG_1_KBITS if is_mpeg_1 else _LATER_KBITS)[bitrate_index]
    samples = 1152 if is_mpeg_1 else 576
    kind = Kind(rate, 1 if four[3] >> 6 == _MONO else 2, samples)
    return _Head(kind, samples // 8 * bitrate // rate + padding)
