"""The wire `openai_music`: POST /v1/music/generations and what belongs to it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Final

from generation.contract import USUAL_LINK_LIFE, JobView, Order, Reply, Sampling, SongRequest
from generation.dialects import openai_answers
from generation.dialects.base import CAUSES, Cause, Refused, failure_of, retry_headers
from generation.dialects.reading import Fields
from generation.dialects.vocabulary import asked, refuse_unconveyed, unknown, unread

SLUG: Final = "openai_music"

WRITES_LYRICS: Final = "lyrics_optimizer"
REQUIRED: Final = ("model", "catelogid", "prompt", "lyrics")
FORMATS: Final = ("mp3", "wav", "flac", "opus", "m4a", "pcm")
SAMPLE_RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
BITRATES: Final = (32_000, 48_000, 64_000, 96_000, 128_000, 160_000, 192_000, 224_000, 256_000, 320_000)
CHANNELS: Final = (1, 2)
AUDIO_SETTING: Final = ("format", "sample_rate", "bitrate", "channel")
WHY_IN_SETTING: Final = {"stereo": "The parameter {name} belongs to another API. Say it as `audio_setting.channel`: 2."}
OUTPUT_FORMATS: Final = ("url", "hex")
LONGEST_NAME: Final = 100
LONGEST_TITLE: Final = 200
LONGEST_TEXT: Final = 100_000
LONGEST_TRANSNO: Final = 255
HIGHEST_SEED: Final = 2**63 - 1
LONGEST_SECONDS: Final = 3600

NAMES: Final = {
    "takes": "n",
    "duration_seconds": "duration",
    "enhance": "mbd",
    "write_lyrics": "lyrics_optimizer",
    "partial_audio": "stream",
    "format": "audio_setting.format",
    "sample_rate": "audio_setting.sample_rate",
    "bitrate": "audio_setting.bitrate",
    "channels": "audio_setting.channel",
}
"""How this wire spells the fields of the song request."""

CONVEYED: Final = frozenset(
    {*REQUIRED, "output_format", "audio_setting", "transno", "n", "duration", "instrumental", "seed", "title"}
    | {"watermark", "stream", "top_k", "top_p", "temperature", "cfg_coef", "mbd"}
    | {"is_instrumental", "lyrics_optimizer", "aigc_watermark"}
)
"""What this wire takes; every other documented field of any wire is refused by name."""

OWN_CAUSES: Final[dict[str, Cause]] = CAUSES | {
    "missing_api_key": dataclasses.replace(CAUSES["missing_api_key"], status=403),
    "model_not_found": dataclasses.replace(CAUSES["model_not_found"], status=400),
}
"""Where this wire answers otherwise than the rest."""


class OpenAIMusic:
    slug = SLUG
    link_life = USUAL_LINK_LIFE

    def parse(self, body: Mapping[str, Any], path: Mapping[str, str]) -> Order:
        """Read an order in the order of the wire: what is missing, then what is unsound, then what is not conveyed."""
        fields = Fields(body)
        _refuse_missing(fields)
        song = _song(fields)
        wire = {"output_format": fields.choice("output_format", OUTPUT_FORMATS) or "url"}
        order = Order(
            song=song,
            model=fields.text("model", longest=LONGEST_NAME) or "",
            catalog=fields.text("catelogid", longest=LONGEST_NAME) or "",
            wire=wire | {"stream": fields.truth("stream") or False},
            names=NAMES | _spelled(body),
            # A stream of events is given for every model; sound is in it where the model lets itself be heard.
            implied=("partial_audio",),
            made_good=("partial_audio",),
            transno=fields.text("transno", longest=LONGEST_TRANSNO),
            ignored=tuple(_ignored(fields, song)),
        )
        refuse_unconveyed(body, CONVEYED, _WHY)
        return order

    def accepted(self, job: JobView) -> Reply:
        return openai_answers.accepted(job)

    def finished(self, job: JobView, *, request_id: str) -> Reply:
        if job.finished is None:
            return self.accepted(job)
        failure = failure_of(job, request_id=request_id)
        return self.refused(failure) if failure else self.view(job)

    def view(self, job: JobView) -> Reply:
        return openai_answers.view(job)

    def refused(self, refused: Refused) -> Reply:
        cause = OWN_CAUSES.get(refused.code, CAUSES["internal_error"])
        return openai_answers.error(cause, refused, retry_headers(cause, refused))


def _refuse_missing(fields: Fields) -> None:
    needs_no_lyrics = any(fields.body.get(name) is True for name in ("instrumental", "is_instrumental", WRITES_LYRICS))
    for name in REQUIRED:
        if name != "lyrics" or not needs_no_lyrics:
            fields.required_text(name)


def _song(fields: Fields) -> SongRequest:
    audio = fields.inside("audio_setting")
    is_instrumental = fields.truth("instrumental") or fields.truth("is_instrumental") or False
    prompt, lyrics = fields.text("prompt", longest=LONGEST_TEXT), fields.text("lyrics", longest=LONGEST_TEXT)
    return SongRequest(
        prompt=prompt or "",
        # Nobody sings in an instrumental piece, so its lyrics ask for nothing.
        lyrics=None if is_instrumental else lyrics,
        instrumental=is_instrumental,
        title=fields.text("title", longest=LONGEST_TITLE),
        duration_seconds=fields.number("duration", low=0.1, high=LONGEST_SECONDS),
        takes=fields.whole("n", low=1, high=100) or 1,
        seed=fields.whole("seed", low=0, high=HIGHEST_SEED),
        sampling=_sampling(fields),
        enhance=fields.truth("mbd") or False,
        format=audio.choice("format", FORMATS),
        sample_rate=audio.choice("sample_rate", SAMPLE_RATES),
        bitrate=audio.choice("bitrate", BITRATES),
        channels=audio.choice("channel", CHANNELS),
        watermark=fields.truth("watermark") or fields.truth("aigc_watermark") or False,
        partial_audio=fields.truth("stream") or False,
        write_lyrics=fields.truth("lyrics_optimizer") or False,
    )


def _sampling(fields: Fields) -> Sampling:
    """Only what was asked: the documented defaults of the wire that has these fields ask for nothing."""
    read: dict[str, Any] = {
        "top_k": fields.whole("top_k", low=0, high=1_000_000),
        "top_p": fields.number("top_p", low=0, high=1),
        "temperature": fields.number("temperature", low=0, high=1000),
        "cfg_coef": fields.number("cfg_coef", low=0, high=1000),
    }
    wanted = set(asked(fields.body))
    return Sampling(**{name: value for name, value in read.items() if name in wanted})


def _spelled(body: Mapping[str, Any]) -> dict[str, str]:
    """The spelling this order chose, where the wire knows two."""
    spelled = {}
    if body.get("is_instrumental") is True:
        spelled["instrumental"] = "is_instrumental"
    if body.get("aigc_watermark") is True:
        spelled["watermark"] = "aigc_watermark"
    return spelled


def _ignored(fields: Fields, song: SongRequest) -> Iterator[str]:
    """What asks for nothing here. Raises Refusal for what is not read and would change the song."""
    body = fields.body
    yield from unknown(body)
    yield from unread(fields.inside("audio_setting"), AUDIO_SETTING, WHY_IN_SETTING)
    if song.instrumental and body.get("lyrics"):
        yield "lyrics"


_WHY: Final = {
    "webhook": "Webhooks are not offered yet. Leave out {name}, and ask for the song or follow its events instead.",
    "description": "The parameter {name} belongs to another API. Say it in `prompt`.",
    "stereo": "The parameter {name} belongs to another API. Say it as `audio_setting.channel`: 2.",
}
