"""The bodies of the wire as JSON Schema, written by hand: what the published schema refers to."""

from __future__ import annotations

from typing import Any, Final

from generation.dialects.base import CAUSES
from generation.dialects.openai_answers import STATE
from generation.dialects.openai_music import BITRATES, CHANNELS, FORMATS, OUTPUT_FORMATS, SAMPLE_RATES

Schema = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
WHOLE: Final[Schema] = {"type": "integer"}
NUMBER: Final[Schema] = {"type": "number"}
TRUTH: Final[Schema] = {"type": "boolean"}
UUID: Final[Schema] = {"type": "string", "format": "uuid"}
URL: Final[Schema] = {"type": "string", "format": "uri"}
MOMENT: Final[Schema] = {"type": "integer", "description": "Unix seconds"}
CREDITS: Final[Schema] = {"type": "string", "description": "An amount in credits", "examples": ["1.50"]}
MICRO: Final[Schema] = {"type": "integer", "description": "Micro-credits (10⁻⁶ credits)"}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def said(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def thing(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": list(required)}


def listed(item: Schema) -> Schema:
    return thing(
        {
            "object": {"const": "list"},
            "data": {"type": "array", "items": item},
            "has_more": TRUTH,
            "next": said(nullable(TEXT), "What to give as `after` for the next page"),
        }
    )


AUDIO_SETTING: Final = thing(
    {},
    {
        "format": {"enum": list(FORMATS)},
        "sample_rate": {"enum": list(SAMPLE_RATES), "description": "Hertz"},
        "bitrate": {"enum": list(BITRATES), "description": "Bits per second"},
        "channel": {"enum": list(CHANNELS)},
    },
)
ORDER: Final = thing(
    {
        "model": said(TEXT, "A name that GET /v1/models lists"),
        "catelogid": said(TEXT, "A kind of work, by id or name: `music_gen`"),
        "prompt": said(TEXT, "Style, mood, scene. The model says how long it may be."),
    },
    {
        "lyrics": said(TEXT, "Required unless `instrumental` is true. Tags such as [Verse] structure the song."),
        "output_format": {
            "enum": list(OUTPUT_FORMATS),
            "default": "url",
            "description": "A link, or hex in the answer",
        },
        "audio_setting": ref("AudioSetting"),
        "transno": said(TEXT, "Your own id of this order; the same as the header Idempotency-Key, which wins"),
        "n": {"type": "integer", "minimum": 1, "default": 1, "description": "Takes; each delivered one is charged"},
        "duration": {"type": "number", "description": "Seconds"},
        "instrumental": {"type": "boolean", "default": False},
        "seed": {"type": "integer", "minimum": 0},
        "title": {"type": "string", "maxLength": 200},
        "watermark": {"type": "boolean", "default": False, "description": "A short audible mark at the end"},
        "stream": {"type": "boolean", "default": False, "description": "Answer with the events of the job"},
        "top_k": {"type": "integer", "minimum": 0},
        "top_p": {"type": "number", "minimum": 0, "maximum": 1},
        "temperature": {"type": "number", "minimum": 0},
        "cfg_coef": {"type": "number", "minimum": 0},
        "mbd": {"type": "boolean", "default": False, "description": "Enhance the sound after the model"},
    },
)
AUDIO: Final = thing(
    {
        "take": WHOLE,
        "audio": said(TEXT, "A link that lives for 7 days, or hex"),
        "duration": said(NUMBER, "Seconds"),
        "format": {"enum": list(FORMATS)},
        "sample_rate": WHOLE,
        "channels": WHOLE,
        "bitrate": WHOLE,
        "size": said(WHOLE, "Bytes"),
        "sha256": TEXT,
        "seed": nullable(WHOLE),
        "lyrics": said(
            nullable(
                thing(
                    {
                        "lrc": URL,
                        "srt": URL,
                        "vtt": URL,
                        "estimated": said(TRUTH, "True: from the words and the length, as no vendor gave times"),
                    }
                )
            ),
            "Timed lyrics, behind links that live as long as that of the audio; null where nothing is sung",
        ),
        "micro_credits": MICRO,
    }
)
SONG: Final = thing(
    {
        "id": UUID,
        "object": {
            "enum": ["music.generation", "lyrics.generation"],
            "description": "`lyrics.generation`: a text alone was ordered; there is no audio",
        },
        "model": TEXT,
        "status": {"enum": list(STATE)},
        "audio": said(nullable(TEXT), "The first take: a link that lives for 7 days, or hex"),
        "created": MOMENT,
        "finished": nullable(MOMENT),
        "duration": said(nullable(NUMBER), "Seconds of the first take"),
        "audios": said({"type": "array", "items": ref("Audio")}, "Every delivered take"),
        "lyrics": nullable(TEXT),
        "seed": nullable(WHOLE),
        "usage": nullable(thing({"price": CREDITS, "currency": TEXT, "micro_credits": MICRO})),
        "urls": thing({"get": URL, "events": URL, "cancel": URL}),
    },
    {
        "progress": said(nullable(NUMBER), "0-100, while the song is made"),
        "streaming": TRUTH,
        "title": said(nullable(TEXT), "Of a text that was ordered alone"),
        "style_tags": said(nullable(TEXT), "Of a text that was ordered alone, separated by commas"),
        "error": said(ref("Fault"), "Why the song was not made"),
    },
)
FAULT: Final = thing(
    {"message": TEXT, "type": TEXT, "param": nullable(TEXT), "code": {"enum": list(CAUSES)}},
)
ERROR: Final = thing(
    {
        "error": thing(
            {
                "message": TEXT,
                "type": {"enum": list(dict.fromkeys(cause.type for cause in CAUSES.values()))},
                "param": said(nullable(TEXT), "The field at fault"),
                "code": {"enum": list(CAUSES)},
                "request_id": TEXT,
            },
            {"id": said(UUID, "The job, when its end is what is told")},
        )
    }
)
EVENT: Final = {
    **thing(
        {
            "seq": said(WHOLE, "1, 2, 3 … without gaps"),
            "id": said(UUID, "The job"),
            "type": {
                "enum": [
                    *("queued", "started", "progress", "lyrics", "audio", "take", "take_failed", "retrying"),
                    *("succeeded", "failed", "cancelled", "expired"),
                ]
            },
            "at": {"type": "string", "format": "date-time"},
        }
    ),
    "description": "A final event (succeeded, failed, cancelled, expired) is the last and carries the song.",
}
PRICE: Final = thing(
    {
        "unit": {"enum": ["song", "second", "request", "1k tokens"]},
        "price": CREDITS,
        "filters": said({"type": "object"}, "Which orders it is for; empty: all"),
    }
)
MODEL: Final = thing(
    {
        "id": TEXT,
        "object": {"const": "model"},
        "created": MOMENT,
        "owned_by": TEXT,
        "description": TEXT,
        "aliases": {"type": "array", "items": TEXT},
        "catelogs": {"type": "array", "items": TEXT},
        "capabilities": {"type": "object"},
        "limits": {"type": "object"},
        "input_schema": said({"type": "object"}, "JSON Schema of what an order for this model may hold"),
        "price": {"type": "array", "items": ref("Price")},
        "currency": TEXT,
        "expected_seconds": nullable(NUMBER),
        "licence": TEXT,
        "commercial_use": TRUTH,
    }
)
CATELOG: Final = thing({"id": TEXT, "object": {"const": "catelog"}, "name": TEXT, "description": TEXT})
PRICE_PROGRAM: Final = thing(
    {
        "ppid": TEXT,
        "name": TEXT,
        "pricing_type": TEXT,
        "display_text": TEXT,
        "models": {"type": "array", "items": TEXT},
        "items": {"type": "array", "items": ref("Price")},
    }
)
QUOTE: Final = thing(
    {
        "object": {"const": "music.quote"},
        "model": TEXT,
        "price": said(CREDITS, "The most the order can cost"),
        "currency": TEXT,
        "micro_credits": MICRO,
        "limits": {"type": "object"},
        "expected_seconds": nullable(NUMBER),
        "approximated": said({"type": "array", "items": TEXT}, "Fields the model takes as a wish"),
    }
)
TASK: Final = {
    "anyOf": [
        thing({"status": {"const": "ok"}, "data": ref("Song")}),
        thing({"status": {"const": "error"}, "data": thing({"message": TEXT})}),
    ]
}
TICKET: Final = thing({"object": {"const": "ws_ticket"}, "ticket": TEXT, "expires_at": MOMENT})
HEALTH: Final = thing({"status": {"const": "ok"}})

COMPONENTS: Final[dict[str, Schema]] = {
    "Audio": AUDIO,
    "AudioSetting": AUDIO_SETTING,
    "Catelog": CATELOG,
    "CatelogList": listed(ref("Catelog")),
    "Error": ERROR,
    "Event": EVENT,
    "Fault": FAULT,
    "Health": HEALTH,
    "Model": MODEL,
    "ModelList": listed(ref("Model")),
    "Order": ORDER,
    "Price": PRICE,
    "PriceProgram": PRICE_PROGRAM,
    "PriceProgramList": listed(ref("PriceProgram")),
    "Quote": QUOTE,
    "Song": SONG,
    "SongList": listed(ref("Song")),
    "Task": TASK,
    "Ticket": TICKET,
}
