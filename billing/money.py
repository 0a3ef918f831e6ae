"""Micro-credits: every amount in the project is an integer count of 10⁻⁶ credits, never a float."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal
from typing import Final

MICRO: Final = 1_000_000
CURRENCY: Final = "credits"


def micro(amount_credits: Decimal | str | int) -> int:
    """Micro-credits of an amount in credits, rounded up to the next whole one."""
    return int((Decimal(amount_credits) * MICRO).to_integral_value(rounding=ROUND_CEILING))


def in_credits(amount_micro: int) -> str:
    """An amount for reading: at least two decimals, no more than are needed ("2.50", "0.000001")."""
    text = f"{Decimal(amount_micro) / MICRO:.6f}"
    whole, decimals = text.split(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"
