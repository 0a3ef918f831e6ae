"""What the published schema says of the wire `minimax`."""

from __future__ import annotations

from typing import Final

from drf_spectacular.utils import OpenApiExample, extend_schema

from generation.api.components import TEXT, ref
from generation.api.shapes import IDEMPOTENCY, JSON, said
from generation.dialects.minimax_answers import REFUSED_OUTPUT, STATUS_CODES

SUMMARY: Final = "Order a song in the words of MiniMax; waits for it"


def causes(what: str) -> str:
    """The description of the one answer: what it holds, or which codes tell why there is none."""
    by_status: dict[int, list[str]] = {}
    for code, status_code in STATUS_CODES.items():
        by_status.setdefault(status_code, []).append(f"`{code}`")
    by_status[REFUSED_OUTPUT] = ["`content_policy` of what was made"]
    listed = "; ".join(f"{status_code}: {', '.join(codes)}" for status_code, codes in sorted(by_status.items()))
    return f"{what}, or why there is none: failures are 200 too, told by `base_resp.status_code`. {listed}"


EXAMPLE: Final = OpenApiExample(
    "A first song",
    request_only=True,
    media_type=JSON,
    value={
        "model": "music-2.6",
        "prompt": "Indie folk, melancholic, a walk alone, a café",
        "lyrics": "[Verse]\nStreetlights glow and the night wind sighs\n[Chorus]\nPush the door, the air is warm",
        "audio_setting": {"sample_rate": 44100, "bitrate": 256000, "format": "mp3"},
    },
)
FRAMES: Final = {**TEXT, "contentMediaType": "application/json", "contentSchema": ref("MiniMaxAnswer")}

order_song = extend_schema(
    operation_id="order_minimax_song",
    summary=SUMMARY,
    description=f"{SUMMARY}.",
    tags=["minimax"],
    request={JSON: ref("MiniMaxOrder")},
    responses={
        (200, JSON): said(ref("MiniMaxAnswer"), causes("The song")),
        (200, "text/event-stream"): said(
            FRAMES, "With `stream`: frames `data: ANSWER`, pieces of status 1 and then the whole of status 2"
        ),
    },
    parameters=[IDEMPOTENCY],
    examples=[EXAMPLE],
)
