"""What the wire `mureka` tells of a task: its status, the songs it made, when each word is sung."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from generation.contract import Line, Section, SongRequest, Word
from generation.providers.downloads import is_link
from generation.providers.untrusted import is_path_safe, storable

SUCCEEDED, STREAMING = "succeeded", "streaming"
UNDER_WAY: Final = frozenset({"preparing", "queued", "running", STREAMING})
ENDED_BADLY: Final = frozenset({"failed", "timeouted", "cancelled"})

_MP3, _FLAC, _WAV = "url", "flac_url", "wav_url"
_LINKS: Final = {
    "wav": (_WAV, _FLAC, _MP3),
    "pcm": (_WAV, _FLAC, _MP3),
    "flac": (_FLAC, _WAV, _MP3),
    # Encoded anew by us, so from what has lost nothing yet.
    "opus": (_FLAC, _WAV, _MP3),
    "m4a": (_FLAC, _WAV, _MP3),
}
_SECTION_TYPES: Final = {
    **{name: name for name in ("intro", "verse", "pre-chorus", "chorus", "bridge", "break", "outro")},
    **dict.fromkeys(("interlude", "transition", "inst", "solo"), "break"),
    **dict.fromkeys(("hook", "post-chorus"), "chorus"),
    "build-up": "pre-chorus",
}
HIGHEST_MS: Final = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Choice:
    """One song of a task, read with tolerance: what is missing or of another type counts as not told."""

    fields: Mapping[str, Any]

    @property
    def id(self) -> str:
        return _id(self.fields.get("id")) or ""

    @property
    def stream_link(self) -> str | None:
        """Where the song can be heard while it is made."""
        return _link(self.fields.get("stream_url"))

    @property
    def sections(self) -> tuple[Section, ...]:
        return tuple(_section(found) for found in _objects(self.fields.get("lyrics_sections")))

    def link(self, song: SongRequest) -> str | None:
        """Where the file lies that is nearest to the order."""
        names = _LINKS.get(song.format or "mp3", (_MP3, _FLAC, _WAV))
        return next((link for name in names if (link := _link(self.fields.get(name)))), None)


@dataclass(frozen=True, slots=True)
class Task:
    """What an upstream says of a task; the `status` is empty where it says nothing."""

    fields: Mapping[str, Any]

    @property
    def id(self) -> str | None:
        """None for one that fits into no path."""
        return _id(self.fields.get("taskId") or self.fields.get("id"))

    @property
    def status(self) -> str:
        status = self.fields.get("status")
        return status.strip().lower() if isinstance(status, str) else ""

    @property
    def is_over(self) -> bool:
        """A word nobody described ends a task only together with the moment of its end."""
        if self.status in UNDER_WAY or not self.status:
            return False
        return self.status in {SUCCEEDED, *ENDED_BADLY} or bool(self.fields.get("finished_at"))

    @property
    def failed_reason(self) -> str:
        reason = self.fields.get("failed_reason")
        return reason if isinstance(reason, str) else ""

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The songs in their order; those without an index keep the order they came in."""
        found = enumerate(_objects(self.fields.get("choices")))
        return tuple(Choice(fields) for _, fields in sorted(found, key=_place))


def _place(entry: tuple[int, Mapping[str, Any]]) -> tuple[int, int]:
    place, fields = entry
    index = fields.get("index")
    return (index if isinstance(index, int) and not isinstance(index, bool) else place), place


# --- When each word is sung ---------------------------------------------------------------------------------------


def _section(fields: Mapping[str, Any]) -> Section:
    lines = tuple(_line(line) for line in _objects(fields.get("lines")))
    return Section(_section_type(fields.get("section_type"), has_words=bool(lines)), *_span(fields), lines)


def _section_type(told: Any, *, has_words: bool) -> str:
    name = "-".join(told.lower().replace("-", " ").split()) if isinstance(told, str) else ""
    return _SECTION_TYPES.get(name) or ("verse" if has_words else "break")


def _line(fields: Mapping[str, Any]) -> Line:
    words = tuple(Word(*_span(word), _text(word)) for word in _objects(fields.get("words")))
    return Line(*_span(fields), _text(fields), words)


def _span(fields: Mapping[str, Any]) -> tuple[int, int]:
    """Start and end; an end before the start is the start."""
    start = _milliseconds(fields.get("start"))
    return start, max(start, _milliseconds(fields.get("end")))


def _milliseconds(value: Any) -> int:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(min(max(value, 0), HIGHEST_MS)) if is_number else 0


def _text(fields: Mapping[str, Any]) -> str:
    text = fields.get("text")
    return storable(text) if isinstance(text, str) else ""


def _objects(value: Any) -> Iterable[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _link(value: Any) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    return text if is_link(text) else None


def _id(value: Any) -> str | None:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if is_path_safe(text) else None
