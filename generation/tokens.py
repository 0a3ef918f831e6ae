"""How many tokens a song comes to: for prices per 1,000 tokens, and on the wires.

The upstream's own count goes before ours, which is for upstreams that do not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from generation.contract import SongRequest, Tokens

BYTES_PER_TOKEN: Final = 4
TOKENS_PER_SECOND: Final = 25


@dataclass(frozen=True, slots=True)
class Made:
    """A take as far as its price goes. `tokens` as the upstream counted them; None where it did not."""

    milliseconds: int
    tokens: Tokens | None = None
    route: int | None = None
    """The mapping that made it; None: the one that was ordered."""


def tokens_of(song: SongRequest, lyrics: str | None, takes: Sequence[Made]) -> Tokens:
    """Of an order and of what was made of it; `lyrics` are those that were sung."""
    counted = [take.tokens for take in takes if take.tokens is not None]
    ours = [take.milliseconds for take in takes if take.tokens is None]
    prompt, candidates = sum(one.prompt for one in counted), sum(one.candidates for one in counted)
    if ours or not takes:
        prompt += prompt_tokens(song)
    return Tokens(prompt, candidates + audio_tokens(ours, lyrics))


def shares_of(tokens: Tokens | None, takes: int) -> Iterator[Tokens | None]:
    """What each take of one answer came to; the shares are equal, but for what does not divide."""
    for take in range(takes):
        yield tokens and Tokens(_share(tokens.prompt, take, takes), _share(tokens.candidates, take, takes))


def prompt_tokens(song: SongRequest) -> int:
    """Of what was asked: four bytes of UTF-8 each, begun ones counted."""
    return _of_text(song.prompt) + _of_text(song.lyrics or "")


def audio_tokens(milliseconds: Sequence[int], lyrics: str | None) -> int:
    """Of what was made: 25 for each begun second of every take, and its lyrics."""
    return sum(TOKENS_PER_SECOND * ceil(length / 1000) + _of_text(lyrics or "") for length in milliseconds)


def _share(whole: int, take: int, takes: int) -> int:
    return whole * (take + 1) // takes - whole * take // takes


def text_tokens(prompt: str, lyrics: str) -> int:
    """Of lyrics that were written for a song: what they were written from, and they themselves."""
    return _of_text(prompt) + _of_text(lyrics)


def _of_text(text: str) -> int:
    return ceil(len(text.encode(errors="replace")) / BYTES_PER_TOKEN)
