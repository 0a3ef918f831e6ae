"""What the published schema says of lyrics: the calls that order a text, and the files of timed lyrics."""

from __future__ import annotations

from typing import Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema

from generation.api.components import TEXT, ref, thing
from generation.api.minimax_shapes import causes
from generation.api.shapes import AT_THE_END, IDEMPOTENCY, IN_AN_ORDER, JSON, gives, operation, said
from generation.dialects.base import CAUSES
from generation.dialects.minimax_answers import STATUS_CODES
from generation.dialects.minimax_lyrics import MODES
from generation.lyrics.sheets import SHEETS

LYRICS_COMPONENTS: Final = {
    "MiniMaxLyricsOrder": thing(
        {"mode": {"enum": list(MODES)}},
        {
            "prompt": {**TEXT, "description": "What the song is about, or what is to be changed"},
            "lyrics": {**TEXT, "description": "What an edit begins with; required there"},
            "title": {**TEXT, "description": "Kept, where one is given"},
            "transno": {**TEXT, "description": "Your own id of this order, like the header Idempotency-Key"},
        },
    ),
    "MiniMaxLyrics": thing(
        {
            "song_title": TEXT,
            "style_tags": {**TEXT, "description": "Separated by commas"},
            "lyrics": {**TEXT, "description": "Sections under tags such as [Verse]"},
            "base_resp": thing(
                {"status_code": {"enum": sorted({0, *STATUS_CODES.values()})}, "status_msg": TEXT},
            ),
        }
    ),
    "MurekaLyricsOrder": thing(
        {"prompt": {**TEXT, "description": "What the song is about"}},
        {"transno": {**TEXT, "description": "Your own id of this order, like the header Idempotency-Key"}},
    ),
    "MurekaLyrics": thing({"title": TEXT, "lyrics": {**TEXT, "description": "Sections under tags such as [Verse]"}}),
    "MurekaLyricsError": thing({"error": thing({"message": TEXT}), "trace_id": TEXT}),
}

write_lyrics = extend_schema(
    operation_id="write_minimax_lyrics",
    summary="Order lyrics in the words of MiniMax; waits for them",
    description="Order lyrics in the words of MiniMax; waits for them.",
    tags=["lyrics"],
    request={JSON: ref("MiniMaxLyricsOrder")},
    responses={(200, JSON): said(ref("MiniMaxLyrics"), causes("The lyrics"))},
    parameters=[IDEMPOTENCY],
    examples=[
        OpenApiExample(
            "A whole text",
            request_only=True,
            media_type=JSON,
            value={"mode": "write_full_song", "prompt": "A cheerful song about a summer day at the harbour"},
        )
    ],
)
generate_lyrics = operation(
    "generate_mureka_lyrics",
    "Order lyrics in the words of Mureka; waits for them",
    gives("MurekaLyrics", "The lyrics"),
    tag="lyrics",
    takes="MurekaLyricsOrder",
    parameters=[IDEMPOTENCY],
    codes=(*IN_AN_ORDER, "idempotency_conflict", "insufficient_quota", "rate_limit_exceeded", "busy", *AT_THE_END),
    causes=CAUSES,
    error="MurekaLyricsError",
)
read_timed_lyrics = operation(
    "read_timed_lyrics",
    "The timed lyrics of a take as a file",
    {
        (200, sheet.media_type.partition(";")[0]): said(TEXT, f"`lyrics.{name}`; times may be estimated, and say so")
        for name, sheet in SHEETS.items()
    },
    tag="lyrics",
    parameters=[
        OpenApiParameter("sheet", str, "path", enum=list(SHEETS)),
        OpenApiParameter("take", int, "path", description="0 for the first"),
    ],
    codes=("not_found",),
)
