"""What was written is read back by small strict readers of each format."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.contract import Line, Section, Word
from generation.lyrics.cues import Cues, cues_of
from generation.lyrics.sheets import SHEETS, lrc, srt, vtt

Timed = tuple[int, int, str]
STAMP = r"(\d{2,}):([0-5]\d)\.(\d\d)"
CLOCK = r"(\d{2,}):([0-5]\d):([0-5]\d)[.,](\d{3})"
LINES = (
    Line(1_234, 3_456, "Walking down", (Word(1_234, 2_000, "Walking"), Word(2_100, 3_456, "down"))),
    Line(3_456, 5_000, "街灯微亮", tuple(Word(3_456 + 300 * n, 3_756 + 300 * n, c) for n, c in enumerate("街灯微亮"))),
    Line(9_990, 61_005, "Rock & <roll> --> 'n'"),
    Line(3_700_000, 3_700_500, "[Ooh la la]"),
)
LENGTH = 3_800_000


def hundredths(found: re.Match[str], first: int = 1) -> int:
    return int(found[first]) * 6000 + int(found[first + 1]) * 100 + int(found[first + 2])


def read_lrc(text: str) -> tuple[dict[str, str], list[Timed], dict[str, list[Timed]]]:
    """Header, lines, and the words of each line that has some; times in hundredths of a second."""
    head, _, body = text.partition("\n\n")
    tags = {name: told for line in head.split("\n") for name, told in re.findall(r"^\[([a-z]+):(.*)\]$", line)}
    assert len(tags) == len(head.split("\n"))
    moments, words = [], {}
    assert body.endswith("\n")
    for line in body[:-1].split("\n"):
        found = re.fullmatch(rf"\[{STAMP}\](.*)", line)
        assert found is not None, line
        pieces = re.findall(rf"<{STAMP}>([^<]*)", found[4])
        sung = "".join(piece for *_, piece in pieces) if pieces else found[4]
        starts = [int(m) * 6000 + int(s) * 100 + int(h) for m, s, h, _ in pieces]
        if pieces:
            assert pieces[-1][3] == ""
            ends = starts[1:]
            words[sung] = [(a, b, piece[3]) for a, b, piece in zip(starts, ends, pieces, strict=False)]
        moments.append((hundredths(found), sung))
    lines = [
        (start, following, sung)
        for (start, sung), (following, _) in zip(moments, [*moments[1:], (moments[-1][0], "")], strict=True)
        if sung
    ]
    return tags, lines, words


def milliseconds(found: tuple[str, ...]) -> int:
    hours, minutes, seconds, rest = (int(part) for part in found)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest


def read_cue_times(line: str, point: str) -> tuple[int, int]:
    found = re.fullmatch(rf"{CLOCK} --> {CLOCK}", line)
    assert found is not None, line
    assert line.count(point) == 2
    return milliseconds(found.groups()[:4]), milliseconds(found.groups()[4:])


def read_srt(text: str) -> list[Timed]:
    assert "\n" not in text.replace("\r\n", "")
    cues = []
    for number, block in enumerate(text.removesuffix("\r\n").split("\r\n\r\n"), start=1):
        count, times, sung = block.split("\r\n")
        assert int(count) == number
        cues.append((*read_cue_times(times, ","), sung))
    return cues


def read_vtt(text: str) -> tuple[list[str], list[Timed], dict[str, list[int]]]:
    """Notes, cues, and the times inside each cue that has some."""
    assert "\r" not in text
    signature, *blocks = text.removesuffix("\n").split("\n\n")
    assert signature == "WEBVTT"
    notes, cues, inside = [], [], {}
    for block in blocks:
        if block.startswith("NOTE"):
            notes.append(block)
            continue
        times, payload = block.split("\n")
        assert "-->" not in payload
        start, end = read_cue_times(times, ".")
        bare = re.sub(rf"<{CLOCK}>", "", payload)
        assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", bare), payload
        stamps = [milliseconds(found) for found in re.findall(rf"<{CLOCK}>", payload)]
        assert all(a < b for a, b in zip([start, *stamps], [*stamps, end], strict=True))
        cues.append((start, end, html.unescape(bare)))
        if stamps:
            inside[cues[-1][2]] = stamps
    return notes, cues, inside


def test_lrc_holds_every_line_and_its_end() -> None:
    tags, lines, _ = read_lrc(lrc(Cues(LINES), "Street [live]", LENGTH))

    assert tags == {"ti": "Street (live)", "length": "63:20", "re": "Tutti"}
    assert lines == [(line.start // 10, line.end // 10, line.text) for line in LINES]


def test_lrc_holds_the_words_where_they_are_known() -> None:
    *_, words = read_lrc(lrc(Cues(LINES), "", LENGTH))

    assert words == {
        "Walking down": [(123, 210, "Walking "), (210, 345, "down")],
        "街灯微亮": [(345, 375, "街"), (375, 405, "灯"), (405, 435, "微"), (435, 465, "亮")],
    }


def test_lrc_ends_a_line_where_the_next_begins() -> None:
    overlapping = Cues((Line(0, 5000, "one"), Line(3000, 6000, "two")))

    assert lrc(overlapping, "", 10_000).partition("\n\n")[2] == "[00:00.00]one\n[00:03.00]two\n[00:06.00]\n"


@pytest.mark.parametrize(("text", "written"), [("[00:10.00]x", "［00:10.00]x"), ("a <1:2> b", "a ＜1:2> b")])
def test_lrc_text_never_reads_as_a_time(text: str, written: str) -> None:
    assert f"[00:00.00]{written}\n" in lrc(Cues((Line(0, 100, text),)), "", 1000)


def test_srt_holds_every_line_overlaps_too() -> None:
    overlapping = (*LINES, Line(3_700_400, 3_700_900, "again"))

    assert read_srt(srt(Cues(overlapping), "", LENGTH)) == [
        (line.start, line.end, line.text.replace("-->", "->")) for line in overlapping
    ]


def test_vtt_holds_every_line_escaped_with_its_words() -> None:
    notes, cues, inside = read_vtt(vtt(Cues(LINES), "", LENGTH))

    assert (notes, cues) == ([], [(line.start, line.end, line.text) for line in LINES])
    assert inside == {"Walking down": [2_100], "街灯微亮": [3_756, 4_056, 4_356]}
    assert "Rock &amp; &lt;roll&gt; --&gt; 'n'" in vtt(Cues(LINES), "", LENGTH)


def test_words_that_are_not_those_of_the_line_are_left_out() -> None:
    line = Line(0, 1000, "hello there", (Word(0, 500, "other"),))

    assert lrc(Cues((line,)), "", 2000).endswith("[00:00.00]hello there\n[00:01.00]\n")
    assert vtt(Cues((line,)), "", 2000).endswith("\nhello there\n")


def test_estimated_times_say_so() -> None:
    estimated = Cues(LINES, is_estimated=True)

    assert read_lrc(lrc(estimated, "", LENGTH))[0]["re"] == "Tutti, estimated"
    assert read_vtt(vtt(estimated, "", LENGTH))[0][0].startswith("NOTE estimated\n")


def test_sheets_are_told_as_utf_8() -> None:
    assert {name: sheet.media_type for name, sheet in SHEETS.items()} == {
        "lrc": "text/plain; charset=utf-8",
        "srt": "application/x-subrip; charset=utf-8",
        "vtt": "text/vtt; charset=utf-8",
    }


TEXTS = st.text(alphabet="ab 你&<>-\n\r\u2028'", min_size=1, max_size=16)
TIMES = st.integers(min_value=0, max_value=400_000)


@given(st.lists(st.builds(Line, TIMES, TIMES, TEXTS), min_size=1, max_size=6), TIMES)
def test_any_lines_come_back(lines: list[Line], length: int) -> None:
    cues = cues_of((Section("verse", 0, 1, tuple(lines)),), None, length)
    if cues is None:
        return

    expected = [(line.start, line.end, line.text) for line in cues.lines]
    assert read_vtt(vtt(cues, "", length))[1] == expected
    assert read_srt(srt(cues, "", length)) == [(a, b, text.replace("-->", "->")) for a, b, text in expected]
    starts = [start for start, _, _ in read_lrc(lrc(cues, "", length))[1]]
    assert starts == [start // 10 for start, _, _ in expected] == sorted(starts)
