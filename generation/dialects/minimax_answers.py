"""How the wire `minimax` words a song, its pieces and an error: one body for all, always with HTTP 200."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from generation.contract import AudioFormat, JobView, Reply, TrackView
from generation.dialects.base import AI_GENERATED, CAUSES, Cause, Refused, job_headers, retry_headers

SUCCESS: Final = 0
MAKING, MADE = 1, 2
"""`data.status`: the song is being made, the song is whole."""
HTTP_OK: Final = 200

UNKNOWN, TIMED_OUT, TOO_MANY, NOT_PERMITTED, NO_BALANCE = 1000, 1001, 1002, 1004, 1008
REFUSED_INPUT, REFUSED_OUTPUT, OUR_FAULT, BAD_INPUT, BAD_KEY = 1026, 1027, 1033, 2013, 2049

STATUS_CODES: Final[dict[str, int]] = {
    "missing_api_key": NOT_PERMITTED,
    "invalid_api_key": BAD_KEY,
    "permission_denied": NOT_PERMITTED,
    "malformed_json": BAD_INPUT,
    "missing_parameter": BAD_INPUT,
    "invalid_parameter": BAD_INPUT,
    "unsupported_parameter": BAD_INPUT,
    "model_not_found": BAD_INPUT,
    "not_found": BAD_INPUT,
    "method_not_allowed": BAD_INPUT,
    "already_final": BAD_INPUT,
    "body_too_large": BAD_INPUT,
    "idempotency_conflict": BAD_INPUT,
    "insufficient_quota": NO_BALANCE,
    "key_limit_exceeded": NO_BALANCE,
    "member_limit_exceeded": NO_BALANCE,
    "org_limit_exceeded": NO_BALANCE,
    "rate_limit_exceeded": TOO_MANY,
    "concurrency_limit_exceeded": TOO_MANY,
    "busy": TOO_MANY,
    "content_policy": REFUSED_INPUT,
    "upstream_error": UNKNOWN,
    "bad_audio": UNKNOWN,
    "deadline_exceeded": TIMED_OUT,
    "cancelled": UNKNOWN,
    "internal_error": OUR_FAULT,
}
"""Which `base_resp.status_code` each code of the error table is; of `content_policy` it is that of the input."""

PIECE_SECONDS: Final = 3.0
FEWEST_PIECES: Final = 4
STILL_MAKING: Final = (
    "The song is still being made, but this call cannot wait any longer. The same order with the same Idempotency-Key "
    "joins it; without one it would be another song."
)


def song(job: JobView, *, request_id: str) -> Reply:
    """The whole song, as hex or as a link."""
    track = job.tracks[0]
    if job.wire.get("audio_as") == "url":
        data = {"audio": track.link, "audio_url": track.link, "status": MADE}
    else:
        data = _hex(track.read(), MADE)
    return _reply(_body(request_id, data=data, extra_info=_measured(track)), request_id, job_headers(job))


def making(job: JobView, *, request_id: str, status_code: int = SUCCESS, message: str = "success") -> Reply:
    """The song is not there yet."""
    body = _body(request_id, data=_hex(b"", MAKING), status_code=status_code, message=message)
    # Sent again without its key it would be another song.
    again = {} if status_code == SUCCESS else {"x-should-retry": "false"}
    return _reply(body, request_id, job_headers(job) | again)


def error(refused: Refused) -> Reply:
    body = _body(refused.request_id, status_code=status_code_of(refused), message=refused.message)
    return _reply(body, refused.request_id, retry_headers(_cause(refused), refused))


def piece(audio: bytes, *, request_id: str) -> Any:
    """One part of the song."""
    return _body(request_id, data=_hex(audio, MAKING))


def pieces(job: JobView, *, request_id: str, rest: bytes | None = None) -> Iterator[Any]:
    """The song piece by piece, each once, and then whole; `rest`: all but this was given before."""
    track = job.tracks[0]
    audio = track.read()
    left = audio if rest is None else rest
    for part in cut(left, track.duration_ms, block_bytes=_block_bytes(track.format, track.channels)):
        yield piece(part, request_id=request_id)
    yield _body(request_id, data=_hex(audio, MADE), extra_info=_measured(track))


def stream_headers(job: JobView, *, request_id: str) -> dict[str, str]:
    """The headers of a stream that will bring the song: they leave before it is there."""
    return {"Trace-Id": request_id, **AI_GENERATED, **job_headers(job)}


def cut(audio: bytes, duration_ms: int, *, block_bytes: int = 1) -> Iterator[bytes]:
    """Pieces of about three seconds, four at the least, of whole blocks: together they are the file."""
    count = max(FEWEST_PIECES, math.ceil(duration_ms / 1000 / PIECE_SECONDS))
    blocks = math.ceil(len(audio) / block_bytes / count)
    size = max(blocks, 1) * block_bytes
    return (audio[start : start + size] for start in range(0, len(audio), size))


def _block_bytes(audio_format: AudioFormat, channels: int) -> int:
    """Headerless samples are heard as they come: no piece may end inside one."""
    return 2 * channels if audio_format == "pcm" else 1


def _hex(audio: bytes, status: int) -> dict[str, Any]:
    return {"audio": audio.hex(), "status": status}


def _measured(track: TrackView) -> dict[str, int]:
    return {
        "music_duration": track.duration_ms,
        "music_sample_rate": track.sample_rate,
        "music_channel": track.channels,
        "bitrate": track.bitrate,
        "music_size": track.size,
    }


def _body(
    request_id: str,
    *,
    data: dict[str, Any] | None = None,
    extra_info: dict[str, int] | None = None,
    status_code: int = SUCCESS,
    message: str = "success",
) -> dict[str, Any]:
    return {
        "data": data,
        "trace_id": request_id,
        "extra_info": extra_info,
        "analysis_info": None,
        "base_resp": {"status_code": status_code, "status_msg": message},
    }


def _reply(body: dict[str, Any], request_id: str, headers: dict[str, str]) -> Reply:
    return Reply(status=HTTP_OK, body=body, headers={"Trace-Id": request_id, **headers})


def status_code_of(refused: Refused) -> int:
    if refused.code == "content_policy" and refused.param == "audio":
        return REFUSED_OUTPUT
    return STATUS_CODES.get(refused.code, OUR_FAULT)


def _cause(refused: Refused) -> Cause:
    return CAUSES.get(refused.code, CAUSES["internal_error"])
