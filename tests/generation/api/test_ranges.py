from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.api.ranges import Part, Unsatisfiable, part_of


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", Part(0, 0)),
        ("bytes=0-", Part(0, 99)),
        ("bytes=10-19", Part(10, 19)),
        ("bytes=90-1000", Part(90, 99)),
        ("bytes=-10", Part(90, 99)),
        ("bytes=-1000", Part(0, 99)),
        ("bytes = 0-1", Part(0, 1)),
        ("", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=0-1,3-4", None),
        ("seconds=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_a_range_of_a_hundred_bytes(header, part):
    assert part_of(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_the_file_cannot_be_satisfied(header):
    with pytest.raises(Unsatisfiable):
        part_of(header, 100)


def test_an_empty_file_has_no_part():
    with pytest.raises(Unsatisfiable):
        part_of("bytes=0-", 0)


@given(st.text(), st.integers(min_value=0, max_value=10**9))
def test_a_part_always_lies_in_the_file(header, size):
    try:
        part = part_of(f"bytes={header}", size)
    except Unsatisfiable:
        return
    assert part is None or 0 <= part.first <= part.last < size
