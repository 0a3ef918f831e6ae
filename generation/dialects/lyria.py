"""The wire `lyria`: songs by generateContent, as Google's clients send it."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Final

from generation.contract import USUAL_LINK_LIFE, JobView, Order, Refusal, Reply, SongRequest, Tokens, TrackView
from generation.dialects.base import CAUSES, Cause, Refused, failure_of, job_headers, retry_headers
from generation.dialects.lyrics_text import joined, split
from generation.dialects.modalities import modalities_of, text_of
from generation.dialects.reading import Fields, in_path
from generation.dialects.vocabulary import refuse_unconveyed, unknown

SLUG: Final = "lyria"
CATALOG: Final = "music_gen"
MIME_TYPE: Final = "audio/mpeg"
ERROR_INFO: Final = "type.googleapis.com/google.rpc.ErrorInfo"

LONGEST_NAME: Final = 100
LONGEST_TEXT: Final = 100_000
LONGEST_TRANSNO: Final = 255
USER, MODEL = "user", "model"

NAMES: Final = {"prompt": "contents[].parts[].text"}
"""How this wire spells the fields of the song request."""

CONVEYED: Final = frozenset({"contents", "generationConfig", "model", "transno"})
GENERATION_CONFIG: Final = ("responseModalities",)

OWN_CAUSES: Final[dict[str, Cause]] = CAUSES | {"cancelled": dataclasses.replace(CAUSES["cancelled"], status=499)}

STATUS: Final[dict[str, str]] = {
    "missing_api_key": "UNAUTHENTICATED",
    "invalid_api_key": "UNAUTHENTICATED",
    "permission_denied": "PERMISSION_DENIED",
    "malformed_json": "INVALID_ARGUMENT",
    "missing_parameter": "INVALID_ARGUMENT",
    "invalid_parameter": "INVALID_ARGUMENT",
    "unsupported_parameter": "INVALID_ARGUMENT",
    "model_not_found": "NOT_FOUND",
    "not_found": "NOT_FOUND",
    "method_not_allowed": "UNIMPLEMENTED",
    "already_final": "FAILED_PRECONDITION",
    "body_too_large": "INVALID_ARGUMENT",
    "idempotency_conflict": "ABORTED",
    "insufficient_quota": "RESOURCE_EXHAUSTED",
    "key_limit_exceeded": "RESOURCE_EXHAUSTED",
    "member_limit_exceeded": "RESOURCE_EXHAUSTED",
    "org_limit_exceeded": "RESOURCE_EXHAUSTED",
    "rate_limit_exceeded": "RESOURCE_EXHAUSTED",
    "concurrency_limit_exceeded": "RESOURCE_EXHAUSTED",
    "busy": "UNAVAILABLE",
    "content_policy": "INVALID_ARGUMENT",
    "upstream_error": "UNAVAILABLE",
    "bad_audio": "UNAVAILABLE",
    "deadline_exceeded": "DEADLINE_EXCEEDED",
    "cancelled": "CANCELLED",
    "internal_error": "INTERNAL",
}
"""google.rpc.Code of each cause."""


class Lyria:
    slug = SLUG
    link_life = USUAL_LINK_LIFE

    def parse(self, body: Mapping[str, Any], path: Mapping[str, str]) -> Order:
        """Read an order; a `model` in the address goes before the body's, which is then not read."""
        fields = Fields(body)
        text = _text(fields)
        words = split(text)
        song = SongRequest(prompt=words.prompt, lyrics=words.lyrics)
        config = fields.inside("generationConfig")
        modalities = modalities_of(config, "responseModalities")
        order = Order(
            song=song,
            model=in_path(path, "model", missing="model_not_found") or fields.text("model", longest=LONGEST_NAME) or "",
            catalog=CATALOG,
            wire={"modalities": modalities},
            names=NAMES,
            ignored=(*unknown(body), *_unread(config)),
            transno=fields.text("transno", longest=LONGEST_TRANSNO),
            endpoint=in_path(path, "endpoint", missing="not_found"),
        )
        refuse_unconveyed(body, CONVEYED, _WHY)
        return order

    def accepted(self, job: JobView) -> Reply:
        """The answer to one whose wait was cut short: this wire has no way to ask later, another one has."""
        return self._error("busy", still_made(job), {"x-should-retry": "false"})

    def finished(self, job: JobView, *, request_id: str) -> Reply:
        if job.finished is None:
            return self.accepted(job)
        failure = failure_of(job, request_id=request_id)
        return self.refused(failure) if failure else self.view(job)

    def view(self, job: JobView) -> Reply:
        text = text_of(job)
        body = {
            "candidates": [_candidate(track, text) for track in job.tracks],
            "usageMetadata": _usage(job),
            "modelVersion": job.model,
            "responseId": job.id,
        }
        return Reply(status=200, body=body, headers=job_headers(job))

    def refused(self, refused: Refused) -> Reply:
        return self._error(refused.code, refused.message, retry_headers(_cause(refused.code), refused))

    def _error(self, code: str, message: str, headers: Mapping[str, str]) -> Reply:
        cause = _cause(code)
        error = {
            "code": cause.status,
            "message": message,
            "status": STATUS.get(code, STATUS["internal_error"]),
            "details": [{"@type": ERROR_INFO, "reason": code}],
        }
        return Reply(status=cause.status, body={"error": error}, headers=headers)


