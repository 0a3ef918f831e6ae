"""What a file is uploaded for, and the rule each purpose has: formats, the shortest and the longest audio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from generation.audio.bad_audio import BadAudio

MOST_BYTES: Final = 20_000_000
MOST_MIDI_BYTES: Final = 1_000_000
HEAD_BYTES: Final = 12
"""So many bytes tell what a file claims to be."""

_MPEG_SYNC, _MPEG_LAYER = 0xFFE0, 0x0006
_SPELLED: Final = {"mp3": "MP3", "m4a": "M4A", "mid": "MIDI"}
_AUDIO: Final = ("mp3", "m4a")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a purpose takes. Longer audio is trimmed; shorter is refused."""

    formats: tuple[str, ...] = _AUDIO
    shortest_seconds: float
    longest_seconds: float

    def __str__(self) -> str:
        formats = [_SPELLED[name] for name in self.formats]
        return f"{', '.join(formats[:-1])} or {formats[-1]} with {self._length} of sound"

    @property
    def _length(self) -> str:
        if not self.shortest_seconds:
            return f"up to {self.longest_seconds:g} seconds"
        if self.shortest_seconds == self.longest_seconds:
            return f"at least {self.shortest_seconds:g} seconds"
        return f"{self.shortest_seconds:g} to {self.longest_seconds:g} seconds"


RULES: Final[dict[str, Rule]] = {
    "reference": Rule(shortest_seconds=30, longest_seconds=30),
    "vocal": Rule(shortest_seconds=15, longest_seconds=30),
    "melody": Rule(formats=(*_AUDIO, "mid"), shortest_seconds=5, longest_seconds=60),
    "instrumental": Rule(shortest_seconds=30, longest_seconds=30),
    "voice": Rule(shortest_seconds=5, longest_seconds=15),
    # Beyond the last point at which a song may be continued there is nothing to lean on.
    "audio": Rule(shortest_seconds=0, longest_seconds=480),
}


def format_of(head: bytes) -> str | None:
    """What the first bytes of a file claim: mp3, m4a or mid; None for anything else. No name is asked."""
    if head[4:8] == b"ftyp":
        return "m4a"
    if head[:4] == b"MThd":
        return "mid"
    sync = int.from_bytes(head[:2], "big")
    is_mpeg = sync & _MPEG_SYNC == _MPEG_SYNC and sync & _MPEG_LAYER
    return "mp3" if is_mpeg or head[:3] == b"ID3" else None


def claimed_format(head: bytes, size: int, purpose: str) -> str:
    """The format a file will be read as. Raises BadAudio, with the rule, where the purpose takes no such file."""
    found, rule = format_of(head), RULES[purpose]
    if found not in rule.formats:
        raise BadAudio(f"A file for {purpose} must be {rule}.")
    if found == "mid" and size > MOST_MIDI_BYTES:
        raise BadAudio(f"A MIDI file may have at most {MOST_MIDI_BYTES:,} bytes.")
    return found
