from __future__ import annotations

import pytest

from generation.api.prefer import Preference, preference


@pytest.mark.parametrize(
    ("header", "read"),
    [
        ("", Preference()),
        ("respond-async", Preference(0, "respond-async")),
        ("Respond-Async", Preference(0, "respond-async")),
        ("wait=60", Preference(60, "wait=60")),
        ("wait = 60", Preference(60, "wait=60")),
        ('wait="60"', Preference(60, "wait=60")),
        ("respond-async, wait=10", Preference(10, "wait=10")),
        ("handling=lenient, wait=600; x=1", Preference(600, "wait=600")),
        ("wait=0", Preference()),
        ("wait=601", Preference()),
        ("wait=-1", Preference()),
        ("wait=ten", Preference()),
        ("return=minimal", Preference()),
    ],
)
def test_the_header_is_read_as_its_standard_says(header, read):
    assert preference(header) == read
