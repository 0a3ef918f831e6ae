"""What becomes of an order at an upstream of the wire `minimax`, in one answer and streamed."""

from __future__ import annotations

from dataclasses import replace
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
    Cell,
    Column,
)

OWN_SCENES: Final = {
    "busy_in_200": "200 with its code for too many calls, then good",
    "broken_in_200": "200 with its code for an error of its own, then good",
    "always_broken": "200 with its code for an unknown error each time",
    "unknown_code": "200 with a code nobody described, then good",
    "code_beside_audio": "200 with a code nobody described beside the audio",
    "refused_output": "Refuses what it has made",
    "refused_order": "Refuses a value of the order",
}
_WHOLE_SCENES: Final = {
    "linked": "Answers with a link",
    "stumbling_download": "503, a page and a cut file in place of the result, then the result",
    "no_hex": "Audio that is no hex",
}
_STREAMED_SCENES: Final = {
    "only_whole": "A stream of one event that has the whole song",
    "refused_halfway": "Refuses its song after half of the pieces",
}

_ANY: Final = {
    "good": SOLD,
    "slow": SOLD,
    "rate_limited": SOLD_AT_SECOND,
    "busy_in_200": SOLD_AT_SECOND,
    "error_then_good": SOLD_AT_SECOND,
    "broken_in_200": SOLD_AT_SECOND,
    "always_broken": GIVEN_UP,
    "bare_error_then_good": UNKNOWN,
    "unknown_code": SOLD_AT_SECOND,
    "code_beside_audio": UNKNOWN,
    "cut": UNKNOWN,
    "html": UNKNOWN,
    "no_answer": OVERDUE,
    "not_reached": NOT_REACHED,
    "wrong_type": BAD_TWICE,
    "empty_audio": UNKNOWN,
    "silent_audio": BAD_TWICE,
    "unknown_word": UNKNOWN,
    "never_finishing": OVERDUE,
    "refused_content": REFUSED_CONTENT,
    "refused_output": REFUSED_CONTENT,
    "refused_order": REFUSED,
    "wrong_key": REFUSED,
    "no_balance": REFUSED,
    "late_result": LATE,
}
_WHOLE: Final = {"linked": SOLD, "stumbling_download": SOLD, "no_hex": UNKNOWN}


def heard(cell: Cell, pieces: int = 4, *, attempt: int | None = None) -> Cell:
    """The cell of an order whose pieces are heard after the start of one attempt; None: of each."""
    starts = cell.events.split(" started ")
    told = [
        "started " + "audio " * pieces if attempt in (None, number) else "started " for number in range(1, len(starts))
    ]
    log = starts[0] + "".join(f" {start}{rest}" for start, rest in zip(told, starts[1:], strict=True))
    return replace(cell, events=log)


_STREAMED: Final = {
    **{scene: heard(_ANY[scene]) for scene in ("good", "slow", "silent_audio", "never_finishing")},
    **{
        scene: heard(SOLD_AT_SECOND, attempt=2)
        for scene in ("rate_limited", "busy_in_200", "error_then_good", "broken_in_200", "unknown_code")
    },
    "unknown_word": heard(UNKNOWN),
    "cut": heard(UNKNOWN, pieces=2),
    "only_whole": SOLD,
    "refused_halfway": heard(REFUSED_CONTENT, pieces=2),
}

COLUMNS: Final = {
    "minimax": Column(title="minimax", cells=_ANY | _WHOLE, own_scenes=OWN_SCENES | _WHOLE_SCENES),
    # The pieces of a WAV: what stands in for an upstream writes no MP3.
    "minimax/streamed": Column(
        title="minimax, heard while it is made",
        cells=_ANY | _STREAMED,
        own_scenes=OWN_SCENES | _STREAMED_SCENES,
        order={"prompt": "a song", "lyrics": "[Verse]\nla la", "format": "wav", "partial_audio": True},
        capabilities={"streaming": "live"},
    ),
}
