"""What becomes of an order, whatever its upstream does: one cell for each provider and scene.

The cells stand in `cells`, one module for each provider. The tests play every cell, and `docs/upstream-behaviour.md`
is printed from them:

    python -m tests.contracts.providers.behaviour > docs/upstream-behaviour.md
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Final

from tests.contracts.providers import cells
from tests.contracts.providers.cells.base import SCENES, Cell, Column


def columns() -> dict[str, Column]:
    """Every column, by provider and shape."""
    names = sorted(found.name for found in pkgutil.iter_modules(cells.__path__) if found.name != "base")
    modules = [importlib.import_module(f"tests.contracts.providers.cells.{name}") for name in names]
    return {slug: column for module in modules for slug, column in module.COLUMNS.items()}


def document() -> str:
    """The table as a page."""
    lines = [INTRODUCTION]
    for column in columns().values():
        lines += [f"## {column.title}\n", "| upstream | end | log | orders | charged |", "|---|---|---|---|---|"]
        words = SCENES | column.own_scenes
        lines += [_row(words[scene], cell) for scene, cell in column.cells.items()]
        lines.append("")
    return "\n".join(lines)


def _row(scene: str, cell: Cell) -> str:
    end = f"{cell.state}: `{cell.code}`" if cell.code else cell.state
    notes = [note for note, holds in (("flagged", cell.is_flagged), ("cost noted", cell.attempts == "late")) if holds]
    orders = f"{cell.orders}, one song" if cell.songs == 1 != cell.orders else str(cell.orders)
    log = " > ".join(cell.events.split())
    return f"| {scene} | {', '.join([end, *notes])} | {log} | {orders} | {cell.charged} |"


INTRODUCTION: Final = """\
# What becomes of an order, whatever its upstream does

Printed from the tests that play each line: `python -m tests.contracts.providers.behaviour`. An order is for one song
and may be tried three times. *Orders* counts how often the upstream was sent it, *charged* the takes the customer paid
for; the rest of the hold is given back in every case. *Flagged*: a person should look, for the upstream may bill for a
song that nobody got.
"""

if __name__ == "__main__":
    print(document(), end="")
