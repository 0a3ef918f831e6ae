from __future__ import annotations

import pytest

from generation.contract import Line, Section
from generation.providers.lyria.time_marks import without_marks

TIMED = """\
[0:00] [Intro]
[00:04.5] [Verse 1]
[0:05] la la la
[0:07.25] lo lo
[Chorus] (0:10 - 0:16)
one two
three four
"""


def test_marks_are_read_and_taken_out() -> None:
    lyrics, sections = without_marks(TIMED)

    assert lyrics == "[Intro]\n[Verse 1]\nla la la\nlo lo\n[Chorus]\none two\nthree four"
    assert sections == (
        Section("intro", 0, 4500),
        Section("verse", 4500, 10_000, (Line(5000, 7250, "la la la"), Line(7250, 10_000, "lo lo"))),
        # Seven letters and ten share the six seconds of their section.
        Section("chorus", 10_000, 16_000, (Line(10_000, 12_470, "one two"), Line(12_470, 16_000, "three four"))),
    )


@pytest.mark.parametrize(
    "text",
    ["[Verse]\nla la\n\n[Chorus]\nlo lo", "at 0:30 we meet\nla (0:10)", "[3] la", "[:] la", "", "Psalm [3:16] sung"],
)
def test_text_without_marks_is_left_as_it_is(text: str) -> None:
    assert without_marks(text) == (text, ())


@pytest.mark.parametrize(
    ("mark", "start"),
    [
        ("[0:07]", 7000),
        ("(0:07)", 7000),
        ("[00:07.5]", 7500),
        ("[00:07,250]", 7250),
        ("[01:02:03]", 3_723_000),
        ("[7.5:]", 7500),
        ("[ 0:07 ]", 7000),
        ("[0:07 -]", 7000),
    ],
)
def test_a_mark_may_be_written_in_many_ways(mark: str, start: int) -> None:
    assert without_marks(f"{mark} la") == (
        "la",
        (Section("verse", start, start + 4000, (Line(start, start + 4000, "la"),)),),
    )


@pytest.mark.parametrize("mark", ["[0:07-0:09]", "(0:07 – 0:09)", "[0:07~0:09.0]", "[7:9]", "[7.0:9.0]"])
def test_a_mark_may_tell_the_end(mark: str) -> None:
    [section] = without_marks(f"{mark} la").sections

    assert section == Section("verse", 7000, 9000, (Line(7000, 9000, "la"),))


def test_a_mark_alone_on_its_line_belongs_to_what_follows() -> None:
    marked = without_marks("[0:01]\n[Verse]\n\n(0:02)\nla\n[0:09]")

    assert marked == ("[Verse]\n\nla", (Section("verse", 1000, 6000, (Line(2000, 6000, "la"),)),))


def test_tag_and_words_on_one_line_are_parted() -> None:
    marked = without_marks("[0:01] [Hook] la la")

    assert marked.lyrics == "[Hook]\nla la"
    assert [(section.section_type, section.start) for section in marked.sections] == [("chorus", 1000)]


def test_line_that_tells_its_end_leaves_the_rest_to_those_after_it() -> None:
    [section] = without_marks("[0:00 - 0:02] la\nlo\n[0:06] li").sections

    assert section.lines == (Line(0, 2000, "la"), Line(2000, 6000, "lo"), Line(6000, 9000, "li"))


def test_lines_before_the_first_mark_share_the_time_from_the_start() -> None:
    [section] = without_marks("la\nlo\n[0:04] li").sections

    assert section.lines == (Line(0, 2000, "la"), Line(2000, 4000, "lo"), Line(4000, 6000, "li"))


def test_last_line_lasts_as_long_as_those_before_it_do() -> None:
    [section] = without_marks("[0:00] la\n[0:02] lo\n[0:06] li").sections

    assert section.lines[-1] == Line(6000, 9000, "li")


def test_section_that_tells_its_end_ends_before_the_next_begins() -> None:
    first, second = without_marks("[0:00 - 0:04] [Verse]\nla\n[0:06 - 0:08] [Bridge]\nlo").sections

    assert (first.start, first.end, first.lines) == (0, 4000, (Line(0, 4000, "la"),))
    assert (second.section_type, second.start, second.end) == ("bridge", 6000, 8000)


def test_marks_that_run_backwards_tell_nothing() -> None:
    assert without_marks("[0:05] la\n[0:02] lo") == ("la\nlo", ())


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("[Pre-Chorus 2]", "pre-chorus"),
        ("[Build Up]", "pre-chorus"),
        ("[Post Chorus]", "chorus"),
        ("[Guitar Solo]", "break"),
        ("[Instrumental]", "break"),
        ("【Bridge】", "bridge"),
        ("[OUTRO]", "outro"),
        ("[Verse2]", "verse"),
    ],
)
def test_tags_are_told_by_their_words(tag: str, kind: str) -> None:
    marked = without_marks(f"{tag} [0:00 - 0:01]\nla")

    assert (marked.lyrics, [section.section_type for section in marked.sections]) == (f"{tag}\nla", [kind])


def test_other_words_in_brackets_are_sung() -> None:
    [section] = without_marks("[0:00 - 0:01] [softly] la").sections

    assert section.lines == (Line(0, 1000, "[softly] la"),)
