"""The bodies of generateContent and of chat completions as JSON Schema."""

from __future__ import annotations

from typing import Any, Final

from generation.api.components import MOMENT, TEXT, UUID, WHOLE, Schema, nullable, said, thing
from generation.dialects.base import CAUSES
from generation.dialects.chat import FORMATS, OBJECT, ROLES
from generation.dialects.lyria import ERROR_INFO, MIME_TYPE, MODEL, OWN_CAUSES, STATUS, USER
from generation.dialects.modalities import MODALITIES

TRANSNO: Final = said(TEXT, "Your own id of this order; the same as the header Idempotency-Key, which wins")
BASE64: Final[Schema] = {"type": "string", "contentEncoding": "base64"}
STYLE_AND_WORDS: Final = "Lines under tags such as [Verse] are lyrics, the rest says what the song is like."


def several(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def always(value: Any) -> Schema:
    return {"const": value}


def modalities(words: list[str]) -> Schema:
    return said(several({"enum": words}), "Both unless said otherwise; audio is never left out")


CONTENT_ORDER: Final = thing(
    {
        "contents": several(
            thing(
                {"parts": several(thing({"text": said(TEXT, STYLE_AND_WORDS)}))},
                {"role": {"enum": [USER, MODEL], "default": USER}},
            )
        )
    },
    {
        "generationConfig": thing(
            {},
            {
                "responseModalities": modalities([word.upper() for word in MODALITIES]),
                "candidateCount": {"const": 1, "default": 1},
                "seed": {"type": "integer", "minimum": 0},
                "temperature": {"type": "number", "minimum": 0},
                "topK": {"type": "integer", "minimum": 0},
                "topP": {"type": "number", "minimum": 0, "maximum": 1},
            },
        ),
        "model": said(TEXT, "Where the address names no model: another name of the endpoint's"),
        "transno": TRANSNO,
    },
)
TEXT_PART: Final = thing({"text": said(TEXT, "Lyrics, or the structure of a song without words")})
AUDIO_PART: Final = thing({"inlineData": thing({"mimeType": always(MIME_TYPE), "data": BASE64})})
GENERATED: Final = thing(
    {
        "candidates": several(
            thing(
                {
                    "content": thing({"role": always(MODEL), "parts": several({"anyOf": [TEXT_PART, AUDIO_PART]})}),
                    "finishReason": always("STOP"),
                }
            )
        ),
        "usageMetadata": thing({"promptTokenCount": WHOLE, "candidatesTokenCount": WHOLE, "totalTokenCount": WHOLE}),
        "modelVersion": TEXT,
        "responseId": UUID,
    }
)
CONTENT_ERROR: Final = thing(
    {
        "error": thing(
            {
                "code": {"enum": sorted({cause.status for cause in OWN_CAUSES.values()})},
                "message": TEXT,
                "status": {"enum": sorted(set(STATUS.values()))},
                "details": several(thing({"@type": always(ERROR_INFO), "reason": {"enum": list(CAUSES)}})),
            }
        )
    }
)
CHAT_TEXT: Final = {"anyOf": [TEXT, several(thing({"type": always("text"), "text": TEXT}))]}
CHAT_ORDER: Final = thing(
    {
        "messages": several(
            thing({"role": {"enum": list(ROLES)}, "content": said(nullable(CHAT_TEXT), STYLE_AND_WORDS)})
        ),
    },
    {
        "model": said(TEXT, "Required where the address names no endpoint"),
        "modalities": modalities(list(MODALITIES)),
        "audio": thing(
            {}, {"format": {"enum": list(FORMATS), "default": "mp3", "description": "pcm16: 24 kHz, one channel"}}
        ),
        "stream": {"const": False, "default": False},
        "n": {"const": 1, "default": 1},
        "seed": {"type": "integer", "minimum": 0},
        "temperature": {"type": "number", "minimum": 0},
        "top_p": {"type": "number", "minimum": 0, "maximum": 1},
        "transno": TRANSNO,
    },
)
CHAT_MESSAGE: Final = thing(
    {
        "role": always("assistant"),
        "content": said(nullable(TEXT), "Lyrics, or the structure of a song without words; null when not wanted"),
        "audio": thing({"id": UUID, "data": BASE64, "expires_at": MOMENT, "transcript": TEXT}),
    }
)
COMPLETION: Final = thing(
    {
        "id": UUID,
        "object": always(OBJECT),
        "created": MOMENT,
        "model": TEXT,
        "choices": several(thing({"index": WHOLE, "finish_reason": always("stop"), "message": CHAT_MESSAGE})),
        "usage": thing({"prompt_tokens": WHOLE, "completion_tokens": WHOLE, "total_tokens": WHOLE}),
    }
)

LYRIA_COMPONENTS: Final[dict[str, Schema]] = {
    "ChatCompletion": COMPLETION,
    "ChatOrder": CHAT_ORDER,
    "ContentError": CONTENT_ERROR,
    "ContentOrder": CONTENT_ORDER,
    "GeneratedContent": GENERATED,
}
