"""How many tokens a song comes to where its upstream does not say: for prices per 1,000 tokens, and on the wires."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

from generation.contract import SongRequest

BYTES_PER_TOKEN: Final = 4
TOKENS_PER_SECOND: Final = 25


def prompt_tokens(song: SongRequest) -> int:
    """Of what was asked: four bytes of UTF-8 each, begun ones counted."""
    return _of_text(song.prompt) + _of_text(song.lyrics or "")


def audio_tokens(milliseconds: Sequence[int], lyrics: str | None) -> int:
    """Of what was made: 25 for each begun second of every take, and its lyrics."""
    return sum(TOKENS_PER_SECOND * ceil(length / 1000) + _of_text(lyrics or "") for length in milliseconds)


def text_tokens(prompt: str, lyrics: str) -> int:
    """Of lyrics that were written for a song: what they were written from, and they themselves."""
    return _of_text(prompt) + _of_text(lyrics)


def _of_text(text: str) -> int:
    return ceil(len(text.encode(errors="replace")) / BYTES_PER_TOKEN)
