"""What becomes of an order, whatever its upstream does: one cell for each provider and scene.

The tests play every cell, and `docs/upstream-behaviour.md` is printed from it:

    python -m tests.contracts.providers.behaviour > docs/upstream-behaviour.md
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Cell:
    """How an order of one song ends.

    `events` leaves out `progress` and `lyrics`. `orders`: how often the upstream was sent the order; `songs`: how
    many songs it could bill for, where that is another number. `charged`: takes the customer paid for.
    """

    state: str
    code: str = ""
    events: str
    orders: int
    songs: int | None = None
    charged: int = 0
    is_flagged: bool = False
    attempts: str = ""
    """The states of the attempts, where they tell more than the job's."""


SCENES: Final = {
    "good": "Answers with a link",
    "hex": "Answers with the audio in hex",
    "slow": "Accepts, and is done when asked for the fourth time",
    "asked_by_taskid": "Knows its songs only by `/v1/tasks`",
    "rate_limited": "429 with Retry-After, then good",
    "error_then_good": "500 with its documented error body, then good",
    "bare_error_then_good": "500 without a body, then good",
    "failed_in_200": "200 with an error inside, then good",
    "failed_task": "Accepts, and the task fails each time",
    "cut": "Breaks off in the middle of its answer",
    "html": "A page in place of JSON",
    "no_answer": "Takes the order and says nothing",
    "not_reached": "Nobody opens the door",
    "wrong_type": "A picture labelled as audio",
    "empty_audio": "Success without audio",
    "silent_audio": "A silent song",
    "stumbling_download": "503, a page and a cut file in place of the result, then the result",
    "unknown_word": "A status nobody described",
    "never_finishing": "Under way for ever",
    "refused_content": "Refuses the content",
    "wrong_key": "Does not know our key",
    "no_balance": "Our credits there are used up",
    "late_result": "The song comes after its cancel",
}

SOLD: Final = Cell(state="succeeded", events="queued started take succeeded", orders=1, charged=1)
SOLD_AT_SECOND: Final = Cell(
    state="succeeded", events="queued started retrying started take succeeded", orders=2, charged=1
)
UNKNOWN: Final = Cell(state="failed", code="upstream_error", events="queued started failed", orders=1, is_flagged=True)
REFUSED: Final = Cell(state="failed", code="upstream_error", events="queued started failed", orders=1)
GIVEN_UP: Final = Cell(
    state="failed",
    code="upstream_error",
    events="queued started retrying started retrying started failed",
    orders=3,
)
BAD_TWICE: Final = Cell(
    state="failed",
    code="bad_audio",
    events="queued started retrying started take_failed failed",
    orders=2,
)
OVERDUE: Final = Cell(
    state="expired", code="deadline_exceeded", events="queued started expired", orders=1, is_flagged=True
)
LATE: Final = Cell(state="cancelled", code="cancelled", events="queued started cancelled", orders=1, attempts="late")

_OPENAI_MUSIC: Final = {
    "good": SOLD,
    "hex": SOLD,
    "slow": SOLD,
    "asked_by_taskid": SOLD,
    "rate_limited": SOLD_AT_SECOND,
    "error_then_good": SOLD_AT_SECOND,
    "bare_error_then_good": UNKNOWN,
    "failed_in_200": SOLD_AT_SECOND,
    "failed_task": GIVEN_UP,
    "cut": UNKNOWN,
    "html": UNKNOWN,
    "no_answer": OVERDUE,
    "not_reached": Cell(state="failed", code="upstream_error", events=GIVEN_UP.events, orders=0),
    "wrong_type": BAD_TWICE,
    "empty_audio": UNKNOWN,
    "silent_audio": BAD_TWICE,
    "stumbling_download": SOLD,
    "unknown_word": UNKNOWN,
    "never_finishing": OVERDUE,
    "refused_content": Cell(state="failed", code="content_policy", events=REFUSED.events, orders=1),
    "wrong_key": REFUSED,
    "no_balance": REFUSED,
    "late_result": LATE,
}
_SENT_AGAIN: Final = Cell(state="succeeded", events=SOLD.events, orders=2, songs=1, charged=1)

CELLS: Final[dict[str, dict[str, Cell]]] = {
    "openai_music": _OPENAI_MUSIC,
    # The same order under the same key is the same song there, so an order of unknown fate is sent again.
    "openai_music/tutti": _OPENAI_MUSIC
    | dict.fromkeys(("error_then_good", "bare_error_then_good", "cut", "html"), _SENT_AGAIN),
    # It has no wire, and acts out what it is asked to. Nobody bills for it, so nothing is ever noted as late.
    "rehearsal": {
        "good": SOLD,
        "slow": SOLD,
        "rate_limited": GIVEN_UP,
        "cut": UNKNOWN,
        "no_answer": UNKNOWN,
        "empty_audio": GIVEN_UP,
        "silent_audio": BAD_TWICE,
        "never_finishing": Cell(state="expired", code="deadline_exceeded", events="queued started expired", orders=1),
        "refused_content": Cell(state="failed", code="content_policy", events=REFUSED.events, orders=1),
    },
}

TITLES: Final = {
    "openai_music": "openai_music",
    "openai_music/tutti": "openai_music, a Tutti",
    "rehearsal": "rehearsal",
}


def document() -> str:
    """The table as a page."""
    lines = [INTRODUCTION]
    for column, cells in CELLS.items():
        lines += [f"## {TITLES[column]}\n", "| upstream | end | log | orders | charged |", "|---|---|---|---|---|"]
        lines += [_row(SCENES[scene], cell) for scene, cell in cells.items()]
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
