"""What becomes of an order at an upstream of the wire `lyria`, in each of its shapes."""

from __future__ import annotations

from typing import Final

from tests.contracts.providers.cells.base import (
    BAD_TWICE,
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
    "overloaded": "503 with its documented error body, then good",
    "pieces_of_text": "The text in several pieces around the audio",
    "blocked_prompt": "200, and the prompt was blocked",
    "safety_finish": "200, and it ended for safety",
}
IN_PARTS: Final = {
    "wrong_label": "Audio labelled as a picture",
    "cover_first": "A picture before the audio",
}
"""What only an answer of labelled parts can be."""

_CHAT: Final = {
    "good": SOLD,
    "slow": SOLD,
    "pieces_of_text": SOLD,
    "rate_limited": SOLD_AT_SECOND,
    "overloaded": SOLD_AT_SECOND,
    "error_then_good": SOLD_AT_SECOND,
    "bare_error_then_good": UNKNOWN,
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
    "blocked_prompt": REFUSED_CONTENT,
    "safety_finish": REFUSED_CONTENT,
    "wrong_key": REFUSED,
    "no_balance": REFUSED,
    "late_result": LATE,
}
_CONTENT: Final = _CHAT | {"wrong_label": SOLD, "cover_first": SOLD}

# Shape -> its address, and the endpoint of the mapping.
_SHAPES: Final = {
    "endpoint": ("`/v1/ai/{endpoint}/music/generateContent`", "corner"),
    "endpoint_model": ("`/{endpoint}/music/v1beta1/publishers/google/models/{model}:generateContent`", "corner"),
    "endpoint_google_chat": ("`/v1/ai/{endpoint}/music/google/chat/completions`", "corner"),
    "endpoint_chat": ("`/v1/ai/{endpoint}/music/chat/completions`", "corner"),
    "chat": ("`/v1/music/chat/completions`", ""),
    "google": ("`/v1beta/models/{model}:generateContent`", ""),
    "vertex": (
        "`/v1beta1/{endpoint}/publishers/google/models/{model}:generateContent`",
        "projects/our-project/locations/us-central1",
    ),
}


def _column(shape: str, address: str, endpoint: str) -> Column:
    is_chat = shape.endswith("chat")
    return Column(
        title=f"lyria, {shape}: {address}",
        cells=_CHAT if is_chat else _CONTENT,
        own_scenes=OWN_SCENES if is_chat else OWN_SCENES | IN_PARTS,
        endpoint=endpoint,
    )


COLUMNS: Final = {f"lyria/{shape}": _column(shape, *given) for shape, given in _SHAPES.items()}
