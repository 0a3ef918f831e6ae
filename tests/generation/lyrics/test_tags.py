from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.lyrics.tags import TAG, TAGS, Vendor, tags_for
from tests.generation.lyrics.sections import section_types

VENDORS: tuple[Vendor, ...] = ("minimax", "mureka", "lyria", "plain")
NAMES = [" ".join(tag.words) for tag in TAGS]


@st.composite
def written_tags(draw: st.DrawFn) -> str:
    """A known tag in any of its spellings."""
    name = draw(st.sampled_from(NAMES)).replace(" ", draw(st.sampled_from([" ", "-", "", "\u3000"])))
    cased = draw(st.sampled_from([str.lower, str.upper, str.title]))(name)
    number = draw(st.sampled_from(["", "1", " 2", " 12 "]))
    opening, closing = draw(st.sampled_from([("[", "]"), ("【", "】")]))
    blank = draw(st.sampled_from(["", " "]))
    return f"{opening}{blank}{cased}{number}{blank}{closing}"


LYRICS = st.lists(
    st.one_of(
        written_tags(),
        st.text(alphabet="la 你好\n[]【】(-'12İſK", max_size=12),
        st.sampled_from(["[Ooh la la]", "【哦】", "[verse two]", "[Chorus", "Verse]", "[]", "[Verse\n]", "[ſolo]"]),
    ),
    max_size=8,
).map("".join)


@pytest.mark.parametrize(
    ("vendor", "spelled"),
    [
        ("minimax", "[Pre Chorus] [Post Chorus] [Build Up] [Hook] [Inst] [Verse 2]"),
        ("mureka", "[Pre-Chorus] [Chorus] [Pre-Chorus] [Chorus] [Break] [Verse 2]"),
        ("lyria", "[Pre-Chorus] [Post-Chorus] [Build-Up] [Hook] [Inst] [Verse 2]"),
        ("plain", "[Pre-Chorus] [Post-Chorus] [Build-Up] [Hook] [Inst] [Verse 2]"),
    ],
)
def test_each_vendor_has_its_spelling(vendor: Vendor, spelled: str) -> None:
    assert tags_for(vendor, "【pre-chorus】 [POSTCHORUS] [build up] [ hook ] [inst] 【verse2】") == spelled


def test_fourteen_names_open_seven_sections() -> None:
    types = [section_types(f"[{name}]")[0] for name in NAMES]

    assert dict(zip(NAMES, types, strict=True)) == {
        "Intro": "intro",
        "Verse": "verse",
        "Pre Chorus": "pre-chorus",
        "Chorus": "chorus",
        "Interlude": "break",
        "Bridge": "bridge",
        "Outro": "outro",
        "Post Chorus": "chorus",
        "Transition": "break",
        "Break": "break",
        "Hook": "chorus",
        "Build Up": "pre-chorus",
        "Inst": "break",
        "Solo": "break",
    }


@pytest.mark.parametrize(
    "text", ["[Ooh la la]", "【哦】", "[Verse】", "[Verse two]", "[Chorus", "[ſolo]", "[Verse\n2]"]
)
def test_anything_else_in_brackets_is_sung(text: str) -> None:
    assert [tags_for(vendor, text) for vendor in VENDORS] == [text] * len(VENDORS)


@given(LYRICS, st.sampled_from(VENDORS))
def test_words_stay_and_sections_stay(lyrics: str, vendor: Vendor) -> None:
    translated = tags_for(vendor, lyrics)

    assert TAG.split(translated)[:: TAG.groups + 1] == TAG.split(lyrics)[:: TAG.groups + 1]
    assert section_types(translated) == section_types(lyrics)
    assert re.findall(r"\d+", translated) == re.findall(r"\d+", lyrics)


@given(LYRICS, st.sampled_from(VENDORS))
def test_translated_twice_is_translated_once(lyrics: str, vendor: Vendor) -> None:
    once = tags_for(vendor, lyrics)

    assert tags_for(vendor, once) == once


@given(LYRICS, st.sampled_from(["lyria", "plain"]))
def test_the_way_back_loses_no_tag(lyrics: str, between: Vendor) -> None:
    assert tags_for("minimax", tags_for(between, lyrics)) == tags_for("minimax", lyrics)
