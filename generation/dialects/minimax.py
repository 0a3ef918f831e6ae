"""The wire `minimax`: POST /v1/music_generation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from generation.contract import JobView, Order, Refusal, Reply, SongRequest
from generation.dialects import minimax_answers
from generation.dialects.base import Refused, failed
from generation.dialects.reading import Fields
from generation.dialects.vocabulary import refuse_unconveyed, unknown, unread

SLUG: Final = "minimax"
LINK_LIFE: Final = timedelta(hours=24)
CATALOG: Final = "music_gen"

OUTPUT_FORMATS: Final = ("hex", "url")
FORMATS: Final = ("mp3", "wav", "pcm")
SAMPLE_RATES: Final = (16_000, 24_000, 32_000, 44_100)
BITRATES: Final = (32_000, 64_000, 128_000, 256_000)
CHANNELS: Final = (1, 2)
AUDIO_SETTING: Final = ("format", "sample_rate", "bitrate", "channel")
WHY_IN_SETTING: Final = {"stereo": "The parameter {name} belongs to another API. Say it as `audio_setting.channel`: 2."}
LONGEST_NAME: Final = 100
LONGEST_TEXT: Final = 100_000
LONGEST_TRANSNO: Final = 255

NAMES: Final = {
    "instrumental": "is_instrumental",
    "write_lyrics": "lyrics_optimizer",
    "partial_audio": "stream",
    "watermark": "aigc_watermark",
    "format": "audio_setting.format",
    "sample_rate": "audio_setting.sample_rate",
    "bitrate": "audio_setting.bitrate",
    "channels": "audio_setting.channel",
}
"""How this wire spells the fields of the song request."""

CONVEYED: Final = frozenset(
    {"model", "prompt", "lyrics", "stream", "output_format", "audio_setting", "aigc_watermark"}
    | {"is_instrumental", "lyrics_optimizer", "transno"}
)
"""What this wire takes; every other documented field of any wire is refused by name."""

_WHY: Final = {
    "instrumental": "The parameter {name} belongs to another API. Say it as `is_instrumental`.",
    "watermark": "The parameter {name} belongs to another API. Say it as `aigc_watermark`.",
    "description": "The parameter {name} belongs to another API. Say it in `prompt`.",
    "stereo": "The parameter {name} belongs to another API. Say it as `audio_setting.channel`: 2.",
}


class MiniMax:
    slug = SLUG
    link_life = LINK_LIFE

    def parse(self, body: Mapping[str, Any], path: Mapping[str, str]) -> Order:
        """Read an order: what is missing, then what is unsound, then what is not conveyed."""
        fields = Fields(body)
        _refuse_missing(fields)
        song = _song(fields)
        wire = {
            "audio_as": fields.choice("output_format", OUTPUT_FORMATS) or "hex",
            "stream": fields.truth("stream") or False,
        }
        _refuse_streamed_link(wire)
        order = Order(
            song=song,
            model=fields.text("model", longest=LONGEST_NAME) or "",
            catalog=CATALOG,
            wire=wire,
            names=NAMES,
            # A stream brings a song that is not heard while it is made once it is whole.
            made_good=("partial_audio",),
            transno=fields.text("transno", longest=LONGEST_TRANSNO),
            ignored=tuple(_ignored(fields, song)),
        )
        refuse_unconveyed(body, CONVEYED, _WHY)
        return order

    def accepted(self, job: JobView) -> Reply:
        return minimax_answers.making(job, request_id=job.id)

    def finished(self, job: JobView, *, request_id: str) -> Reply:
        if job.finished is None:
            # This wire cannot ask for a song later: whoever waits no longer has to be told that it has none.
            timed_out = minimax_answers.TIMED_OUT
            return minimax_answers.making(
                job, request_id=request_id, status_code=timed_out, message=minimax_answers.STILL_MAKING
            )
        if job.error is None:
            return minimax_answers.song(job, request_id=request_id)
        return self.refused(failed(job.id, job.error, request_id=request_id))

    def view(self, job: JobView) -> Reply:
        return self.accepted(job) if job.finished is None else self.finished(job, request_id=job.id)

    def refused(self, refused: Refused) -> Reply:
        return minimax_answers.error(refused)

    def piece(self, audio: bytes, *, request_id: str) -> Any:
        """The body of a stream that brings one part of the song, while it is made."""
        return minimax_answers.piece(audio, request_id=request_id)

    def streamed(self, job: JobView, *, request_id: str, rest: bytes | None = None) -> Iterator[Any]:
        """The bodies of a stream, once its job has ended: the song in pieces and whole, or why there is none.

        `rest` is what of the song was not given while it was made; None: nothing was given.
        """
        if job.finished is None or job.error is not None:
            yield self.finished(job, request_id=request_id).body
        else:
            yield from minimax_answers.pieces(job, request_id=request_id, rest=rest)


def _refuse_missing(fields: Fields) -> None:
    """What no model of this wire does without; the model's own row asks for more."""
    fields.required_text("model")
    is_wordless = fields.body.get("is_instrumental") is True or fields.body.get("lyrics_optimizer") is True
    if not is_wordless:
        fields.required_text("lyrics")
    elif fields.body.get("is_instrumental") is True or not fields.body.get("lyrics"):
        fields.required_text("prompt")


def _song(fields: Fields) -> SongRequest:
    """The order with the documented values of what it leaves out."""
    audio = fields.inside("audio_setting")
    is_instrumental = fields.truth("is_instrumental") or False
    lyrics, has_mark = fields.text("lyrics", longest=LONGEST_TEXT), fields.truth("aigc_watermark") or False
    return SongRequest(
        prompt=fields.text("prompt", longest=LONGEST_TEXT) or "",
        # Nobody sings in an instrumental piece, so its lyrics ask for nothing.
        lyrics=None if is_instrumental else lyrics,
        instrumental=is_instrumental,
        format=audio.choice("format", FORMATS) or "mp3",
        sample_rate=audio.choice("sample_rate", SAMPLE_RATES) or 44_100,
        bitrate=audio.choice("bitrate", BITRATES) or 256_000,
        channels=audio.choice("channel", CHANNELS) or 2,
        # The wire marks no stream, and says so beforehand.
        watermark=has_mark and not fields.truth("stream"),
        partial_audio=fields.truth("stream") or False,
        write_lyrics=fields.truth("lyrics_optimizer") or False,
    )


def _refuse_streamed_link(wire: Mapping[str, Any]) -> None:
    if wire["stream"] and wire["audio_as"] == "url":
        raise Refusal(
            "invalid_parameter",
            "Invalid value for parameter output_format: it must be hex when `stream` is true.",
            param="output_format",
        )


def _ignored(fields: Fields, song: SongRequest) -> Iterator[str]:
    """What asks for nothing here. Raises Refusal for what is not read and would change the song."""
    body = fields.body
    yield from unknown(body)
    yield from unread(fields.inside("audio_setting"), AUDIO_SETTING, WHY_IN_SETTING)
    if song.instrumental and body.get("lyrics"):
        yield "lyrics"
    if body.get("aigc_watermark") is True and not song.watermark:
        yield "aigc_watermark"
