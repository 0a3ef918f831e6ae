"""What a cell of the behaviour table is, the scenes every upstream plays, and the ways an order commonly ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final


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
    "good": "Makes the song",
    "slow": "Makes it slowly",
    "rate_limited": "429 with Retry-After, then good",
    "error_then_good": "500 with its documented error body, then good",
    "bare_error_then_good": "500 without a body, then good",
    "cut": "Breaks off in the middle of its answer",
    "html": "A page in place of its answer",
    "no_answer": "Takes the order and says nothing",
    "not_reached": "Nobody opens the door",
    "wrong_type": "A picture labelled as audio",
    "empty_audio": "Success without audio",
    "silent_audio": "A silent song",
    "unknown_word": "A status nobody described",
    "never_finishing": "Under way for ever",
    "refused_content": "Refuses the content",
    "wrong_key": "Does not know our key",
    "no_balance": "Our credits there are used up",
    "late_result": "The song comes after its cancel",
}
"""What every upstream with a wire plays; the words that describe a scene of one wire alone stand with its cells."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One provider, or one shape of its wire: `slug` or `slug/shape`. `own_scenes` are played by this wire alone."""

    title: str
    cells: dict[str, Cell]
    own_scenes: dict[str, str] = field(default_factory=dict)
    has_wire: bool = True
    order: dict[str, Any] = field(default_factory=lambda: {"prompt": "a song", "lyrics": "[Verse]\nla la"})
    """The song that is ordered, by fields of the song request."""
    capabilities: dict[str, Any] = field(default_factory=dict)
    """What the model can besides what every model of these tests can."""
    endpoint: str = ""
    """The mapping's `upstream_endpoint`."""


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
NOT_REACHED: Final = Cell(state="failed", code="upstream_error", events=GIVEN_UP.events, orders=0)
REFUSED_CONTENT: Final = Cell(state="failed", code="content_policy", events=REFUSED.events, orders=1)
SENT_AGAIN: Final = Cell(state="succeeded", events=SOLD.events, orders=2, songs=1, charged=1)
"""One song, ordered twice under one key."""
LATE: Final = Cell(state="cancelled", code="cancelled", events="queued started cancelled", orders=1, attempts="late")
