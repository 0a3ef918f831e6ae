"""Which model an order means, whether that model can do it, and what it costs at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.utils import timezone

from accounts.caller import Caller
from accounts.models import Organization
from catalog.capabilities import Capabilities, Limits
from catalog.models import LlmMapping
from catalog.quotes import Quote
from catalog.services.lookup import (
    AUTO,
    EndpointNotFound,
    ModelNotFound,
    find_endpoint,
    find_offer,
    offers_visible_to,
    other_routes,
)
from catalog.services.quote import NotForSale, quote
from generation.contract import Order, Refusal, SongRequest
from generation.services.asked import EXTEND, asked_of, refuse_beyond_limits, refuse_without_source, with_words
from generation.services.carried import carried_by, takes_as_well
from generation.services.sources import with_sources
from generation.services.writers import refuse_texts, with_text_price, with_writer

TO_BE_WRITTEN: Final = "[Verse]"
"""Stands for lyrics that are not there yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An order that can be taken: by which mapping, for which price; `approximated` fields are said as a wish.

    `model` is the name it was ordered by; the public one where the order named none. `routes` are all mappings that
    may make the song, the ordered one first.
    """

    model: str
    mapping: LlmMapping
    routes: tuple[LlmMapping, ...]
    quote: Quote
    song: SongRequest
    approximated: tuple[str, ...]
    writer: LlmMapping | None = None
    """Who writes the lyrics before the song is made."""


@dataclass(frozen=True, slots=True)
class _Fit:
    """A mapping that can take the order, and the order as it would go there."""

    mapping: LlmMapping
    capabilities: Capabilities
    song: SongRequest
    writer: LlmMapping | None

    @property
    def song_to_make(self) -> SongRequest:
        """The song as the model will be asked for it, with lyrics where some are written first."""
        return self.song if self.writer is None else replace(self.song, lyrics=TO_BE_WRITTEN)


def quote_order(order: Order, *, caller: Caller) -> Offer:
    """Find, check and price. Reads only; raises Refusal naming the field at fault."""
    named = _find(order, caller.organization)
    is_named = order.model not in ("", AUTO)
    order = replace(order, model=order.model if is_named else named.llm.public_name)
    mappings = [named, *other_routes(named)]
    fit = _first_fit(order, mappings, caller.organization)
    song = with_sources(replace(order, song=fit.song), caller=caller).song
    others = [one for one in mappings if one != fit.mapping and takes_as_well(one, fit.song_to_make, fit.capabilities)]
    price = _price(fit.song, fit.mapping, others, caller.organization)
    wishes = (field for field in asked_of(order.song) if fit.capabilities.conveys(field) == "wish")
    return Offer(
        model=order.model,
        mapping=fit.mapping,
        routes=(fit.mapping, *(one for one in others if one.pk in price.other_routes)),
        quote=with_text_price(price, fit.writer, caller.organization),
        song=song,
        approximated=tuple(order.names.get(field, field) for field in wishes),
        writer=fit.writer,
    )


def _first_fit(order: Order, mappings: Sequence[LlmMapping], organization: Organization) -> _Fit:
    """The first mapping that can take the order; raises the first one's Refusal where none can."""
    refusals = []
    for mapping in mappings:
        try:
            return _fit(order, mapping, organization)
        except Refusal as refusal:
            refusals.append(refusal)
    raise refusals[0]


def _fit(order: Order, mapping: LlmMapping, organization: Organization) -> _Fit:
    refuse_texts(order, mapping)
    limits = Limits.from_json(mapping.llm.limits)
    order, capabilities, writer = with_writer(order, mapping, carried_by(mapping), organization)
    _refuse_uncarried(order, capabilities, organization)
    refuse_without_source(order, mapping)
    song = with_words(order, capabilities)
    refuse_beyond_limits(order, limits)
    return _Fit(mapping, capabilities, _with_own_length(song, limits), writer)


def _refuse_uncarried(order: Order, capabilities: Capabilities, organization: Organization) -> None:
    for field in asked_of(order.song):
        if field not in order.implied and capabilities.conveys(field) == "none":
            raise _cannot_convey(field, order, organization)


def _with_own_length(song: SongRequest, limits: Limits) -> SongRequest:
    """A model with a length of its own makes that when none was asked: it is held for, made and judged by."""
    if song.duration_seconds is not None or limits.default_duration_seconds is None:
        return song
    return replace(song, duration_seconds=limits.default_duration_seconds)


def _find(order: Order, organization: Organization) -> LlmMapping:
    try:
        if order.endpoint is not None:
            return _at_endpoint(order, order.endpoint, organization)
        return _named(order, order.model, organization)
    except ModelNotFound as missing:
        raise Refusal("model_not_found", missing.message, param=missing.param) from None
    except EndpointNotFound as missing:
        raise Refusal("not_found", missing.message) from None


def _named(order: Order, model: str, organization: Organization) -> LlmMapping:
    try:
        wire = order.wire_default or None
        return find_offer(organization=organization, catalog=order.catalog, model=model, wire=wire)
    except ModelNotFound:
        known = [offer for offer in offers_visible_to(organization) if offer.llm.is_called(model)]
        if order.song.extend is not None and known:
            # The model is there, and has nothing that continues a song.
            order = replace(order, model=order.model or model)
            _refuse_uncarried(order, carried_by(known[0]), organization)
            raise _cannot_convey("extend", order, organization) from None
        raise


def _at_endpoint(order: Order, slug: str, organization: Organization) -> LlmMapping:
    """The endpoint decides the model, and the operation the catalog."""
    offer = find_endpoint(organization=organization, slug=slug)
    if order.model and not offer.llm.is_called(order.model):
        rule = f"The endpoint {slug!r} is for {offer.llm.public_name}, not for {order.model!r}."
        raise Refusal("invalid_parameter", rule, param=order.names.get("model", "model"))
    if order.catalog in (offer.catalog.pk, offer.catalog.name):
        return offer
    return _named(order, offer.llm.public_name, organization)


def _price(song: SongRequest, mapping: LlmMapping, others: Sequence[LlmMapping], organization: Organization) -> Quote:
    try:
        return quote(
            mapping,
            organization=organization,
            takes=song.takes,
            duration_seconds=song.duration_seconds,
            format=song.format or "mp3",
            instrumental=song.instrumental,
            at=timezone.now(),
            others=others,
        )
    except NotForSale as no_price:
        raise Refusal("model_not_found", str(no_price), param="model") from None


def _cannot_convey(field: str, order: Order, organization: Organization) -> Refusal:
    name = order.names.get(field, field)
    able = sorted({offer.llm.public_name for offer in offers_visible_to(organization) if _takes(offer, field)})
    others = f"Models that take it: {', '.join(able)}." if able else "No model on offer takes it."
    return Refusal("unsupported_parameter", f"{order.model} does not take '{name}'. {others}", param=name)


def _takes(offer: LlmMapping, field: str) -> bool:
    is_for_it = field != EXTEND or offer.operation == EXTEND
    return is_for_it and carried_by(offer).conveys(field) != "none"
