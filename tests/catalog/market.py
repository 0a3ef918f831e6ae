"""The pieces of an offer, made by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from accounts.models import Organization
from catalog.models import LlmMapping, Price, PriceProgram, Upstream

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Sell = Callable[..., LlmMapping]


def upstream_of(owner: Organization, slug: str | None = None) -> Upstream:
    slug = slug or f"{owner.slug}-upstream"
    return Upstream.objects.get_or_create(
        slug=slug, defaults={"organization": owner, "name": slug, "provider": "rehearsal"}
    )[0]


def program_of(owner: Organization, prices: dict[str, int]) -> PriceProgram:
    slug = f"{owner.slug}-{PriceProgram.objects.count()}"
    program = PriceProgram.objects.create(owner=owner, slug=slug, name=slug)
    for unit, amount in prices.items():
        add_price(program, unit, amount)
    return program


def add_price(program: PriceProgram, unit: str, amount: int, **fields: Any) -> Price:
    return Price.objects.create(
        **{"program": program, "unit": unit, "amount_micro": amount, "valid_from": LONG_AGO} | fields
    )
