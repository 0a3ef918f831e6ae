from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.dialects.digits import digits_of, id_of

JOB = "01890a5d-ac96-774b-bcce-b302099a8057"


def test_an_id_in_digits_is_the_number_it_is() -> None:
    assert digits_of(JOB) == "2040782911132661522235942288014082135"
    assert id_of("2040782911132661522235942288014082135") == JOB


@given(st.uuids().filter(lambda one: one.int > 0))
def test_digits_read_back_as_the_id(one: uuid.UUID) -> None:
    digits = digits_of(str(one))

    assert (digits.isdigit(), id_of(digits)) == (True, str(one))


@pytest.mark.parametrize(
    "text",
    [
        *("", "0", "-1", "+1", " 1", "1 ", "1\n", "007", "1.0", "1e9", "1_000", "file-1", JOB, "１２３", "٣"),
        *("1" * 5000, str(2**128), "9" * 39),
    ],
)
def test_what_no_id_is_written_as_reads_as_none(text: str) -> None:
    assert id_of(text) is None


def test_the_highest_id_has_digits() -> None:
    assert id_of(str(2**128 - 1)) == "ffffffff-ffff-ffff-ffff-ffffffffffff"


def test_what_is_no_uuid_has_no_digits() -> None:
    with pytest.raises(ValueError, match="badly formed"):
        digits_of("file-1")
