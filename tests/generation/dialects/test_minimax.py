from __future__ import annotations

from datetime import timedelta

import pytest

from generation.dialects.minimax import CONVEYED
from generation.dialects.minimax_answers import cut
from generation.dialects.registry import MINIMAX
from generation.dialects.vocabulary import VOCABULARY


@pytest.mark.parametrize(("seconds", "count"), [(0.5, 4), (12, 4), (15, 5), (30, 10), (31, 11), (360, 120)], ids=str)
def test_a_song_is_cut_into_at_least_four_pieces_for_every_thirty_seconds(seconds: float, count: int) -> None:
    audio = bytes(range(256)) * 200

    pieces = list(cut(audio, round(1000 * seconds)))

    assert len(pieces) == count
    assert b"".join(pieces) == audio


def test_no_piece_ends_inside_a_sample() -> None:
    audio = bytes(range(250)) * 4

    pieces = list(cut(audio, 12_000, block_bytes=4))

    assert [len(piece) % 4 for piece in pieces] == [0, 0, 0, 0]
    assert b"".join(pieces) == audio


def test_even_a_tiny_file_is_cut_without_empty_pieces() -> None:
    assert list(cut(b"\x01\x02", 12_000)) == [b"\x01", b"\x02"]


def test_a_link_lives_a_day() -> None:
    assert MINIMAX.link_life == timedelta(hours=24)


def test_what_is_conveyed_is_documented() -> None:
    assert set(VOCABULARY) >= CONVEYED


def test_texts_reach_the_order_normalised() -> None:
    order = MINIMAX.parse({"model": "m", "lyrics": "e\u0301", "prompt": "【Verse】"}, {})

    assert (order.song.lyrics, order.song.prompt) == ("é", "【Verse】")
