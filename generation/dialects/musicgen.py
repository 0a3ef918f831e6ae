"""The wire `musicgen`: POST /api/v1/generate_music, answered by a stream of events.

Each event is one line of JSON behind `data: `, and a blank line. The song comes in the last one, as a WAV in base64.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Final

from generation.contract import USUAL_LINK_LIFE, JobView, Order, Refusal, Reply, Sampling, SongRequest
from generation.dialects.base import CAUSES, Refused, job_headers, retry_headers
from generation.dialects.lyrics_text import split
from generation.dialects.reading import Fields
from generation.dialects.vocabulary import is_asked, refuse_unconveyed, unknown

SLUG: Final = "musicgen"
CATALOG: Final = "music_gen"

SHORTEST_SECONDS: Final = 1
LONGEST_SECONDS: Final = 60
USUAL_SECONDS: Final = 30
"""The documented default: an order that says it leaves the length to the model."""
SAMPLE_RATE: Final = 32_000
HIGHEST_WHOLE: Final = 2**63 - 1
LONGEST_NAME: Final = 100
LONGEST_TEXT: Final = 100_000
LONGEST_TRANSNO: Final = 255
BYTES_OF_A_PIECE: Final = 3 * 64 * 1024
"""A multiple of three: base64 in pieces is then base64 of the whole."""

NAMES: Final = {"prompt": "description", "duration_seconds": "duration", "enhance": "mbd"}
"""How this wire spells the fields of the song request."""

CONVEYED: Final = frozenset(
    {"description", "duration", "mbd", "top_k", "top_p", "temperature", "cfg_coef"}
    | {"model", "seed", "stereo", "transno"}
)
"""What this wire takes; every other documented field of any wire is refused by name."""

_BY_NATURE: Final = "The music of this API has no voice unless `description` holds lyrics. Leave out {name}."
_WHY: Final = {
    "prompt": "The parameter {name} belongs to another API. Say it in `description`.",
    "lyrics": "The parameter {name} belongs to another API. Say it in `description`, under tags such as [Verse].",
    "instrumental": _BY_NATURE,
    "is_instrumental": _BY_NATURE,
    "stream": "Every answer of this API is a stream of events. Leave out {name}.",
    "audio_setting": "This API gives WAV of 32 kHz and 16 bit. Leave out {name}; say `stereo` for two channels.",
}


class MusicGen:
    slug = SLUG
    link_life = USUAL_LINK_LIFE

    def parse(self, body: Mapping[str, Any], path: Mapping[str, str]) -> Order:
        """Read an order: what is missing, then what is unsound, then what is not conveyed."""
        fields = Fields(body)
        fields.required_text("description")
        song = _song(fields)
        order = Order(
            song=song,
            model=fields.text("model", longest=LONGEST_NAME) or "",
            catalog=CATALOG,
            names=NAMES,
            implied=("instrumental",) if song.instrumental else (),
            ignored=unknown(body),
            transno=fields.text("transno", longest=LONGEST_TRANSNO),
            wire_default=SLUG,
        )
        refuse_unconveyed(body, CONVEYED, _WHY)
        return order

    def accepted(self, job: JobView) -> Reply:
        return self.view(job)

    def finished(self, job: JobView, *, request_id: str) -> Reply:
        """The last event of a stream, as one value: see `completed` for how it is sent."""
        if job.finished is None or job.error is not None:
            return self.view(job)
        audio = base64.b64encode(job.tracks[0].read()).decode()
        return Reply(status=200, body={"event": "completed", "audio": audio}, headers=job_headers(job))

    def view(self, job: JobView) -> Reply:
        """The event that tells how the job stands; the audio is for those who wait alone."""
        return Reply(status=200, body=_event_of(job), headers=job_headers(job))

    def refused(self, refused: Refused) -> Reply:
        """An answer in place of a stream."""
        cause = CAUSES.get(refused.code, CAUSES["internal_error"])
        body = {"message": refused.message, "code": refused.code, "request_id": refused.request_id}
        return Reply(status=cause.status, body={"error": body}, headers=retry_headers(cause, refused))


# --- What is asked ------------------------------------------------------------------------------------------------


def _song(fields: Fields) -> SongRequest:
    """The order; without lyrics in its text it is for music without a voice, by the nature of this wire."""
    words = split(fields.text("description", longest=LONGEST_TEXT) or "")
    if not words.prompt and not words.lyrics:
        raise Refusal("missing_parameter", "Missing required parameter: description", param="description")
    seconds = fields.whole("duration", low=SHORTEST_SECONDS, high=LONGEST_SECONDS)
    is_stereo = fields.truth("stereo") or False
    return SongRequest(
        prompt=words.prompt,
        lyrics=words.lyrics,
        instrumental=words.lyrics is None,
        duration_seconds=None if seconds in (None, USUAL_SECONDS) else float(seconds),
        seed=fields.whole("seed", low=0, high=HIGHEST_WHOLE),
        sampling=_sampling(fields),
        enhance=fields.truth("mbd") or False,
        format="wav",
        sample_rate=SAMPLE_RATE,
        channels=2 if is_stereo else None,
        stereo=is_stereo,
    )


def _sampling(fields: Fields) -> Sampling:
    """Only what was asked: the documented defaults ask for nothing. A `top_k` beyond the model's card is its card."""
    read: dict[str, Any] = {
        "top_k": fields.whole("top_k", low=0, high=HIGHEST_WHOLE),
        "top_p": fields.number("top_p", low=0, high=1),
        "temperature": _amount(fields, "temperature"),
        "cfg_coef": _amount(fields, "cfg_coef"),
    }
    return Sampling(**{name: value for name, value in read.items() if is_asked(fields.body, name)})


def _amount(fields: Fields, name: str) -> float | None:
    """Any finite number from 0."""
    try:
        return fields.number(name, low=0, high=sys.float_info.max)
    except Refusal:
        raise fields.invalid(name, "must be a finite number from 0") from None


# --- What is answered ---------------------------------------------------------------------------------------------


def _event_of(job: JobView) -> dict[str, Any]:
    if job.error is not None:
        return failed(job.error.message)
    if job.finished is not None:
        return {"event": "completed"}
    return {"event": "start"} if job.progress is None else progressed(job.progress)


def progressed(percent: float) -> dict[str, Any]:
    return {"event": "progress", "progress": float(min(max(percent, 0), 100))}


def failed(message: str) -> dict[str, Any]:
    return {"event": "error", "message": message}


def frame(event: Mapping[str, Any]) -> bytes:
    """An event as it is sent: one line, whatever its texts hold."""
    return f"data: {json.dumps(event, ensure_ascii=False, allow_nan=False)}\n\n".encode(errors="replace")


def completed(audio: bytes) -> Iterator[bytes]:
    """The frame of the finished song in pieces: a minute in stereo is a line of 10 MB, never held as a whole."""
    yield b'data: {"event": "completed", "audio": "'
    for start in range(0, len(audio), BYTES_OF_A_PIECE):
        yield base64.b64encode(audio[start : start + BYTES_OF_A_PIECE])
    yield b'"}\n\n'
