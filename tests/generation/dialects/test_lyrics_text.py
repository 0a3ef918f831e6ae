from __future__ import annotations

import pytest

from generation.contract import Section
from generation.dialects.lyrics_text import Words, joined, split, structure_of


@pytest.mark.parametrize(
    "text", ["A slow waltz", "A song with a [Verse] in it", "[Laughs] a waltz", "[Verse two]\nla", ""]
)
def test_text_without_a_tag_at_the_start_of_a_line_is_all_prompt(text):
    assert split(text) == (text, None)


@pytest.mark.parametrize(
    "tag",
    [
        *(
            "[Verse]",
            "[verse]",
            "[VERSE 2]",
            "[ Verse2 ]",
            "【Verse】",
            "【 verse 12 】",
            "[Pre Chorus]",
            "[pre-chorus]",
        ),
        *("[PreChorus]", "[Post Chorus]", "[Build Up]", "[Intro]", "[Chorus]", "[Interlude]", "[Bridge]", "[Outro]"),
        *("[Transition]", "[Break]", "[Hook]", "[Inst]", "[Solo]"),
    ],
)
def test_lines_under_a_tag_are_lyrics(tag):
    assert split(f"A waltz\n{tag}\nla la\n\nlo lo\n") == ("A waltz", f"{tag}\nla la\n\nlo lo")


def test_words_may_follow_a_tag_on_its_line():
    assert split("A waltz\n  [Verse] la la") == ("A waltz", "[Verse] la la")


def test_text_that_begins_with_a_tag_has_no_prompt():
    assert split("\n[Verse]\nla la") == ("", "[Verse]\nla la")


def test_line_ends_of_other_systems_are_line_ends():
    assert split("A waltz\r\n[Verse]\rla la") == ("A waltz", "[Verse]\nla la")


def test_tag_is_not_found_across_lines():
    assert split("A waltz [\nVerse]\nla") == ("A waltz [\nVerse]\nla", None)


def test_parts_are_joined_by_blank_lines_and_empty_ones_left_out():
    assert joined([" A waltz\n", None, "", " \n", "slow"]) == "A waltz\n\nslow"


def test_structure_is_a_line_for_each_section():
    sections = (Section("intro", 0, 10), Section("pre-chorus", 10, 20))

    assert (structure_of(sections), structure_of(())) == ("[Intro]\n[Pre-Chorus]", None)


def test_tag_that_never_closes_is_read_in_one_pass() -> None:
    # Two runs of spaces beside an optional number would be tried in every way: minutes for this text.
    endless = "[verse" + " " * 99_900 + "x"

    assert split(endless) == Words(endless, None)
