"""The lines of takes that are made side by side: how far the order is, is how far they are together."""

from __future__ import annotations

from dataclasses import dataclass

from generation.contract import Phase, Piece
from generation.providers.base import Line


def lines_of(line: Line, takes: int) -> list[Line]:
    """A line for each take; what they say goes to `line`, their progress as its mean."""
    percents = [0.0] * takes
    return [_Share(line, take, percents) for take in range(takes)]


@dataclass(frozen=True, slots=True)
class _Share:
    """Satisfies `generation.providers.base.Line`. `percents` is one list for all takes."""

    line: Line
    take: int
    percents: list[float]

    async def progress(self, percent: float, phase: Phase) -> None:
        self.percents[self.take] = percent
        await self.line.progress(sum(self.percents) / len(self.percents), phase)

    async def lyrics(self, text: str) -> None:
        await self.line.lyrics(text)

    async def audio(self, piece: Piece) -> None:
        await self.line.audio(piece)

    async def ticket(self, upstream_id: str) -> None:
        await self.line.ticket(upstream_id)
