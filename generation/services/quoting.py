"""Which model an order means, whether that model can do it, and what it costs at most."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils import timezone

from accounts.caller import Caller
from accounts.models import Organization
from catalog.capabilities import Capabilities, Limits
from catalog.models import LlmMapping
from catalog.quotes import Quote
from catalog.services.lookup import EndpointNotFound, ModelNotFound, find_endpoint, find_offer, offers_visible_to
from catalog.services.quote import NotForSale, quote
from generation.contract import Order, Refusal, SongRequest
from generation.services.asked import asked_of, refuse_beyond_limits, refuse_without_source, refuse_without_words
from generation.services.sources import with_sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """An order that can be taken: by which mapping, for which price; `approximated` fields are said as a wish.

    `model` is the name it was ordered by; the public one where the order named none.
    """

    model: str
    mapping: LlmMapping
    quote: Quote
    song: SongRequest
    approximated: tuple[str, ...]


def quote_order(order: Order, *, caller: Caller) -> Offer:
    """Find, check and price. Reads only; raises Refusal naming the field at fault."""
    mapping = _find(order, caller.organization)
    order = replace(order, model=order.model or mapping.llm.public_name)
    capabilities, limits = Capabilities.from_json(mapping.llm.capabilities), Limits.from_json(mapping.llm.limits)
    asked = asked_of(order.song)
    for field in asked:
        if capabilities.conveys(field) == "none":
            raise _cannot_convey(field, order, caller.organization)
    refuse_without_source(order, mapping)
    order = with_sources(order, caller=caller)
    refuse_without_words(order, capabilities)
    refuse_beyond_limits(order, limits)
    wishes = (field for field in asked if capabilities.conveys(field) == "wish")
    song = _with_own_length(order.song, limits)
    return Offer(
        model=order.model,
        mapping=mapping,
        quote=_price(song, mapping, caller.organization),
        song=song,
        approximated=tuple(order.names.get(field, field) for field in wishes),
    )


def _with_own_length(song: SongRequest, limits: Limits) -> SongRequest:
    """A model with a length of its own makes that when none was asked: it is held for, made and judged by."""
    if song.duration_seconds is not None or limits.default_duration_seconds is None:
        return song
    return replace(song, duration_seconds=limits.default_duration_seconds)


def _find(order: Order, organization: Organization) -> LlmMapping:
    try:
        if order.endpoint is not None:
            return _at_endpoint(order, order.endpoint, organization)
        wire = order.wire_default or None
        return find_offer(organization=organization, catalog=order.catalog, model=order.model, wire=wire)
    except ModelNotFound as missing:
        raise Refusal("model_not_found", missing.message, param=missing.param) from None
    except EndpointNotFound as missing:
        raise Refusal("not_found", missing.message) from None


def _at_endpoint(order: Order, slug: str, organization: Organization) -> LlmMapping:
    """The endpoint decides the model, and the operation the catalog."""
    offer = find_endpoint(organization=organization, slug=slug)
    if order.model and not offer.llm.is_called(order.model):
        rule = f"The endpoint {slug!r} is for {offer.llm.public_name}, not for {order.model!r}."
        raise Refusal("invalid_parameter", rule, param=order.names.get("model", "model"))
    if order.catalog in (offer.catalog.pk, offer.catalog.name):
        return offer
    if order.song.extend is not None and not Capabilities.from_json(offer.llm.capabilities).extend:
        raise _cannot_convey("extend", replace(order, model=offer.llm.public_name), organization)
    return find_offer(organization=organization, catalog=order.catalog, model=offer.llm.public_name)


def _price(song: SongRequest, mapping: LlmMapping, organization: Organization) -> Quote:
    try:
        return quote(
            mapping,
            organization=organization,
            takes=song.takes,
            duration_seconds=song.duration_seconds,
            format=song.format or "mp3",
            instrumental=song.instrumental,
            at=timezone.now(),
        )
    except NotForSale as no_price:
        raise Refusal("model_not_found", str(no_price), param="model") from None


def _cannot_convey(field: str, order: Order, organization: Organization) -> Refusal:
    name = order.names.get(field, field)
    able = sorted(
        {
            offer.llm.public_name
            for offer in offers_visible_to(organization)
            if Capabilities.from_json(offer.llm.capabilities).conveys(field) != "none"
        }
    )
    others = f"Models that take it: {', '.join(able)}." if able else "No model on offer takes it."
    return Refusal("unsupported_parameter", f"{order.model} does not take '{name}'. {others}", param=name)
