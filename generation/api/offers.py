"""What is sold: models, kinds of work, prices, quotes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from billing.money import CURRENCY, in_credits
from catalog.capabilities import Capabilities, Limits
from catalog.input_schema import describe, describe_text
from catalog.models import Llm, LlmCatalog, LlmMapping, Price, PriceProgram
from catalog.services.lookup import offers_visible_to
from generation.api import shapes
from generation.api.answers import answer
from generation.api.base import MusicView
from generation.contract import Order, Reply
from generation.dialects.base import Refused
from generation.dialects.registry import MINIMAX
from generation.services.asked import EXTEND
from generation.services.carried import carried_by
from generation.services.quoting import Offer


class Models(MusicView):
    words = {"GET": "catalog.read"}

    @shapes.list_models
    def get(self, request: Request) -> HttpResponse:
        return answer(_list(model_as_json(offers) for offers in _by_model(offers_visible_to(self.caller.organization))))


class Model(MusicView):
    words = {"GET": "catalog.read"}

    @shapes.read_model
    def get(self, request: Request, name: str) -> HttpResponse:
        offers = _named(name, _by_model(offers_visible_to(self.caller.organization)))
        if offers is None:
            return self._not_found(name)
        return answer(Reply(status=200, body=model_as_json(offers)))

    def _not_found(self, name: str) -> HttpResponse:
        # On this address the model is the thing that is not there: 404, where an order that names it gets 400.
        worded = self.dialect.refused(
            Refused(
                code="model_not_found",
                message=f"There is no model {name!r}.",
                param="model",
                request_id=getattr(self.request, "request_id", ""),
            )
        )
        return answer(Reply(status=404, body=worded.body, headers=worded.headers))


class Catelogs(MusicView):
    words = {"GET": "catalog.read"}

    @shapes.list_catelogs
    def get(self, request: Request) -> HttpResponse:
        return answer(
            _list(
                {"id": row.pk, "object": "catelog", "name": row.name, "description": row.description}
                for row in LlmCatalog.objects.all()
            )
        )


class Pricing(MusicView):
    words = {"GET": "catalog.read"}

    @shapes.list_prices
    def get(self, request: Request) -> HttpResponse:
        model, catalog = request.query_params.get("model"), request.query_params.get("catelogid")
        offers = [
            offer
            for offer in offers_visible_to(self.caller.organization)
            if (not model or model in (offer.llm.public_name, *offer.llm.aliases))
            and (not catalog or catalog in (offer.catalog.pk, offer.catalog.name))
        ]
        programs = {offer.sale_prices_id: offer.sale_prices for offer in offers}
        return answer(_list(program_as_json(program, offers) for program in programs.values()))


def quoted(order: Order, offer: Offer) -> Reply:
    """What an order would cost at most, and what its model accepts."""
    return Reply(
        status=200,
        body={
            "object": "music.quote",
            "model": order.model,
            "price": in_credits(offer.quote.amount_micro),
            "currency": CURRENCY,
            "micro_credits": offer.quote.amount_micro,
            "limits": Limits.from_json(offer.mapping.llm.limits).as_json(),
            "expected_seconds": offer.mapping.expected_seconds,
            "approximated": list(offer.approximated),
        },
    )


def model_as_json(offers: list[LlmMapping]) -> dict[str, Any]:
    """One model with every kind of work it is offered for, the first of which names its price."""
    llm = offers[0].llm
    capabilities, limits = _capabilities(offers), Limits.from_json(llm.limits)
    return {
        "id": llm.public_name,
        "object": "model",
        "created": int(llm.sold_from.timestamp()) if llm.sold_from else 0,
        "owned_by": llm.provider.slug,
        "description": llm.description,
        "aliases": llm.aliases,
        "catelogs": list(dict.fromkeys(offer.catalog_id for offer in offers)),
        "capabilities": capabilities.as_json(),
        "limits": limits.as_json(),
        "input_schema": _inputs(offers[0], capabilities, limits),
        "price": _items(offers[0].sale_prices, timezone.now()),
        "currency": CURRENCY,
        "expected_seconds": offers[0].expected_seconds,
        "licence": llm.licence,
        "commercial_use": llm.commercial_use,
    }


def _capabilities(offers: list[LlmMapping]) -> Capabilities:
    """What an order can hold as it goes to whoever makes the song; a continuation is a kind of work of its own."""
    continues = any(offer.operation == EXTEND and carried_by(offer).extend for offer in offers)
    return replace(carried_by(offers[0]), extend=continues)


def _inputs(offer: LlmMapping, capabilities: Capabilities, limits: Limits) -> dict[str, Any]:
    name = offer.llm.public_name
    if offer.sells_texts:
        return describe_text(capabilities, limits, name=name, edits=MINIMAX.slug in offer.default_for_wires)
    return describe(name, capabilities, limits)


def program_as_json(program: PriceProgram, offers: Iterable[LlmMapping]) -> dict[str, Any]:
    items = _items(program, timezone.now())
    units = list(dict.fromkeys(item["unit"] for item in items))
    return {
        "ppid": program.slug,
        "name": program.name,
        "pricing_type": units[0] if len(units) == 1 else "combined",
        "display_text": "; ".join(f"{item['price']} {CURRENCY} per {item['unit']}" for item in items),
        "models": list(dict.fromkeys(offer.llm.public_name for offer in offers if offer.sale_prices_id == program.pk)),
        "items": items,
    }


def _items(program: PriceProgram, at: datetime) -> list[dict[str, Any]]:
    return [
        {"unit": price.unit, "price": in_credits(price.amount_micro), "filters": price.filters}
        for price in program.prices.all()
        if _is_in_force(price, at)
    ]


def _is_in_force(price: Price, at: datetime) -> bool:
    # On the rows that were loaded with the offer: a query for each would be one for every model.
    return price.valid_from <= at and (price.valid_until is None or at < price.valid_until)


def _by_model(offers: Iterable[LlmMapping]) -> list[list[LlmMapping]]:
    """Offers grouped by the model an order of that name would mean: the nearest seller's."""
    nearest: dict[str, Llm] = {}
    grouped: dict[str, list[LlmMapping]] = {}
    for offer in offers:
        name = offer.llm.public_name
        if nearest.setdefault(name, offer.llm) == offer.llm:
            grouped.setdefault(name, []).append(offer)
    return list(grouped.values())


def _named(name: str, models: list[list[LlmMapping]]) -> list[LlmMapping] | None:
    by_name = (offers for offers in models if offers[0].llm.public_name == name)
    by_alias = (offers for offers in models if name in offers[0].llm.aliases)
    return next(by_name, None) or next(by_alias, None)


def _list(data: Iterable[dict[str, Any]]) -> Reply:
    return Reply(status=200, body={"object": "list", "data": list(data), "has_more": False, "next": None})
