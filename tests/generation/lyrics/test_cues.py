from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.contract import Line, Section, Word
from generation.lyrics.cues import Stanza, cues_of, stanzas_of
from generation.providers.rehearsal import compose

LYRICS = "[Intro]\n\n[Verse]\nWalking down the street\nFeeling the beat\n\n[Chorus]\nDancing in the sun\n[Outro]"
TEXTS = st.text(alphabet="abc 你好\n\r\x00\x1b[]<>&-", max_size=20)
TIMES = st.integers(min_value=-5_000, max_value=200_000)
LINES = st.builds(Line, TIMES, TIMES, TEXTS, st.lists(st.builds(Word, TIMES, TIMES, TEXTS), max_size=4).map(tuple))


def verse(*lines: Line) -> tuple[Section, ...]:
    return (Section("verse", 0, 10_000, lines),)


def test_lines_are_those_the_vendor_timed() -> None:
    lines = (Line(1000, 2000, "one", (Word(1000, 1500, "one"),)), Line(2000, 3000, "two"))

    cues = cues_of(verse(*lines), "[Verse]\nother words", 10_000)

    assert cues is not None
    assert (cues.lines, cues.is_estimated) == (lines, False)


@pytest.mark.parametrize("lyrics", [None, "", "\n \n", "[Verse]\n\n[Chorus]\n \t"])
def test_nothing_sung_has_no_cues(lyrics: str | None) -> None:
    assert cues_of((), lyrics, 10_000) is None
    assert cues_of((Section("intro", 0, 10_000),), lyrics, 10_000) is None


def test_overlapping_lines_stay_and_come_by_their_beginnings() -> None:
    cues = cues_of(verse(Line(3000, 5000, "two"), Line(1000, 4000, "one")), None, 10_000)

    assert cues is not None
    assert [(line.start, line.end, line.text) for line in cues.lines] == [(1000, 4000, "one"), (3000, 5000, "two")]


def test_what_lies_outside_the_track_is_brought_inside_or_left_out() -> None:
    cues = cues_of(verse(Line(-100, 500, "one"), Line(9_500, 12_000, "two"), Line(11_000, 12_000, "no")), None, 10_000)

    assert cues is not None
    assert [(line.start, line.end, line.text) for line in cues.lines] == [(0, 500, "one"), (9500, 10_000, "two")]


def test_line_is_shown_on_one_line_without_control_characters() -> None:
    cues = cues_of(verse(Line(0, 500, " a\r\nb\u2028c\x00\x1b[31m ")), None, 10_000)

    assert cues is not None
    assert [line.text for line in cues.lines] == ["a b c[31m"]


def test_estimate_goes_from_line_to_line_in_proportion_to_syllables() -> None:
    cues = cues_of((), LYRICS, 60_000)

    assert cues is not None
    assert cues.is_estimated
    assert [line.text for line in cues.lines] == ["Walking down the street", "Feeling the beat", "Dancing in the sun"]
    lengths = [line.end - line.start for line in cues.lines]
    assert lengths[0] > lengths[1]
    # Before the first word an intro is heard, after the last an outro.
    assert (cues.lines[0].start > 5_000, cues.lines[-1].end < 50_000) == (True, True)


def test_estimate_stays_inside_the_sections_that_are_known() -> None:
    sections = (
        Section("intro", 0, 8000),
        Section("verse", 8000, 30_000),
        Section("chorus", 30_000, 50_000),
        Section("outro", 50_000, 60_000),
    )

    cues = cues_of(sections, LYRICS, 60_000)

    assert cues is not None
    assert [(line.start, line.text) for line in cues.lines if line.start in (8000, 30_000)] == [
        (8000, "Walking down the street"),
        (30_000, "Dancing in the sun"),
    ]
    assert cues.is_estimated


def test_estimate_is_near_what_was_sung() -> None:
    sung = compose(prompt="pop", lyrics=LYRICS, seed=3, duration_seconds=None, instrumental=False)
    true = [line for section in sung.sections for line in section.lines]

    cues = cues_of((), LYRICS, round(len(sung.samples) / sung.sample_rate * 1000))

    assert cues is not None
    apart = [abs(line.start - heard.start) for line, heard in zip(cues.lines, true, strict=True)]
    assert max(apart) < 6_000


def test_chinese_counts_by_characters() -> None:
    cues = cues_of((), "[Verse]\n街灯微亮晚风轻抚影子拉长\n走", 60_000)

    assert cues is not None
    first, second = cues.lines
    assert first.end - first.start > 5 * (second.end - second.start)


def test_stanzas_hold_what_stands_under_each_tag() -> None:
    assert stanzas_of("before\n【verse 2】\n one \n\ntwo\n[Ooh]\n[Inst]") == [
        Stanza("verse", ("before",)),
        Stanza("verse", ("one", "two", "[Ooh]")),
        Stanza("break", ()),
    ]


@given(st.lists(LINES, max_size=6).map(tuple), TEXTS, st.integers(min_value=0, max_value=100_000))
def test_cues_always_lie_inside_the_track_and_go_forward(lines: tuple[Line, ...], lyrics: str, length: int) -> None:
    cues = cues_of((Section("verse", 0, 1000, lines),), lyrics, length)

    for line in cues.lines if cues else ():
        assert 0 <= line.start < line.end <= length
        assert line.text == line.text.strip() != ""
        moments = [line.start, *(moment for word in line.words for moment in (word.start, word.end)), line.end]
        assert moments == sorted(moments)
    assert all(one.start <= other.start for one, other in pairwise(cues.lines if cues else ()))
