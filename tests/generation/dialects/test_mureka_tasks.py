from __future__ import annotations

import pytest

from generation.contract import Line, Word
from generation.dialects.mureka_tasks import words_of


def line(text: str, *words: str) -> Line:
    return Line(0, 100 * len(words), text, tuple(Word(100 * n, 100 * n + 100, word) for n, word in enumerate(words)))


@pytest.mark.parametrize(
    ("text", "given", "told"),
    [
        ("Float song", ("Float", "song"), ["Float ", "song"]),
        ("Float song", ("Float ", "song"), ["Float ", "song"]),
        ("la la  la", ("la", "la", "la"), ["la ", "la  ", "la"]),
        ("春天 来了", ("春", "天", "来", "了"), ["春", "天 ", "来", "了"]),
        ("Float, song!", ("Float", "song"), ["Float", "song"]),
        ("Float song", ("FLOAT", "song"), ["FLOAT", "song"]),
        ("Float song", (), []),
    ],
)
def test_words_keep_the_space_that_follows_them(text: str, given: tuple[str, ...], told: list[str]) -> None:
    words = list(words_of(line(text, *given)))

    assert [word["text"] for word in words] == told
    assert [(word["start"], word["end"]) for word in words] == [(100 * n, 100 * n + 100) for n in range(len(given))]
