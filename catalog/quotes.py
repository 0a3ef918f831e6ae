"""A price before the work: who pays whom how much, at most, and what of it is due for what was delivered.

All amounts are integer micro-credits. The price rows in force at the order are kept inside the quote, so the price of
the quote is the price of the settlement. Every amount is summed exactly, in thousandths of a micro-credit, and
rounded up once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
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

    @property
    def amount_micro(self) -> int:
        """The most the order can cost the organization that gives it: what is held."""
        return sum(leg.amount_micro for leg in self._own_legs())

    @property
    def charges(self) -> int:
        """How many legs, from the first on, are what the ordering organization pays."""
        return len(self._own_legs())

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
        due = [
            leg.due(takes=takes, milliseconds=milliseconds, tokens=tokens, text_tokens=text_tokens)
            for leg in self._own_legs()
        ]
        return sum(leg.amount_micro for leg in due)

    def legs_for(self, *, takes: int, milliseconds: int, tokens: int = 0, text_tokens: int = 0) -> list[Due]:
        """Every leg with the amount that is due for what was delivered; a leg that comes to nothing stays in."""
        return [
            leg.due(takes=takes, milliseconds=milliseconds, tokens=tokens, text_tokens=text_tokens) for leg in self.legs
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "organization_id": self.organization_id,
            "legs": [dataclasses.asdict(leg) for leg in self.legs],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The quote that `as_json` wrote, exactly; TypeError for anything else."""
        legs = tuple(Leg(**{**leg, "rates": Rates(**leg["rates"])}) for leg in data["legs"])
        return cls(**{**data, "legs": legs})

    def _own_legs(self) -> tuple[Leg, ...]:
        """The first leg, where it is a sale: an organization running its own model pays nobody for it.

        Where a text is bought beside the song, its sale is the second.
        """
        first = (*self.legs[:1], *(leg for leg in self.legs[1:2] if leg.is_for_text))
        return tuple(leg for leg in first if leg.kind == "sale" and leg.payer_id == self.organization_id)
