"""The bodies of the wire `musicgen` as JSON Schema, written by hand."""

from __future__ import annotations

from typing import Final

from generation.api.components import NUMBER, TEXT, TRUTH, Schema, said, thing
from generation.dialects.base import CAUSES
from generation.dialects.musicgen import LONGEST_SECONDS, SHORTEST_SECONDS, USUAL_SECONDS

ORDER: Final = thing(
    {"description": said(TEXT, "What the music should be like. Lines under tags such as [Verse] are lyrics.")},
    {
        "duration": {
            "type": "integer",
            "minimum": SHORTEST_SECONDS,
            "maximum": LONGEST_SECONDS,
            "default": USUAL_SECONDS,
            "description": "Seconds",
        },
        "mbd": {"type": "boolean", "default": False, "description": "Enhance the sound by MultiBand Diffusion"},
        "top_k": {"type": "integer", "minimum": 0, "default": 250},
        "top_p": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.0},
        "temperature": {"type": "number", "minimum": 0, "default": 1.0},
        "cfg_coef": {"type": "number", "minimum": 0, "default": 3.0, "description": "How closely the text is followed"},
        "model": said(TEXT, "A name that GET /v1/models lists; without one the default model of this wire"),
        "seed": {"type": "integer", "minimum": 0},
        "stereo": said({**TRUTH, "default": False}, "Two channels of the model's own; needs a stereo model"),
        "transno": said(TEXT, "Your own id of this order; the same as the header Idempotency-Key, which wins"),
    },
)
EVENT: Final[Schema] = {
    "oneOf": [
        said(thing({"event": {"const": "start"}}), "The work begins"),
        thing({"event": {"const": "progress"}, "progress": said(NUMBER, "Percent, 0-100; it never falls")}),
        thing({"event": {"const": "completed"}, "audio": said(TEXT, "WAV, 32 kHz, 16 bit, in base64")}),
        thing({"event": {"const": "error"}, "message": TEXT}),
    ]
}
ERROR: Final = thing({"error": thing({"message": TEXT, "code": {"enum": list(CAUSES)}, "request_id": TEXT})})
MUSICGEN_COMPONENTS: Final[dict[str, Schema]] = {
    "MusicGenError": ERROR,
    "MusicGenEvent": EVENT,
    "MusicGenOrder": ORDER,
}
