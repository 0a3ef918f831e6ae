from __future__ import annotations

import pytest

from generation.providers.rehearsal.lyrics import read_stanzas, read_syllables


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("street", 1), ("Walking", 2), ("beautiful", 3), ("the", 1), ("table", 2), ("loved", 1), ("wanted", 2),
        ("makes", 1), ("roses", 2), ("apple", 2), ("rhythm.", 1), ("don't", 1), ("hmm", 1), ("2026", 4),
        ("你", 1), ("世界", 2), ("ありがとう", 5), ("사랑", 2), ("—", 0), ("!", 0),
    ],
)  # fmt: skip
def test_syllables_are_counted_as_sung(word: str, count: int) -> None:
    assert len(read_syllables(word)) == count


@pytest.mark.parametrize(
    ("tag", "section_type"),
    [
        ("[Intro]", "intro"), ("[VERSE]", "verse"), ("[Verse 2]", "verse"), ("[Verse2]", "verse"),
        ("[Pre Chorus]", "pre-chorus"), ("[pre-chorus]", "pre-chorus"), ("【Chorus】", "chorus"),
        ("[ Hook ]", "chorus"),
        ("[Post Chorus]", "chorus"), ("[Interlude]", "break"), ("[Transition]", "break"), ("[Inst]", "break"),
        ("[Solo 1]", "break"), ("[Break]", "break"), ("[Build Up]", "pre-chorus"), ("[Bridge]", "bridge"),
        ("【outro】", "outro"),
    ],
)  # fmt: skip
def test_every_tag_opens_its_section(tag: str, section_type: str) -> None:
    (stanza,) = read_stanzas(f"{tag}\nla la")

    assert (stanza.section_type, [line.text for line in stanza.lines]) == (section_type, ["la la"])


def test_anything_else_in_brackets_is_sung() -> None:
    (stanza,) = read_stanzas("[Verse]\n[Ooh la la]\n(yeah)\n[Verse】")

    assert [line.text for line in stanza.lines] == ["[Ooh la la]", "(yeah)", "[Verse】"]


def test_a_tag_may_share_its_line_with_words() -> None:
    verse, chorus = read_stanzas("[Verse] hello there [Chorus] bye")

    assert [line.text for line in (*verse.lines, *chorus.lines)] == ["hello there", "bye"]


def test_words_before_the_first_tag_are_a_verse() -> None:
    assert [stanza.tag for stanza in read_stanzas("hello\n[Chorus]\nbye")] == ["verse", "chorus"]


def test_lyrics_without_tags_become_verse_and_chorus_in_turn() -> None:
    stanzas = read_stanzas("one\n\ntwo\n  \nthree")

    assert [stanza.tag for stanza in stanzas] == ["intro", "verse", "chorus", "verse", "outro"]


@pytest.mark.parametrize("lyrics", ["", " \n\n ", "--- !!"])
def test_nothing_to_sing_gives_no_stanza(lyrics: str) -> None:
    assert read_stanzas(lyrics) == ()
