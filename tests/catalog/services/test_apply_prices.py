from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import Organization
from catalog.models import Price, PriceProgram
from catalog.offers.entries import PriceEntry
from catalog.services.apply_prices import apply_prices
from tests.catalog.market import LONG_AGO, add_price

pytestmark = pytest.mark.both_databases

NOW = datetime(2027, 1, 1, tzinfo=UTC)
SOON = NOW + timedelta(days=30)
LATER = NOW + timedelta(days=60)


@pytest.fixture
def program(platform: Organization) -> PriceProgram:
    return PriceProgram.objects.create(owner=platform, slug="aria", name="Aria")


def entry(amount: int, **fields: Any) -> PriceEntry:
    plain: dict[str, Any] = {"line": 1, "unit": "song", "filters": {}, "begins": None, "ends": None}
    return PriceEntry(**plain | fields, amount_micro=amount)


def apply(program: PriceProgram, *rows: PriceEntry, at: datetime = NOW) -> list[str]:
    return apply_prices(program=program, rows=rows, at=at)


def rows(program: PriceProgram) -> list[tuple[int, datetime, datetime | None]]:
    return [(row.amount_micro, row.valid_from, row.valid_until) for row in program.prices.order_by("valid_from", "pk")]


def test_new_price_begins_now(program: PriceProgram) -> None:
    changes = apply(program, entry(1_500_000))

    assert changes == ["prices aria: 1.50 credits per song begins"]
    assert rows(program) == [(1_500_000, NOW, None)]


def test_same_price_changes_nothing(program: PriceProgram) -> None:
    apply(program, entry(5))

    assert apply(program, entry(5), at=SOON) == []
    assert rows(program) == [(5, NOW, None)]


def test_changed_price_ends_the_old_row_and_begins_a_new_one(program: PriceProgram) -> None:
    add_price(program, "song", 1_500_000)

    changes = apply(program, entry(1_600_000))

    assert changes == ["prices aria: 1.50 -> 1.60 credits per song"]
    assert rows(program) == [(1_500_000, LONG_AGO, NOW), (1_600_000, NOW, None)]


def test_price_that_is_not_listed_ends(program: PriceProgram) -> None:
    add_price(program, "song", 5)
    add_price(program, "second", 7)

    changes = apply(program, entry(5))

    assert changes == ["prices aria: 0.000007 credits per second ended"]
    assert sorted(rows(program), key=str) == sorted([(5, LONG_AGO, None), (7, LONG_AGO, NOW)], key=str)


def test_other_filters_are_another_price(program: PriceProgram) -> None:
    apply(program, entry(5), entry(6, filters={"format": "wav"}))

    changes = apply(program, entry(5), entry(7, filters={"format": "wav"}), at=SOON)

    assert changes == ['prices aria: 0.000006 -> 0.000007 credits per song {"format": "wav"}']


def test_price_of_the_future_ends_the_present_one_when_it_begins(program: PriceProgram) -> None:
    add_price(program, "song", 5)

    changes = apply(program, entry(5), entry(6, begins=SOON))

    assert changes == [
        f"prices aria: 0.000005 credits per song until {SOON.isoformat()}",
        f"prices aria: 0.000006 credits per song begins at {SOON.isoformat()}",
    ]
    assert rows(program) == [(5, LONG_AGO, SOON), (6, SOON, None)]


def test_file_with_a_future_price_stays_true_after_its_day(program: PriceProgram) -> None:
    file = [entry(5), entry(6, begins=SOON)]
    apply(program, *file)

    assert apply(program, *file) == []
    assert apply(program, *file, at=LATER) == []
    assert rows(program) == [(5, NOW, SOON), (6, SOON, None)]


def test_price_of_the_future_may_still_be_altered_and_dropped(program: PriceProgram) -> None:
    apply(program, entry(5), entry(6, begins=SOON))

    altered = apply(program, entry(5), entry(7, begins=SOON))
    assert altered == [f"prices aria: 0.000007 credits per song from {SOON.isoformat()} without an end"]
    assert rows(program) == [(5, NOW, SOON), (7, SOON, None)]

    dropped = apply(program, entry(5))
    assert dropped == [
        "prices aria: 0.000005 credits per song without an end",
        f"prices aria: 0.000007 credits per song from {SOON.isoformat()} dropped before it began",
    ]
    assert rows(program) == [(5, NOW, None)]


def test_price_that_has_ended_in_the_file_is_not_begun(program: PriceProgram) -> None:
    assert apply(program, entry(5, ends=NOW)) == []
    assert rows(program) == []


def test_price_changed_twice_in_one_moment_leaves_no_row_without_time(program: PriceProgram) -> None:
    apply(program, entry(5))
    apply(program, entry(6))

    assert rows(program) == [(6, NOW, None)]


def test_of_several_rows_in_force_the_leftovers_end(program: PriceProgram) -> None:
    add_price(program, "song", 4)
    add_price(program, "song", 5, valid_from=LONG_AGO + timedelta(days=1))

    changes = apply(program, entry(5))

    assert changes == ["prices aria: 0.000004 credits per song ended, a later one was in force"]
    assert Price.objects.valid_at(NOW).get(program=program).amount_micro == 5
