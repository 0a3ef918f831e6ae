from __future__ import annotations

import base64
import json

import pytest

from generation.dialects.musicgen import BYTES_OF_A_PIECE, MusicGen, completed, failed, frame, progressed


@pytest.mark.parametrize("size", [0, 1, 2, 3, BYTES_OF_A_PIECE - 1, BYTES_OF_A_PIECE, 2 * BYTES_OF_A_PIECE + 1])
def test_song_in_pieces_is_one_event_of_one_line(size: int) -> None:
    audio = bytes(number % 251 for number in range(size))

    sent = b"".join(completed(audio))

    assert sent == frame({"event": "completed", "audio": base64.b64encode(audio).decode()})
    assert sent.count(b"\n") == 2


def test_event_is_written_as_the_wire_shows_it() -> None:
    assert frame({"event": "start"}) == b'data: {"event": "start"}\n\n'
    assert frame(progressed(25.5)) == b'data: {"event": "progress", "progress": 25.5}\n\n'
    assert frame(failed("错误信息")) == 'data: {"event": "error", "message": "错误信息"}\n\n'.encode()


def test_text_of_several_lines_and_half_a_character_stay_on_one_line() -> None:
    assert frame(failed("a\r\nb\ud800")) == b'data: {"event": "error", "message": "a\\r\\nb?"}\n\n'


@pytest.mark.parametrize(("percent", "told"), [(-1, 0.0), (0, 0.0), (33, 33.0), (100, 100.0), (101, 100.0)])
def test_progress_is_a_float_from_0_to_100(percent: float, told: float) -> None:
    event = json.loads(json.dumps(progressed(percent)))

    assert (event, type(event["progress"])) == ({"event": "progress", "progress": told}, float)


@pytest.mark.parametrize(("description", "implied"), [("drums", ("instrumental",)), ("[Verse]\nla la", ())])
def test_music_without_words_is_ordered_by_the_nature_of_the_wire(description: str, implied: tuple[str, ...]) -> None:
    order = MusicGen().parse({"description": description}, {})

    assert (order.implied, order.wire_default, order.song.instrumental) == (implied, "musicgen", bool(implied))
