"""What becomes of an order at an upstream of the wire `openai_music`."""

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
    SENT_AGAIN,
    SOLD,
    SOLD_AT_SECOND,
    UNKNOWN,
    Column,
)

OWN_SCENES: Final = {
    "hex": "Answers with the audio in hex",
    "asked_by_taskid": "Knows its songs only by `/v1/tasks`",
    "failed_in_200": "200 with an error inside, then good",
    "failed_task": "Accepts, and the task fails each time",
    "stumbling_download": "503, a page and a cut file in place of the result, then the result",
}

_ANY: Final = {
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
    "not_reached": NOT_REACHED,
    "wrong_type": BAD_TWICE,
    "empty_audio": UNKNOWN,
    "silent_audio": BAD_TWICE,
    "stumbling_download": SOLD,
    "unknown_word": UNKNOWN,
    "never_finishing": OVERDUE,
    "refused_content": REFUSED_CONTENT,
    "wrong_key": REFUSED,
    "no_balance": REFUSED,
    "late_result": LATE,
}

COLUMNS: Final = {
    "openai_music": Column(title="openai_music", cells=_ANY, own_scenes=OWN_SCENES),
    # The same order under the same key is the same song there, so an order of unknown fate is sent again.
    "openai_music/tutti": Column(
        title="openai_music, a Tutti",
        cells=_ANY | dict.fromkeys(("error_then_good", "bare_error_then_good", "cut", "html"), SENT_AGAIN),
        own_scenes=OWN_SCENES,
    ),
}
