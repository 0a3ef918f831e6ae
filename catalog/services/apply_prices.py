"""Brings the dated rows of a price program to what an offer file says, without ever rewriting a price in force."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from billing.money import in_credits
from catalog.models import Price, PriceProgram
from catalog.offers.entries import PriceEntry

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A price that shall be in force from `begins` (None: it is now) until `ends`."""

    entry: PriceEntry
    begins: datetime | None
    ends: datetime | None


def apply_prices(*, program: PriceProgram, rows: Iterable[PriceEntry], at: datetime) -> list[str]:
    """Make these rows the prices of the program from `at` on; a line for each change.

    A changed price ends the old row at `at` and begins a new one; a price that is not listed ends; a price that
    begins later may still be altered or dropped, because nobody was quoted it.
    """
    wanted, there = _wanted_by_key(rows, at), _there_by_key(program, at)
    changes: list[str] = []
    for key in sorted(wanted.keys() | there.keys()):
        in_force = [row for row in there[key] if row.valid_from <= at]
        to_come = {row.valid_from: row for row in there[key] if row.valid_from > at}
        now = next((one for one in wanted[key] if one.begins is None), None)
        changes += _settle_present(program, now, in_force, at)
        changes += _settle_future(program, [one for one in wanted[key] if one.begins is not None], to_come)
    return [f"prices {program.slug}: {change}" for change in changes]


def _wanted_by_key(rows: Iterable[PriceEntry], at: datetime) -> defaultdict[Key, list[_Wanted]]:
    groups: defaultdict[Key, list[PriceEntry]] = defaultdict(list)
    for row in rows:
        groups[_key(row.unit, row.filters)].append(row)
    return defaultdict(list, {key: list(_in_turn(group, at)) for key, group in groups.items()})


def _in_turn(group: list[PriceEntry], at: datetime) -> Iterator[_Wanted]:
    """The rows of one unit and filters one after the other: each ends, at the latest, where the next one begins."""
    group.sort(key=lambda row: row.begins or datetime.min.replace(tzinfo=at.tzinfo))
    for row, following in zip(group, [*group[1:], None], strict=True):
        bounds = [moment for moment in (row.ends, following.begins if following else None) if moment]
        ends = min(bounds, default=None)
        if ends is None or ends > at:
            is_later = row.begins is not None and row.begins > at
            yield _Wanted(row, row.begins if is_later else None, ends)


def _there_by_key(program: PriceProgram, at: datetime) -> defaultdict[Key, list[Price]]:
    groups: defaultdict[Key, list[Price]] = defaultdict(list)
    open_rows = Price.objects.filter(Q(valid_until=None) | Q(valid_until__gt=at), program=program)
    for row in open_rows.order_by("valid_from", "pk"):
        groups[_key(row.unit, row.filters)].append(row)
    return groups


def _key(unit: str, filters: dict[str, Any]) -> Key:
    return unit, json.dumps(filters, sort_keys=True)


def _settle_present(
    program: PriceProgram, wanted: _Wanted | None, in_force: list[Price], at: datetime
) -> Iterator[str]:
    # Of several rows in force the one that began last is the price; the rest are leftovers.
    price = in_force[-1] if in_force else None
    for row in in_force[:-1]:
        _end(row, at)
        yield f"{_spoken(row)} ended, a later one was in force"
    if wanted is None:
        if price is not None:
            _end(price, at)
            yield f"{_spoken(price)} ended"
    elif price is None:
        yield f"{_spoken(_begin(program, wanted, at))} begins"
    elif price.amount_micro != wanted.entry.amount_micro:
        _end(price, at)
        yield f"{in_credits(price.amount_micro)} -> {_spoken(_begin(program, wanted, at))}"
    elif price.valid_until != wanted.ends:
        price.valid_until = wanted.ends
        price.save(update_fields=["valid_until"])
        yield f"{_spoken(price)} {_until(price)}"


def _settle_future(program: PriceProgram, wanted: list[_Wanted], to_come: dict[datetime, Price]) -> Iterator[str]:
    for one in wanted:
        assert one.begins is not None  # noqa: S101  only such rows are passed
        price = to_come.pop(one.begins, None)
        if price is None:
            yield f"{_spoken(_begin(program, one, one.begins))} begins at {one.begins.isoformat()}"
        elif (price.amount_micro, price.valid_until) != (one.entry.amount_micro, one.ends):
            price.amount_micro, price.valid_until = one.entry.amount_micro, one.ends
            price.save(update_fields=["amount_micro", "valid_until"])
            yield f"{_spoken(price)} from {one.begins.isoformat()} {_until(price)}"
    for price in to_come.values():
        price.delete()
        yield f"{_spoken(price)} from {price.valid_from.isoformat()} dropped before it began"


def _begin(program: PriceProgram, wanted: _Wanted, moment: datetime) -> Price:
    entry = wanted.entry
    return Price.objects.create(
        program=program,
        unit=entry.unit,
        amount_micro=entry.amount_micro,
        filters=entry.filters,
        valid_from=moment,
        valid_until=wanted.ends,
    )


def _end(price: Price, at: datetime) -> None:
    if price.valid_from == at:
        # It would have lasted no time at all.
        price.delete()
        return
    price.valid_until = at
    price.save(update_fields=["valid_until"])


def _spoken(price: Price) -> str:
    filters = f" {json.dumps(price.filters, sort_keys=True)}" if price.filters else ""
    return f"{in_credits(price.amount_micro)} credits per {price.unit}{filters}"


def _until(price: Price) -> str:
    return f"until {price.valid_until.isoformat()}" if price.valid_until else "without an end"
