"""Timed lyrics as files: LRC (with the times of words where they are known), SubRip and WebVTT. UTF-8, no mark."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from generation.contract import Line, Word
from generation.lyrics.cues import Cues

SheetFormat = Literal["lrc", "srt", "vtt"]
ESTIMATED: Final = "estimated"
MADE_BY: Final = "Tutti"
_NOTE: Final = "These times are estimated from the words and the length of the song."
_LOOKS_TIMED: Final = re.compile(r"[\[<](?=\s*\d+:)")
_FULL_WIDTH: Final = {"[": "［", "<": "＜"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file format: what browsers are told it is, and how cues are written in it."""

    media_type: str
    write: Callable[[Cues, str, int], str]


def lrc(cues: Cues, title: str, duration_ms: int) -> str:
    """Lines as `[mm:ss.xx]text`; words as `<mm:ss.xx>word`; an empty line where nothing is sung for a while.

    LRC knows no end of a line: it ends where the next one begins, or at an empty one. Hundredths of a second.
    """
    maker = f"{MADE_BY}, {ESTIMATED}" if cues.is_estimated else MADE_BY
    head = [f"[ti:{title.replace('[', '(').replace(']', ')')}]"] if title else []
    head += [f"[length:{_minutes(duration_ms)[:-3]}]", f"[re:{maker}]", ""]
    return "\n".join([*head, *_lrc_lines(cues.lines)]) + "\n"


def srt(cues: Cues, title: str, duration_ms: int) -> str:
    """Numbered cues with a comma in their times; CRLF, as its first program wrote it. There is no room for a note."""
    blocks = [
        f"{number}\r\n{_clock(line.start, ',')} --> {_clock(line.end, ',')}\r\n{line.text.replace('-->', '->')}\r\n"
        for number, line in enumerate(cues.lines, start=1)
    ]
    return "\r\n".join(blocks)


def vtt(cues: Cues, title: str, duration_ms: int) -> str:
    """Cues with the times of words inside them, where they are known."""
    blocks = ["WEBVTT", *([f"NOTE {ESTIMATED}\n{_NOTE}"] if cues.is_estimated else [])]
    blocks += [f"{_clock(line.start, '.')} --> {_clock(line.end, '.')}\n{_vtt_text(line)}" for line in cues.lines]
    return "\n\n".join(blocks) + "\n"


SHEETS: Final[dict[SheetFormat, Sheet]] = {
    "lrc": Sheet("text/plain; charset=utf-8", lrc),
    "srt": Sheet("application/x-subrip; charset=utf-8", srt),
    "vtt": Sheet("text/vtt; charset=utf-8", vtt),
}


def _lrc_lines(lines: Sequence[Line]) -> Iterator[str]:
    following = [line.start // 10 for line in lines[1:]] + [None]
    for line, follows in zip(lines, following, strict=True):
        yield f"[{_minutes(line.start)}]{_lrc_text(line)}"
        if follows is None or line.end // 10 < follows:
            yield f"[{_minutes(line.end)}]"


def _lrc_text(line: Line) -> str:
    pieces = pieces_of(line)
    if pieces is None:
        return _untimed(line.text)
    sung = "".join(f"<{_minutes(word.start)}>{_untimed(text)}" for word, text in pieces)
    return f"{sung}<{_minutes(pieces[-1][0].end)}>"


def _untimed(text: str) -> str:
    """What a reader would take for a time is written with a bracket of full width."""
    return _LOOKS_TIMED.sub(lambda found: _FULL_WIDTH[found[0]], text)


def _vtt_text(line: Line) -> str:
    pieces = pieces_of(line)
    if pieces is None:
        return _escaped(line.text)
    text, latest = "", line.start
    for word, piece in pieces:
        # A time inside a cue must lie between its neighbours; one that does not says nothing.
        if latest < word.start < line.end:
            text, latest = f"{text}<{_clock(word.start, '.')}>", word.start
        text += _escaped(piece)
    return text


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def pieces_of(line: Line) -> list[tuple[Word, str]] | None:
    """The text of a line cut before each of its words; None where its words are not those of its text."""
    places, reached = [], 0
    for word in line.words:
        place = line.text.find(word.text, reached)
        if place < 0:
            return None
        places.append(place)
        reached = place + len(word.text)
    if not places:
        return None
    cuts = [0, *places[1:], len(line.text)]
    return [(word, line.text[start:end]) for word, (start, end) in zip(line.words, pairwise(cuts), strict=True)]


def _minutes(milliseconds: int) -> str:
    """`mm:ss.xx`, cut to the hundredth: never later than what is meant."""
    minutes, rest = divmod(milliseconds // 10, 6000)
    return f"{minutes:02}:{rest // 100:02}.{rest % 100:02}"


def _clock(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"
