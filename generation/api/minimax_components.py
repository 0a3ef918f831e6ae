"""The bodies of the wire `minimax` as JSON Schema, written by hand."""

from __future__ import annotations

from typing import Final

from generation.api.components import TEXT, URL, WHOLE, Schema, nullable, ref, said, thing
from generation.dialects.minimax import BITRATES, CHANNELS, FORMATS, OUTPUT_FORMATS, SAMPLE_RATES
from generation.dialects.minimax_answers import MADE, MAKING, REFUSED_OUTPUT, STATUS_CODES, SUCCESS

ORDER: Final = thing(
    {"model": said(TEXT, "`music-2.6`, or any model that GET /v1/models lists")},
    {
        "lyrics": said(TEXT, "Required unless `is_instrumental` or `lyrics_optimizer` is true. The model limits it."),
        "prompt": said(TEXT, "Style, mood, scene. The model says whether it is required and how long it may be."),
        "stream": {"type": "boolean", "default": False, "description": "Answer with the song in pieces, as hex"},
        "output_format": {"enum": list(OUTPUT_FORMATS), "default": "hex", "description": "A link lives for 24 hours"},
        "audio_setting": ref("MiniMaxAudioSetting"),
        "aigc_watermark": {
            "type": "boolean",
            "default": False,
            "description": "A short audible mark at the end; not with `stream`",
        },
        "is_instrumental": {"type": "boolean", "default": False, "description": "No voice; `prompt` is required"},
        "lyrics_optimizer": {
            "type": "boolean",
            "default": False,
            "description": "Write lyrics from `prompt` when there are none",
        },
        "transno": said(TEXT, "Your own id of this order; the same as the header Idempotency-Key, which wins"),
    },
)
AUDIO_SETTING: Final = thing(
    {},
    {
        "sample_rate": {"enum": list(SAMPLE_RATES), "default": 44_100, "description": "Hertz"},
        "bitrate": {"enum": list(BITRATES), "default": 256_000, "description": "Bits per second"},
        "format": {"enum": list(FORMATS), "default": "mp3"},
        "channel": {"enum": list(CHANNELS), "default": 2},
    },
)
ANSWER: Final = thing(
    {
        "data": nullable(
            thing(
                {
                    "audio": said(TEXT, "Hex, or the link"),
                    "status": {
                        "enum": [MAKING, MADE],
                        "description": "1: a piece, or not yet there. 2: the whole",
                    },
                },
                {"audio_url": said(URL, "The link, when one was asked for")},
            )
        ),
        "trace_id": said(TEXT, "The id of the request, as in the headers Trace-Id and x-request-id"),
        "extra_info": said(
            nullable(
                thing(
                    {
                        "music_duration": said(WHOLE, "Milliseconds"),
                        "music_sample_rate": said(WHOLE, "Hertz"),
                        "music_channel": WHOLE,
                        "bitrate": said(WHOLE, "Bits per second"),
                        "music_size": said(WHOLE, "Bytes"),
                    }
                )
            ),
            "Measured from the delivered file",
        ),
        "analysis_info": {"type": "null"},
        "base_resp": thing(
            {
                "status_code": {
                    "enum": sorted({SUCCESS, REFUSED_OUTPUT, *STATUS_CODES.values()}),
                    "description": "0: success",
                },
                "status_msg": TEXT,
            }
        ),
    }
)
MINIMAX_COMPONENTS: Final[dict[str, Schema]] = {
    "MiniMaxAnswer": ANSWER,
    "MiniMaxAudioSetting": AUDIO_SETTING,
    "MiniMaxOrder": ORDER,
}
