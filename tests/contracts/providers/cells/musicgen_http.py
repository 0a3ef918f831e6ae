"""What becomes of an order at an upstream of the wire `musicgen`.

It bills nobody and stops when its client leaves, so a song that did not come was not made, and nothing is ever late.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tests.contracts.providers.cells.base import (
    BAD_TWICE,
    GIVEN_UP,
    NOT_REACHED,
    OVERDUE,
    REFUSED,
    REFUSED_CONTENT,
    SENT_AGAIN,
    SOLD,
    SOLD_AT_SECOND,
    Cell,
    Column,
)

OWN_SCENES: Final = {
    "busy": "503, busy with another song, then good",
    "loose": "Good, in events as loosely written as may be",
    "error_event": "An `error` event, then good",
    "stopped_then_good": "The stream ends without a song, then good",
}
ORDER: Final = {"prompt": "a song", "instrumental": True, "duration_seconds": 1.0}

_FREED: Final = replace(OVERDUE, is_flagged=False)
_PLAIN: Final = {
    "good": SOLD,
    "slow": SOLD,
    "loose": SOLD,
    "rate_limited": SOLD_AT_SECOND,
    # Asked again at once: a busy service makes no song.
    "busy": replace(SOLD, orders=2),
    "error_then_good": SOLD_AT_SECOND,
    "bare_error_then_good": SOLD_AT_SECOND,
    "error_event": SOLD_AT_SECOND,
    "stopped_then_good": SOLD_AT_SECOND,
    "cut": GIVEN_UP,
    "html": GIVEN_UP,
    "no_answer": _FREED,
    "not_reached": NOT_REACHED,
    "wrong_type": BAD_TWICE,
    "empty_audio": GIVEN_UP,
    "silent_audio": BAD_TWICE,
    "unknown_word": GIVEN_UP,
    "never_finishing": _FREED,
    "refused_content": REFUSED_CONTENT,
    "wrong_key": REFUSED,
    "no_balance": REFUSED,
    "late_result": Cell(state="cancelled", code="cancelled", events="queued started cancelled", orders=1),
}

COLUMNS: Final = {
    "musicgen_http": Column(title="musicgen_http", cells=_PLAIN, own_scenes=OWN_SCENES, order=ORDER),
    # The same order under the same key is the same song there, so an order of unknown fate is sent again.
    "musicgen_http/tutti": Column(
        title="musicgen_http, a Tutti",
        cells=_PLAIN
        | dict.fromkeys(
            ("error_then_good", "bare_error_then_good", "stopped_then_good", "cut", "html", "unknown_word"), SENT_AGAIN
        )
        | {"busy": replace(SENT_AGAIN)},
        own_scenes=OWN_SCENES,
        order=ORDER,
    ),
}
