"""An order as one text, for upstreams that take nothing else: the prompt, what is wished, then the lyrics.

What is said in a text is a wish. The wishes are in the language of the order, and stand before the lyrics: what
follows a structure tag is sung.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from generation.contract import SongRequest
from generation.lyrics.tags import TAG, tags_for

FIRST_TAG: Final = "[Verse]"
"""Put before lyrics without a tag, which would be taken for a part of the prompt."""

_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA_OR_HANGUL: Final = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_LATIN_WORD: Final = re.compile(r"[A-Za-zÀ-ɏ]+")


def song_text(song: SongRequest) -> str:
    """The parts that are there, a blank line between them."""
    lyrics = tags_for("lyria", song.lyrics or "").strip()
    if lyrics and not TAG.match(lyrics):
        lyrics = f"{FIRST_TAG}\n{lyrics}"
    is_zh = is_chinese(song.prompt.strip() or lyrics)
    wishes = ("" if is_zh else " ").join(_wishes(song, is_zh=is_zh))
    return "\n\n".join(part for part in (song.prompt.strip(), wishes, lyrics) if part)


def is_chinese(text: str) -> bool:
    """Whether a text is Chinese rather than another language that names a few things in Chinese."""
    return not _KANA_OR_HANGUL.search(text) and len(_HAN.findall(text)) > len(_LATIN_WORD.findall(text))


def _wishes(song: SongRequest, *, is_zh: bool) -> Iterator[str]:
    if song.instrumental:
        yield "纯音乐，没有人声。" if is_zh else "Instrumental, no vocals."
    if song.duration_seconds is not None:
        seconds = f"{song.duration_seconds:g}"
        yield f"时长约{seconds}秒。" if is_zh else f"About {seconds} seconds long."
