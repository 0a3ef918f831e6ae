from __future__ import annotations

import pytest

from generation.contract import SongRequest
from generation.dialects.lyrics_text import split
from generation.providers.lyria.song_text import is_chinese, song_text

LYRICS = "[Verse]\nla la\n\n[Chorus]\nlo lo"


@pytest.mark.parametrize(
    ("song", "text"),
    [
        (SongRequest(prompt=" a song \n"), "a song"),
        (SongRequest(prompt="a song", lyrics=LYRICS), f"a song\n\n{LYRICS}"),
        (SongRequest(lyrics=f"\n{LYRICS}\n"), LYRICS),
        (SongRequest(prompt="a song", lyrics="la la\nlo lo"), "a song\n\n[Verse]\nla la\nlo lo"),
        (SongRequest(prompt="a song", lyrics="【Chorus】\nla"), "a song\n\n[Chorus]\nla"),
        (SongRequest(prompt="a song", lyrics="[softly] la"), "a song\n\n[Verse]\n[softly] la"),
        (SongRequest(prompt="a song", lyrics="[I will break you]"), "a song\n\n[Verse]\n[I will break you]"),
        (SongRequest(prompt="a song", lyrics="   "), "a song"),
        (SongRequest(prompt="a song", instrumental=True), "a song\n\nInstrumental, no vocals."),
        (SongRequest(prompt="a song", duration_seconds=90.0), "a song\n\nAbout 90 seconds long."),
        (SongRequest(prompt="a song", duration_seconds=12.5), "a song\n\nAbout 12.5 seconds long."),
        (
            SongRequest(prompt="a song", lyrics="[Verse]\nla", instrumental=True, duration_seconds=15.0),
            "a song\n\nInstrumental, no vocals. About 15 seconds long.\n\n[Verse]\nla",
        ),
        (
            SongRequest(prompt="一首关于夏天的歌", instrumental=True, duration_seconds=15.0),
            "一首关于夏天的歌\n\n纯音乐，没有人声。时长约15秒。",
        ),
        (SongRequest(lyrics="[Verse]\n夏天来了", duration_seconds=9.0), "时长约9秒。\n\n[Verse]\n夏天来了"),
    ],
)
def test_an_order_is_one_text(song: SongRequest, text: str) -> None:
    assert song_text(song) == text


def test_what_is_not_of_the_song_is_not_said() -> None:
    song = SongRequest(prompt="a song", title="Home", takes=3, format="flac", bitrate=128_000, watermark=True)

    assert song_text(song) == "a song"


@pytest.mark.parametrize("lyrics", [LYRICS, "la la\nlo lo", "[Hook]\nla"])
def test_a_reader_of_such_texts_tells_wishes_and_lyrics_apart(lyrics: str) -> None:
    read = split(song_text(SongRequest(prompt="a song", lyrics=lyrics, duration_seconds=15.0)))

    assert read.prompt == "a song\n\nAbout 15 seconds long."
    assert read.lyrics is not None
    assert read.lyrics.endswith(lyrics)


@pytest.mark.parametrize(
    ("text", "is_zh"),
    [
        ("夏天的歌", True),
        ("一首流行歌曲，pop rock 风格", True),
        ("upbeat pop in the manner of 周杰伦", False),
        ("夏の歌、楽しい", False),
        ("한국 노래 夏", False),
        ("chanson d'été", False),
        ("", False),
    ],
)
def test_wishes_are_in_chinese_where_the_order_is(text: str, is_zh: bool) -> None:
    assert is_chinese(text) == is_zh