def still_made(job: JobView) -> str:
    """What one is told whose wait was cut short."""
    address = f"{job.base_url}/v1/music/generations/{job.id}"
    return f"The song is still being made, and is charged when it is done. Ask for it at {address} then."


def spent(job: JobView) -> Tokens:
    """Tokens of the order and of what was made of it."""
    return job.tokens or Tokens(0, 0)


def _text(fields: Fields) -> str:
    """All text of the user's contents; raises Refusal when there is none, or a part is something else."""
    fields.required_value("contents")
    text = joined(part for content in fields.each("contents") for part in _parts(content))
    if not text:
        raise Refusal("missing_parameter", f"Missing required parameter: {NAMES['prompt']}", param=NAMES["prompt"])
    return text


def _parts(content: Fields) -> Iterator[str | None]:
    """The texts of one content; what the model said before asks for nothing."""
    if content.word("role", (USER, MODEL)) != MODEL:
        content.required_value("parts")
        yield from (_part(part) for part in content.each("parts"))


def _part(part: Fields) -> str | None:
    other = next((name for name, value in part.body.items() if name != "text" and value is not None), None)
    if other is not None:
        path = part.path_of(other)
        raise Refusal("unsupported_parameter", f"Only text can be conveyed; {path} is none. Leave it out.", param=path)
    return part.text("text", longest=LONGEST_TEXT)


def _unread(config: Fields) -> Iterator[str]:
    return (config.path_of(name) for name in config.body if name not in GENERATION_CONFIG)


def _candidate(track: TrackView, text: str | None) -> dict[str, Any]:
    audio = {"mimeType": MIME_TYPE, "data": base64.b64encode(track.read()).decode()}
    parts: list[dict[str, Any]] = [{"inlineData": audio}] if text is None else [{"text": text}, {"inlineData": audio}]
    return {"content": {"role": MODEL, "parts": parts}, "finishReason": "STOP"}


def _usage(job: JobView) -> dict[str, int]:
    prompt, made = dataclasses.astuple(spent(job))
    return {"promptTokenCount": prompt, "candidatesTokenCount": made, "totalTokenCount": prompt + made}


def _cause(code: str) -> Cause:
    return OWN_CAUSES.get(code, CAUSES["internal_error"])


_WHY: Final = {
    "stream": "Songs are not streamed here. Leave out {name}.",
    "prompt": "The parameter {name} belongs to another API. Say it in `contents`.",
    "lyrics": "The parameter {name} belongs to another API. Say it in `contents`, under tags such as [Verse].",
    "messages": "Either `contents` or {name}: leave out one.",
    "modalities": "The parameter {name} belongs to another API. Say it as `generationConfig.responseModalities`.",
}
