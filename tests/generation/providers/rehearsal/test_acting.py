from __future__ import annotations

import pytest

from generation.providers.rehearsal.acting import Acting, acted_error, read_acting


@pytest.mark.parametrize(
    ("prompt", "acting"),
    [
        ("a song", Acting("a song")),
        ("fail:timeout a song", Acting("a song", failure="timeout")),
        ("  FAIL:Rate_Limit, a song", Acting("a song", failure="rate_limit")),
        ("fail:cut", Acting("", failure="cut")),
        ("slow:5 a song", Acting("a song", wait_seconds=5.0)),
        ("slow:0.25 a song", Acting("a song", wait_seconds=0.25)),
        ("slow:9999 a song", Acting("a song", wait_seconds=600.0)),
        ("slow:2 fail:empty a song", Acting("a song", wait_seconds=2.0, failure="empty")),
        ("a song fail:timeout", Acting("a song fail:timeout")),
        ("fail:timeouts a song", Acting("fail:timeouts a song")),
        ("fail:unknown a song", Acting("fail:unknown a song")),
        ("fail:empty slow:2 a song", Acting("slow:2 a song", failure="empty")),
        ("slow:-1 a song", Acting("slow:-1 a song")),
    ],
)
def test_only_the_first_word_acts(prompt: str, acting: Acting) -> None:
    assert read_acting(prompt) == acting


@pytest.mark.parametrize(
    ("failure", "code", "seen", "retryable", "retry_after"),
    [
        ("timeout", "upstream_error", "unknown", False, None),
        ("rate_limit", "upstream_error", "not_made", True, 1.0),
        ("refused", "content_policy", "not_made", False, None),
        ("cut", "upstream_error", "unknown", False, None),
        ("empty", "upstream_error", "not_made", True, None),
    ],
)
def test_each_failure_says_what_is_known(failure, code: str, seen: str, retryable: bool, retry_after) -> None:
    error = acted_error(failure)

    assert (error.code, error.seen, error.retryable, error.retry_after) == (code, seen, retryable, retry_after)
    assert error.message.endswith(".")
