from __future__ import annotations

import pytest

from generation.contract import SongRequest, Tokens
from generation.tokens import Made, shares_of, tokens_of

SONG = SongRequest(prompt="x" * 9, lyrics="y" * 4)  # three tokens and one


@pytest.mark.parametrize(
    ("takes", "tokens"),
    [
        ([], Tokens(4, 0)),
        ([Made(1001)], Tokens(4, 2 * 25 + 1)),
        ([Made(1000), Made(1)], Tokens(4, 2 * (25 + 1))),
        ([Made(1001, Tokens(14, 3199))], Tokens(14, 3199)),
        ([Made(1, Tokens(14, 100)), Made(1, Tokens(14, 200))], Tokens(28, 300)),
        ([Made(1, Tokens(14, 100)), Made(1000)], Tokens(18, 126)),
    ],
)
def test_count_of_the_upstream_goes_before_ours(takes: list[Made], tokens: Tokens) -> None:
    assert tokens_of(SONG, "y" * 4, takes) == tokens


@pytest.mark.parametrize("takes", [1, 2, 3, 7])
def test_shares_are_equal_and_nothing_is_lost(takes: int) -> None:
    shares = [share for share in shares_of(Tokens(14, 3199), takes) if share is not None]

    assert len(shares) == takes
    assert (sum(share.prompt for share in shares), sum(share.candidates for share in shares)) == (14, 3199)
    assert max(share.candidates for share in shares) - min(share.candidates for share in shares) <= 1


def test_what_was_not_counted_has_no_shares() -> None:
    assert list(shares_of(None, 2)) == [None, None]
