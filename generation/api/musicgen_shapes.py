"""What the published schema says of the wire `musicgen`."""

from __future__ import annotations

from typing import Final

from drf_spectacular.utils import OpenApiExample

from generation.api.components import TEXT, ref
from generation.api.shapes import IDEMPOTENCY, IN_AN_ORDER, JSON, operation, said
from generation.dialects.base import CAUSES

EXAMPLE: Final = OpenApiExample(
    "Drums",
    request_only=True,
    media_type=JSON,
    value={"description": "Electronic music with heavy drums and a strong rhythm", "duration": 15},
)
FRAMES: Final = {**TEXT, "contentMediaType": "application/json", "contentSchema": ref("MusicGenEvent")}

generate_music = operation(
    "generate_music",
    "Order music in the words of a MusicGen service; a client that leaves cancels its order",
    {
        (200, "text/event-stream"): said(
            FRAMES, "Frames `data: EVENT` until `completed` or `error`; comments as pings every 15 seconds"
        )
    },
    tag="musicgen",
    takes="MusicGenOrder",
    parameters=[IDEMPOTENCY],
    examples=[EXAMPLE],
    codes=(*IN_AN_ORDER, "idempotency_conflict", "insufficient_quota", "rate_limit_exceeded", "busy"),
    causes=CAUSES,
    error="MusicGenError",
)
