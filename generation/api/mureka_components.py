"""The bodies of the wire `mureka` as JSON Schema, in both its envelopes."""

from __future__ import annotations

from typing import Final

from generation.api.components import MOMENT, TEXT, URL, WHOLE, Schema, nullable, ref, said, thing
from generation.dialects.base import CAUSES
from generation.dialects.mureka_envelopes import SUCCESS
from generation.dialects.mureka_orders import EARLIEST_MS, LATEST_MS, MOST_TAKES, TAKES
from generation.dialects.mureka_tasks import STATUSES

DIGITS: Final[Schema] = {"type": "string", "pattern": "^[1-9][0-9]*$"}
MILLISECONDS: Final = said(WHOLE, "Milliseconds")
TRACE: Final = said(TEXT, "The id of the request, as in the headers Trace-Id and x-request-id")
SECTION_TYPES: Final = ("intro", "verse", "pre-chorus", "chorus", "bridge", "break", "outro")

LYRICS: Final = said(TEXT, "The words, under tags such as [Verse]")
MODEL: Final = said(TEXT, "At an endpoint: another name of its model. Else any model; `auto` or none: the default")
TRANSNO: Final = said(TEXT, "Your own id of this order; the same as the header Idempotency-Key, which wins")
STREAM: Final = {"type": "boolean", "default": False, "description": "Let the song be heard while it is made"}
PROMPT: Final = said(TEXT, "What the song is like: up to 1024 characters, or as the model says")
TAKES_ASKED: Final = {"type": "integer", "minimum": 1, "maximum": MOST_TAKES, "default": TAKES}


def several(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def upload(purpose: str, excludes: str) -> Schema:
    return said(DIGITS, f"An upload for the purpose `{purpose}`; not with {excludes}")


def timed(more: dict[str, Schema]) -> Schema:
    return thing({"start": MILLISECONDS, "end": MILLISECONDS, **more})


SONG_ORDER: Final = thing(
    {"lyrics": LYRICS},
    {
        "n": TAKES_ASKED,
        "prompt": said(PROMPT, f"{PROMPT['description']}; not with an upload"),
        "reference_id": upload("reference", "`prompt` and `melody_id`"),
        "vocal_id": upload("vocal", "`prompt` and `melody_id`"),
        "melody_id": upload("melody", "any other control"),
        "stream": STREAM,
        "model": MODEL,
        "transno": TRANSNO,
    },
)
EXTENSION_ORDER: Final = thing(
    {
        "lyrics": LYRICS,
        "extend_at": {
            "anyOf": [
                {"type": "string", "pattern": "^[0-9]+$"},
                {"type": "integer", "minimum": EARLIEST_MS, "maximum": LATEST_MS},
            ],
            "description": f"Milliseconds, {EARLIEST_MS}-{LATEST_MS}; beyond the song: its end",
        },
    },
    {
        "song_id": said(DIGITS, "The `id` of a choice; either this or an upload"),
        "upload_audio_id": said(DIGITS, "An upload for the purpose `reference` or `audio`"),
        "model": MODEL,
        "transno": TRANSNO,
    },
)
INSTRUMENTAL_ORDER: Final = thing(
    {"prompt": PROMPT}, {"n": TAKES_ASKED, "stream": STREAM, "model": MODEL, "transno": TRANSNO}
)
CHOICE: Final = thing(
    {
        "index": WHOLE,
        "id": nullable(DIGITS),
        "url": said(nullable(URL), "The song as mp3, for 31 days; null while it is made"),
        "wav_url": nullable(URL),
        "flac_url": nullable(URL),
        "stream_url": said(
            nullable(URL), "While the status is `streaming`: audio/mpeg that grows and ends with the song"
        ),
        "duration": nullable(MILLISECONDS),
        "lyrics_sections": nullable(
            several(
                timed(
                    {
                        "section_type": {"enum": list(SECTION_TYPES)},
                        "lines": several(timed({"text": TEXT, "words": several(timed({"text": TEXT}))})),
                    }
                )
            )
        ),
    }
)
TASK: Final = {
    "created_at": MOMENT,
    "finished_at": nullable(MOMENT),
    "model": TEXT,
    "status": {"enum": list(STATUSES)},
    "failed_reason": nullable(TEXT),
    "watermarked": {"enum": [True, None]},
    "choices": nullable(several(ref("MurekaChoice"))),
}
FAILURES: Final = sorted({cause.status for cause in CAUSES.values()})
MUREKA_COMPONENTS: Final[dict[str, Schema]] = {
    "MurekaChoice": CHOICE,
    "MurekaError": thing({"error": thing({"message": TEXT}), "trace_id": TRACE}),
    "MurekaExtensionOrder": EXTENSION_ORDER,
    "MurekaInstrumentalOrder": INSTRUMENTAL_ORDER,
    "MurekaMaasError": thing(
        {"code": {"enum": FAILURES}, "data": {"type": "null"}, "code_msg": TEXT, "trace_id": TRACE}
    ),
    "MurekaMaasTask": thing(
        {
            "code": {"const": SUCCESS},
            "data": thing({"taskId": DIGITS, "trace_id": TRACE, **TASK}),
            "code_msg": TEXT,
            "trace_id": TRACE,
        }
    ),
    "MurekaSongOrder": SONG_ORDER,
    "MurekaTask": thing({"id": DIGITS, **TASK, "trace_id": TRACE}),
}
