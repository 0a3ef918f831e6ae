from __future__ import annotations

import pytest

from generation.contract import LyricsRequest, WrittenLyrics
from generation.providers.rehearsal.editing import edit, parts_of
from generation.providers.rehearsal.subjects import names_han
from tests.generation.lyrics.sections import section_types

SONG = (
    "[Verse 1]\nThe tide is low\nThe lamps are lit\n\n"
    "[Chorus]\nOh harbour, hold me\n\n"
    "【Verse 2】\nThe ropes are wet\n\n"
    "[Chorus]\nOh harbour, hold me\n\n"
    "[Outro]\nGood night"
)


def edited(prompt: str, lyrics: str = SONG, **more: object) -> WrittenLyrics:
    return edit(LyricsRequest(prompt=prompt, lyrics=lyrics, is_edit=True, **more))  # type: ignore[arg-type]


def bodies(lyrics: str) -> list[tuple[str, str]]:
    return [(part.tag, part.body.strip()) for part in parts_of(lyrics)]


@pytest.mark.parametrize(
    ("prompt", "changed"),
    [
        ("Rewrite the chorus about the storm", [1, 3]),
        ("change the second verse: more ravens", [2]),
        ("Change verse 2, ravens please", [2]),
        ("a warmer verse", [0]),
        ("the last chorus should be about stars", [3]),
        ("改写副歌", [1, 3]),
        ("把第二段主歌改一下", [2]),
    ],
)
def test_section_that_is_named_is_rewritten_and_the_rest_kept(prompt: str, changed: list[int]) -> None:
    before, after = bodies(SONG), bodies(edited(prompt).lyrics)

    assert [tag for tag, _ in after] == [tag for tag, _ in before]
    assert [place for place in range(5) if after[place] != before[place]] == changed


def test_rewritten_section_is_about_what_the_prompt_names() -> None:
    assert "ravens" in bodies(edited("change the second verse: more ravens").lyrics)[2][1]


@pytest.mark.parametrize(
    ("prompt", "sections"),
    [
        ("add a bridge about snow", ["verse", "chorus", "verse", "chorus", "bridge", "outro"]),
        ("Rewrite the bridge", ["verse", "chorus", "verse", "chorus", "bridge", "outro"]),
        ("add an intro", ["intro", "verse", "chorus", "verse", "chorus", "outro"]),
        ("another verse", ["verse", "chorus", "verse", "chorus", "verse", "outro"]),
        ("a new outro", ["verse", "chorus", "verse", "chorus", "outro", "outro"]),
        ("rewrite the third verse", ["verse", "chorus", "verse", "chorus", "verse", "outro"]),
        ("make it about snow", ["verse", "chorus", "verse", "chorus", "bridge", "outro"]),
        ("续写", ["verse", "chorus", "verse", "chorus", "bridge", "outro"]),
    ],
)
def test_section_that_is_missing_is_added_in_its_place(prompt: str, sections: list[str]) -> None:
    after = edited(prompt).lyrics

    assert section_types(after) == sections
    assert [body for body in bodies(SONG) if body not in bodies(after)] == []


def test_whole_song_goes_on_with_a_verse() -> None:
    whole = SONG.replace("[Outro]", "[Bridge]\nAnd then\n\n[Outro]")

    assert section_types(edited("make it longer", whole).lyrics)[-3:] == ["bridge", "verse", "outro"]


def test_text_without_tags_is_kept_as_it_is_before_what_is_added() -> None:
    after = edited("a chorus about the moon", "first line\nsecond line")

    assert after.lyrics.startswith("first line\nsecond line\n\n[Chorus]\n")
    assert "moon" in after.lyrics


@pytest.mark.parametrize(
    ("prompt", "lyrics"), [("添加副歌,关于月亮", "[Verse]\nlow tide"), ("a chorus", "[Verse]\n街灯微亮")]
)
def test_text_stays_in_its_own_language(prompt: str, lyrics: str) -> None:
    added = bodies(edited(prompt, lyrics).lyrics)[1][1]

    own = [line for line in added.splitlines() if "月亮" not in line]
    assert {names_han(line) for line in own} == {names_han(lyrics)}


def test_same_order_is_the_same_edit_and_another_seed_another() -> None:
    assert edited("add a bridge", seed=1) == edited("add a bridge", seed=1)
    assert len({edited("add a bridge", seed=seed).lyrics for seed in range(5)}) > 1


def test_title_is_kept_or_the_first_line() -> None:
    assert edited("add a bridge", title="Harbour").title == "Harbour"
    assert edited("add a bridge").title == "The tide is low"
