"""What an order for a text alone means and costs."""

from __future__ import annotations

from accounts.caller import Caller
from catalog.capabilities import Bounds, Limits, code_points
from generation.contract import LyricsRequest, Order, Refusal
from generation.services.quoting import Offer
from generation.services.writers import find_text_offer, text_quote


def quote_text(order: Order, *, caller: Caller) -> Offer:
    """Find, check and price. Reads only; raises Refusal naming the field at fault."""
    if order.text is None:
        raise TypeError("this order is for a song")
    mapping = find_text_offer(organization=caller.organization, model=order.model, wire=order.wire_default)
    model = order.model or mapping.llm.public_name
    _refuse_beyond(order, order.text, Limits.from_json(mapping.llm.limits), model)
    return Offer(
        model=model,
        mapping=mapping,
        routes=(mapping,),
        quote=text_quote(mapping, caller.organization),
        song=order.song,
        approximated=(),
    )


def _refuse_beyond(order: Order, text: LyricsRequest, limits: Limits, model: str) -> None:
    for field, value, bounds in (("prompt", text.prompt, limits.prompt), ("lyrics", text.lyrics, limits.lyrics)):
        if value and not bounds.allows(code_points(value)):
            raise _outside(order.names.get(field, field), bounds, model, code_points(value))


def _outside(name: str, bounds: Bounds, model: str, length: int) -> Refusal:
    rule = f"'{name}' must be {bounds} characters for {model}; this one is {length}."
    return Refusal("invalid_parameter", rule, param=name)
