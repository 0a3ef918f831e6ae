from __future__ import annotations

import pytest

from generation.audio.bad_audio import BadAudio
from generation.audio.midi import Note, read_tune, trimmed, write_tune

QUARTER = b"\x83\x60"  # 480 ticks


def midi(*tracks: bytes, form: int = 1, division: bytes = b"\x01\xe0", count: int | None = None) -> bytes:
    header = form.to_bytes(2, "big") + (len(tracks) if count is None else count).to_bytes(2, "big") + division
    chunks = b"".join(b"MTrk" + len(track).to_bytes(4, "big") + track for track in tracks)
    return b"MThd\0\0\0\x06" + header + chunks


END = b"\0\xff\x2f\0"


def key(pitch: int, *, channel: int = 0, after: bytes = b"\0") -> bytes:
    """A quarter."""
    return after + bytes((0x90 | channel, pitch, 80)) + QUARTER + bytes((0x80 | channel, pitch, 0))


def test_what_is_written_is_read_again() -> None:
    tune = [Note(0, 500, 60), Note(500, 900, 72), Note(1200, 61_000, 36)]

    assert read_tune(write_tune(tune)) == tune


def test_quarters_last_half_a_second_until_a_tempo_is_named() -> None:
    slower = b"\0\xff\x51\x03" + (1_000_000).to_bytes(3, "big")

    assert read_tune(midi(key(60) + slower + key(62) + END)) == [Note(0, 500, 60), Note(500, 1500, 62)]


def test_tempo_of_one_track_holds_for_all() -> None:
    tempo = QUARTER + b"\xff\x51\x03" + (250_000).to_bytes(3, "big") + END

    assert read_tune(midi(tempo, key(60) + key(62) + END)) == [Note(0, 500, 60), Note(500, 750, 62)]


def test_frames_per_second_need_no_tempo() -> None:
    tune = read_tune(midi(key(60) + END, division=bytes((256 - 25, 40))))

    assert tune == [Note(0, 480, 60)]


def test_running_status_and_a_key_struck_without_force_are_read() -> None:
    track = b"\0\x90\x3c\x50" + QUARTER + b"\x3c\0" + b"\0\x3e\x50" + QUARTER + b"\x3e\0" + END

    assert read_tune(midi(track)) == [Note(0, 500, 60), Note(500, 1000, 62)]


def test_drums_and_the_rest_before_the_first_note_are_left_out() -> None:
    track = key(35, channel=9) + key(60, after=QUARTER) + END

    assert read_tune(midi(track)) == [Note(0, 500, 60)]


def test_highest_line_is_the_tune() -> None:
    chord = b"".join(b"\0" + bytes((0x90, pitch, 80)) for pitch in (48, 64, 55))
    higher = (
        QUARTER
        + b"\x90\x43\x50"
        + QUARTER
        + b"\x80\x43\0"
        + b"".join(b"\0" + bytes((0x80, pitch, 0)) for pitch in (48, 64, 55))
    )

    assert read_tune(midi(chord + higher + END)) == [Note(0, 500, 64), Note(500, 1000, 67)]


def test_note_that_never_ends_lasts_to_the_end_of_its_track() -> None:
    assert read_tune(midi(b"\0\x90\x3c\x50" + QUARTER + b"\xff\x2f\0")) == [Note(0, 500, 60)]


def test_tune_is_cut_in_the_middle_of_a_note() -> None:
    assert trimmed([Note(0, 500, 60), Note(500, 1000, 62), Note(1000, 1500, 64)], 700) == [
        Note(0, 500, 60),
        Note(500, 700, 62),
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MThd",
        midi(),
        midi(key(60) + END, form=2),
        midi(key(60) + END, count=2),
        midi(key(60) + END)[:-2],
        midi(key(60)),
        midi(b"\0\x3c\x50" + END),
        midi(b"\0\x90\x3c\xff" + END),
        midi(b"\xff\xff\xff\xff\x7f\x90\x3c\x50" + END),
        midi(b"\0\xff\x01\x7fab" + END),
        midi(b"\0\xf4" + END),
        midi(key(60) + END, division=b"\0\0"),
        midi(key(60) + END, division=b"\xe7\0"),
    ],
)
def test_damaged_file_is_refused(data: bytes) -> None:
    with pytest.raises(BadAudio, match="cannot be read to its end"):
        read_tune(data)


@pytest.mark.parametrize("track", [END, key(35, channel=9) + END, b"\0\x90\x3c\x50\0\x80\x3c\0" + END])
def test_file_without_a_note_is_refused(track: bytes) -> None:
    with pytest.raises(BadAudio, match="holds no notes"):
        read_tune(midi(track))


def test_file_of_too_many_notes_is_refused() -> None:
    with pytest.raises(BadAudio, match="more than 20,000 notes"):
        read_tune(midi((b"\0\x90\x3c\x50\x01\x80\x3c\0") * 20_001 + END))
