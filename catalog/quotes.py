"""A price before the work: who pays whom how much, at most, and what of it is due for what was delivered.

All amounts are integer micro-credits. The price rows in force at the order are kept inside the quote, so the price of
the quote is the price of the settlement. Every amount is summed exactly, in thousandths of a micro-credit, and
rounded up once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, Self

LegKind = Literal["sale", "cost"]
THOUSAND: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Micro-credits per unit; the units add up."""

    song: int = 0
    second: int = 0
    request: int = 0
    thousand_tokens: int = 0

    def amount_micro(self, *, takes: int, milliseconds: int, tokens: int) -> int:
        """The price of `takes` songs that last `milliseconds` together; nothing delivered costs nothing."""
        if takes == 0:
            return 0
        exact = THOUSAND * (self.song * takes + self.request)
        exact += self.second * milliseconds + self.thousand_tokens * tokens
        return -(-exact // THOUSAND)


class Due(NamedTuple):
    """What one leg comes to, once it is known what was delivered."""

    payer_id: int
    payee_id: int
    kind: LegKind
    amount_micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One payment of the chain: a sale to a customer or reseller, or the cost a provider is owed.

    `amount_micro` is the worst case: the most this leg can come to. `is_for_text`: it pays for the lyrics that are
    written for the song, one text, whose tokens are counted by themselves; due once any take is delivered.
    """

    payer_id: int
    payee_id: int
    kind: LegKind
    rates: Rates
    amount_micro: int
    is_for_text: bool = False

    def due(self, *, takes: int, milliseconds: int, tokens: int, text_tokens: int = 0) -> Due:
        if self.is_for_text:
            takes, milliseconds, tokens = min(takes, 1), 0, text_tokens
        amount = self.rates.amount_micro(takes=takes, milliseconds=milliseconds, tokens=tokens)
        return Due(self.payer_id, self.payee_id, self.kind, min(self.amount_micro, amount))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The legs of an order of `organization_id`, from the customer down to the provider."""

    organization_id: int
    legs: tuple[Leg, ...]
    other_routes: Mapping[int, tuple[Leg, ...]] = field(default_factory=dict)
    """What is paid below the customer where another mapping than the ordered one makes the song, by its id."""

    @property
    def amount_micro(self) -> int:
        """The most the order can cost the organization that gives it: what is held."""
        return sum(leg.amount_micro for leg in self.own_legs)

    @property
    def charges(self) -> int:
        """How many legs, from the first on, are what the ordering organization pays."""
        return len(self.own_legs)

    def with_text(self, text: Quote) -> Quote:
        """The quote of a song whose lyrics are written first, at the price of that text."""
        for_text = Quote(
            organization_id=self.organization_id,
            legs=tuple(dataclasses.replace(leg, is_for_text=True) for leg in text.legs),
        )
        own = (*self.legs[: self.charges], *for_text.legs[: for_text.charges])
        others = (*self.legs[self.charges :], *for_text.legs[for_text.charges :])
        return dataclasses.replace(self, legs=(*own, *others))

    def charge_for(self, *, takes: int, milliseconds: int, tokens: int = 0, text_tokens: int = 0) -> int:
        """What the ordering organization pays for what was delivered; never above `amount_micro`.

        `milliseconds` is the length of all delivered takes together.
        """
        return sum(
            leg.amount_micro
            for leg in self.own_dues(takes=takes, milliseconds=milliseconds, tokens=tokens, text_tokens=text_tokens)
        )

    def own_dues(self, *, takes: int, milliseconds: int, tokens: int = 0, text_tokens: int = 0) -> list[Due]:
        """What the ordering organization pays for all that was delivered, whoever made it."""
        made = {"takes": takes, "milliseconds": milliseconds, "tokens": tokens, "text_tokens": text_tokens}
        return [leg.due(**made) for leg in self.own_legs]

    def dues_below(
        self, route: int | None, *, takes: int, milliseconds: int, tokens: int = 0, text_tokens: int = 0
    ) -> list[Due]:
        """What the sellers owe for the part that this route made; None and an unknown id: the ordered mapping."""
        made = {"takes": takes, "milliseconds": milliseconds, "tokens": tokens, "text_tokens": text_tokens}
        legs = self.legs_below if route is None else self.other_routes.get(route, self.legs_below)
        return [leg.due(**made) for leg in legs]

    def dues_below_for_text(self, *, takes: int, milliseconds: int, tokens: int = 0, text_tokens: int = 0) -> list[Due]:
        """What the sellers owe for lyrics that were written first, whoever made the song."""
        made = {"takes": takes, "milliseconds": milliseconds, "tokens": tokens, "text_tokens": text_tokens}
        return [leg.due(**made) for leg in self.legs[self.charges :] if leg.is_for_text]

    def as_json(self) -> dict[str, Any]:
        return {
            "organization_id": self.organization_id,
            "legs": [dataclasses.asdict(leg) for leg in self.legs],
            "other_routes": {
                str(route): [dataclasses.asdict(leg) for leg in legs] for route, legs in self.other_routes.items()
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The quote that `as_json` wrote, exactly; TypeError for anything else."""
        routes = {int(route): _legs(legs) for route, legs in data.get("other_routes", {}).items()}
        return cls(**{**data, "legs": _legs(data["legs"]), "other_routes": routes})

    @property
    def own_legs(self) -> tuple[Leg, ...]:
        """The first leg, where it is a sale: an organization running its own model pays nobody for it.

        Where a text is bought beside the song, its sale is the second.
        """
        first = (*self.legs[:1], *(leg for leg in self.legs[1:2] if leg.is_for_text))
        return tuple(leg for leg in first if leg.kind == "sale" and leg.payer_id == self.organization_id)

    @property
    def legs_below(self) -> tuple[Leg, ...]:
        """What is paid below the customer for the song where the ordered mapping makes it."""
        return tuple(leg for leg in self.legs[self.charges :] if not leg.is_for_text)


def _legs(data: Iterable[Mapping[str, Any]]) -> tuple[Leg, ...]:
    return tuple(Leg(**{**leg, "rates": Rates(**leg["rates"])}) for leg in data)
