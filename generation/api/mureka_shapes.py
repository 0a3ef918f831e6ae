"""What the published schema says of the routes of the wire `mureka`."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

from generation.api.shapes import IDEMPOTENCY, IN_AN_ORDER, JSON, gives, operation
from generation.dialects.base import CAUSES

TAG: Final = "mureka"
REFUSED: Final = (
    *IN_AN_ORDER,
    "not_found",
    "idempotency_conflict",
    "insufficient_quota",
    "rate_limit_exceeded",
    "busy",
)
PREPARED: Final = "The task, which is asked for from now on"
STANDS: Final = "The task, however it stands: a song that failed is told by `status` and `failed_reason`"
WORDS: Final = "[Verse]\nStreetlights glow and the night wind sighs\n\n[Chorus]\nPush the door, the air is warm"
SONG: Final = {"lyrics": WORDS, "n": 1, "prompt": "indie folk, a walk alone"}
EXTENSION: Final = {"song_id": "2084726510947365012938", "extend_at": "8000", "lyrics": WORDS}
PIECE: Final = {"prompt": "indie folk, a walk alone", "n": 1}


def _order(name: str, summary: str, body: str, example: dict[str, Any], *, maas: bool = False) -> Any:
    return operation(
        name,
        summary,
        gives("MurekaMaasTask" if maas else "MurekaTask", PREPARED),
        tag=TAG,
        takes=body,
        parameters=[IDEMPOTENCY],
        examples=[OpenApiExample("A first song", request_only=True, media_type=JSON, value=example)],
        codes=REFUSED,
        causes=CAUSES,
        error="MurekaMaasError" if maas else "MurekaError",
    )


def _query(name: str, summary: str, *, maas: bool = False) -> Any:
    return operation(
        name,
        summary,
        gives("MurekaMaasTask" if maas else "MurekaTask", STANDS),
        tag=TAG,
        codes=("not_found",),
        causes=CAUSES,
        error="MurekaMaasError" if maas else "MurekaError",
    )


generate_at_endpoint = _order(
    "generate_mureka_song_at_endpoint", "Songs by the endpoint's model", "MurekaSongOrder", SONG, maas=True
)
extend_at_endpoint = _order(
    "extend_mureka_song_at_endpoint",
    "A song up to a point, unchanged, and its continuation",
    "MurekaExtensionOrder",
    EXTENSION,
    maas=True,
)
query_at_endpoint = _query("query_mureka_song_at_endpoint", "A task of songs, whatever ordered it", maas=True)
generate = _order("generate_mureka_song", "Songs by the model in the body", "MurekaSongOrder", SONG)
extend = _order(
    "extend_mureka_song", "A song up to a point, unchanged, and its continuation", "MurekaExtensionOrder", EXTENSION
)
generate_instrumental = _order(
    "generate_mureka_instrumental", "Pieces without a voice", "MurekaInstrumentalOrder", PIECE
)
query = _query("query_mureka_song", "A task of songs, whatever ordered it")
query_instrumental = _query("query_mureka_instrumental", "A task of pieces without a voice, whatever ordered it")
