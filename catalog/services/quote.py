"""What an order costs at most, and who pays whom: from the customer down to the provider."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from accounts.models import Organization
from catalog.capabilities import Capabilities, Limits
from catalog.models import Llm, LlmMapping, Price, PriceProgram, Unit
from catalog.models.lineage import lineage
from catalog.price_filters import Ordered, matches
from catalog.quotes import Leg, LegKind, Quote, Rates

TOKENS_PER_SECOND: Final = 25
"""Tokens of a second of audio, by the count that applies where an upstream gives none."""
_RATE_OF: Final = {
    Unit.SONG: "song",
    Unit.SECOND: "second",
    Unit.REQUEST: "request",
    Unit.THOUSAND_TOKENS: "thousand_tokens",
}


class NotForSale(Exception):
    """The model is there, but no price of it is in force for this order; the message is for its seller."""


def quote(
    mapping: LlmMapping,
    *,
    organization: Organization,
    takes: int,
    duration_seconds: float | None,
    format: str,  # noqa: A002
    instrumental: bool,
    at: datetime,
    others: Iterable[LlmMapping] = (),
) -> Quote:
    """The quote of an order of `takes` songs through `mapping`, at the prices in force at `at`.

    `others` may make the song in its place: the customer pays the price of `mapping`, and what is owed below goes the
    way of the one that made it. One of them that has no price in force is left out.

    `duration_seconds` is the length that was ordered; None: the model decides, and its longest song is held for.
    An organization that orders its own model pays no sale. A reseller whose model runs on the upstream of a seller
    above it buys there: one sale leg each, at that seller's own price of the same upstream model.

    Raises NotForSale.
    """
    asked = _Asked(takes, duration_seconds, format, instrumental, at)
    ordered = Quote(organization_id=organization.pk, legs=_legs_of(mapping, organization, asked))
    below = {other.pk: _legs_below(other, organization, asked, ordered) for other in others}
    routes = {other: legs for other, legs in below.items() if legs is not None}
    return dataclasses.replace(ordered, other_routes=routes)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was ordered and when, as prices see it."""

    takes: int
    duration_seconds: float | None
    format: str
    instrumental: bool
    at: datetime


def _legs_below(
    mapping: LlmMapping, organization: Organization, asked: _Asked, ordered: Quote
) -> tuple[Leg, ...] | None:
    """What is paid below the customer; None where there is no price in force, or another seller would be paid."""
    try:
        other = Quote(organization_id=organization.pk, legs=_legs_of(mapping, organization, asked))
    except NotForSale:
        return None
    is_paid_alike = [leg.payee_id for leg in other.own_legs] == [leg.payee_id for leg in ordered.own_legs]
    return other.legs_below if is_paid_alike else None


def _legs_of(mapping: LlmMapping, organization: Organization, asked: _Asked) -> tuple[Leg, ...]:
    most = _most(mapping, asked.takes, asked.duration_seconds)
    ordered = Ordered(
        takes=asked.takes,
        duration_seconds=most.milliseconds / asked.takes / 1000,
        format=asked.format,
        instrumental=asked.instrumental,
        upstream=mapping.upstream.slug,
    )
    at = asked.at
    legs: list[Leg] = []
    payer, last = organization.pk, mapping
    for link in _supply(mapping, at):
        seller, last = link.llm.owner_id, link
        if payer != seller:
            legs.append(_leg("sale", payer, seller, program=link.sale_prices, ordered=ordered, most=most, at=at))
        payer = seller
    if last.cost_prices is not None and last.llm.provider_id != payer:
        payee, program = last.llm.provider_id, last.cost_prices
        legs.append(_leg("cost", payer, payee, program=program, ordered=ordered, most=most, at=at))
    return tuple(legs)


def rates_of(program: PriceProgram, ordered: Ordered, at: datetime) -> Rates:
    """The rates of a program for an order: for each unit the most specific row that matches, and the units add up.

    More specific is the row with more filters; among equals the one that began later, then the newer row.

    Raises NotForSale where no row matches.
    """
    rows = [row for row in Price.objects.filter(program=program).valid_at(at) if matches(row.filters, ordered)]
    if not rows:
        raise NotForSale(f"No price of {program.slug} is in force for this order.")
    rows.sort(key=lambda row: (len(row.filters), row.valid_from, row.pk))
    return Rates(**{_RATE_OF[Unit(row.unit)]: row.amount_micro for row in rows})


@dataclass(frozen=True, slots=True)
class _Most:
    """The most that can be delivered."""

    takes: int
    milliseconds: int
    tokens: int


def _most(mapping: LlmMapping, takes: int, duration_seconds: float | None) -> _Most:
    capabilities = Capabilities.from_json(mapping.llm.capabilities)
    limits = Limits.from_json(mapping.llm.limits)
    seconds = limits.default_duration_seconds or limits.max_seconds
    if mapping.sells_texts:
        seconds = 0.0
    elif duration_seconds is not None:
        # A length that is only a wish binds nobody.
        seconds = duration_seconds if capabilities.duration == "exact" else limits.max_seconds
    return _Most(takes, takes * math.ceil(seconds * 1000), _most_tokens(limits, takes, seconds))


def _most_tokens(limits: Limits, takes: int, seconds: float) -> int:
    """A token is four bytes of UTF-8, and no code point has more; lyrics come back with every take."""
    lyrics = int(limits.lyrics.maximum)
    asked = int(limits.prompt.maximum) + lyrics
    return asked + takes * (TOKENS_PER_SECOND * math.ceil(seconds) + lyrics)


def _supply(mapping: LlmMapping, at: datetime) -> Iterator[LlmMapping]:
    """The offers a song passes through: the ordered one, then each that its seller buys from in turn."""
    yield mapping
    while mapping.upstream.organization_id not in (mapping.llm.owner_id, mapping.llm.provider_id):
        mapping = _bought_from(mapping, at)
        yield mapping


def _bought_from(mapping: LlmMapping, at: datetime) -> LlmMapping:
    distance = lineage(mapping.llm.owner)
    above = [seller for seller, away in distance.items() if away > 0]
    sources = LlmMapping.objects.of(Llm.objects.owned_by(above).on_sale_at(at)).filter(
        catalog=mapping.catalog_id,
        operation=mapping.operation,
        upstream=mapping.upstream_id,
        llm__upstream_model=mapping.llm.upstream_model,
    )
    source = min(sources, key=lambda one: (distance[one.llm.owner_id], one.priority, one.pk), default=None)
    if source is None:
        raise NotForSale(f"{mapping.llm} runs on an upstream of another organization, and no seller above offers it.")
    return source


def _leg(
    kind: LegKind, payer: int, payee: int, *, program: PriceProgram, ordered: Ordered, most: _Most, at: datetime
) -> Leg:
    rates = rates_of(program, ordered, at)
    amount = rates.amount_micro(takes=most.takes, milliseconds=most.milliseconds, tokens=most.tokens)
    return Leg(payer_id=payer, payee_id=payee, kind=kind, rates=rates, amount_micro=amount)
