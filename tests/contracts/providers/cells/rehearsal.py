"""What becomes of an order on rehearsal.

It has no wire, and acts out what it is asked to. Nobody bills for it, so nothing is ever noted as late.
"""

from __future__ import annotations

from typing import Final

from tests.contracts.providers.cells.base import BAD_TWICE, GIVEN_UP, REFUSED_CONTENT, SOLD, UNKNOWN, Cell, Column

COLUMNS: Final = {
    "rehearsal": Column(
        title="rehearsal",
        has_wire=False,
        cells={
            "good": SOLD,
            "slow": SOLD,
            "rate_limited": GIVEN_UP,
            "cut": UNKNOWN,
            "no_answer": UNKNOWN,
            "empty_audio": GIVEN_UP,
            "silent_audio": BAD_TWICE,
            "never_finishing": Cell(
                state="expired", code="deadline_exceeded", events="queued started expired", orders=1
            ),
            "refused_content": REFUSED_CONTENT,
        },
    )
}
