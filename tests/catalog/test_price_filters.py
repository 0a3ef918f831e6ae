from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from catalog.capabilities import BadValue
from catalog.price_filters import Ordered, matches, read_filters

ORDERED = Ordered(takes=2, duration_seconds=30.0, format="mp3", instrumental=False, upstream="rehearsal")


@pytest.mark.parametrize(
    ("filters", "is_match"),
    [
        ({}, True),
        ({"format": "mp3"}, True),
        ({"format": ["wav", "mp3"]}, True),
        ({"format": "wav"}, False),
        ({"takes": 2}, True),
        ({"takes": [2, 3]}, True),
        ({"takes": 1}, False),
        ({"duration_seconds": [0, 30]}, True),
        ({"duration_seconds": [30, 60]}, False),
        ({"instrumental": False}, True),
        ({"instrumental": True}, False),
        ({"upstream": "rehearsal"}, True),
        ({"upstream": "minimax"}, False),
        ({"format": "mp3", "takes": 3}, False),
    ],
)
def test_filters_match_when_all_of_them_do(filters: dict[str, Any], is_match: bool) -> None:
    assert matches(read_filters(filters), ORDERED) is is_match


def test_neighbouring_bands_share_no_length() -> None:
    just_over = replace(ORDERED, duration_seconds=30.1)

    assert matches({"duration_seconds": [30, 60]}, just_over)
    assert not matches({"duration_seconds": [0, 30]}, just_over)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"tempo": 1}, "unknown filter 'tempo'; known are duration_seconds, format, instrumental, takes, upstream"),
        ({"format": "midi"}, "format must be one or several of mp3, wav, flac, opus, m4a, pcm"),
        ({"format": []}, "format must be one or several of mp3, wav, flac, opus, m4a, pcm"),
        ({"takes": True}, "takes must be a number or [minimum, maximum]"),
        ({"takes": [3, 1]}, "takes must be a number or [minimum, maximum]"),
        ({"duration_seconds": 30}, "duration_seconds must be [above, up to] in seconds"),
        ({"instrumental": "yes"}, "instrumental must be true or false"),
        ({"upstream": ""}, "upstream must be the slug of an upstream"),
    ],
)
def test_filter_no_order_could_match_is_refused(filters: dict[str, Any], message: str) -> None:
    with pytest.raises(BadValue) as caught:
        read_filters(filters)

    assert str(caught.value) == message
