"""What becomes of an order at an upstream of the wire `mureka`, in either envelope."""

from __future__ import annotations

from typing import Final

from tests.contracts.providers.cells.base import (
    BAD_TWICE,
    GIVEN_UP,
    LATE,
    NOT_REACHED,
    OVERDUE,
    REFUSED,
    REFUSED_CONTENT,
    SOLD,
    SOLD_AT_SECOND,
    UNKNOWN,
    Column,
)

OWN_SCENES: Final = {
    "failed_in_200": "200 with an error inside, then good",
    "gateway_gave_up": "504 with an error body, from whoever stands in front of it",
    "refused_order": "Does not take the order",
    "failed_task": "Accepts, and the task fails each time",
    "refused_task": "Accepts, and the task fails for its content",
    "timeouted": "Accepts, and the task times out each time",
    "cancelled": "Accepts, and the task is cancelled there each time",
    "unknown_end": "A status nobody described, and the task is over",
    "stumbling_poll": "500, a page, 429 and a cut answer in place of the task's status, then good",
    "stumbling_download": "503, a page and a cut file in place of the result, then the result",
}

_ANY: Final = {
    "good": SOLD,
    "slow": SOLD,
    "rate_limited": SOLD_AT_SECOND,
    "error_then_good": SOLD_AT_SECOND,
    "bare_error_then_good": UNKNOWN,
    "failed_in_200": SOLD_AT_SECOND,
    "gateway_gave_up": UNKNOWN,
    "cut": UNKNOWN,
    "html": UNKNOWN,
    "no_answer": OVERDUE,
    "not_reached": NOT_REACHED,
    "refused_order": REFUSED,
    "failed_task": GIVEN_UP,
    "refused_task": REFUSED_CONTENT,
    "timeouted": GIVEN_UP,
    "cancelled": GIVEN_UP,
    "stumbling_poll": SOLD,
    "wrong_type": BAD_TWICE,
    "empty_audio": UNKNOWN,
    "silent_audio": BAD_TWICE,
    "stumbling_download": SOLD,
    # Perhaps a new word for work under way: it is asked for until the deadline.
    "unknown_word": OVERDUE,
    "unknown_end": UNKNOWN,
    "never_finishing": OVERDUE,
    "refused_content": REFUSED_CONTENT,
    "wrong_key": REFUSED,
    "no_balance": REFUSED,
    "late_result": LATE,
}

COLUMNS: Final = {
    "mureka": Column(title="mureka", cells=_ANY, own_scenes=OWN_SCENES),
    "mureka/official": Column(title="mureka, the official envelope", cells=_ANY, own_scenes=OWN_SCENES),
}
