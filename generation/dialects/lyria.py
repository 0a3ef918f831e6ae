"""The wire `lyria`: songs by generateContent, as Google's clients send it."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Final

from generation.contract import (
    USUAL_LINK_LIFE,
    JobView,
    Order,
    Refusal,
    Reply,
    Sampling,
    SongRequest,
    Tokens,
    TrackView,
)
from generation.dialects.base import CAUSES, Cause, Refused, failure_of, job_headers, retry_headers
from generation.dialects.lyrics_text import joined, split
from generation.dialects.modalities import modalities_of, text_of
from generation.dialects.reading import Fields, in_path
from generation.dialects.vocabulary import is_asked, refuse_unconveyed, unknown, unread

SLUG: Final = "lyria"
CATALOG: Final = "music_gen"
MIME_TYPE: Final = "audio/mpeg"
ERROR_INFO: Final = "type.googleapis.com/google.rpc.ErrorInfo"

LONGEST_NAME: Final = 100
LONGEST_TEXT: Final = 100_000
LONGEST_TRANSNO: Final = 255
HIGHEST_SEED: Final = 2**63 - 1
HIGHEST_TOP_K: Final = 1_000_000
USER, MODEL = "user", "model"

NAMES: Final = {
    "prompt": "contents[].parts[].text",
    "seed": "generationConfig.seed",
    "temperature": "generationConfig.temperature",
    "top_k": "generationConfig.topK",
    "top_p": "generationConfig.topP",
}
"""How this wire spells the fields of the song request."""

CONVEYED: Final = frozenset({"contents", "generationConfig", "model", "transno"})
GENERATION_CONFIG: Final = ("responseModalities", "candidateCount", "seed", "temperature", "topK", "topP")
CONTENT: Final = ("role", "parts")
PART: Final = ("text",)
OTHER_PARTS: Final = frozenset(
    {"inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult"}
    | {"inline_data", "file_data", "function_call", "function_response", "executable_code", "code_execution_result"}
)
"""What a part may hold beside a text or in its place, in both spellings that Google's clients send."""

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
        song = _song(fields)
        config = fields.inside("generationConfig")
        modalities = modalities_of(config, "responseModalities")
        count = config.body.get("candidateCount")
        if count is True or count not in (None, 1):
            raise config.invalid("candidateCount", "must be 1: one song is made by an order")
        order = Order(
            song=song,
            model=in_path(path, "model", missing="model_not_found") or fields.text("model", longest=LONGEST_NAME) or "",
            catalog=CATALOG,
            wire={"modalities": modalities},
            names=NAMES,
            transno=fields.text("transno", longest=LONGEST_TRANSNO),
            endpoint=in_path(path, "endpoint", missing="not_found"),
            ignored=(*unknown(body), *_unread(fields, config)),
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


def _song(fields: Fields) -> SongRequest:
    words, config = split(_text(fields)), fields.inside("generationConfig")
    return SongRequest(
        prompt=words.prompt,
        lyrics=words.lyrics,
        seed=config.whole("seed", low=0, high=HIGHEST_SEED),
        sampling=_sampling(config),
    )


def _sampling(config: Fields) -> Sampling:
    """Only what was asked. A `topP` of 1 leaves nothing out, so it asks for nothing."""
    top_p = config.number("topP", low=0, high=1)
    read: dict[str, Any] = {
        "top_k": config.whole("topK", low=0, high=HIGHEST_TOP_K),
        "top_p": None if top_p == 1 else top_p,
        "temperature": config.number("temperature", low=0, high=1000),
    }
    return Sampling(**{name: value for name, value in read.items() if is_asked(read, name)})


def _text(fields: Fields) -> str:
    """All text of the user's contents; raises Refusal when there is none, or a part is something else."""
    fields.required_value("contents")
    text = joined(_part(part) for content in _asking(fields) for part in _parts(content))
    if not text:
        raise Refusal("missing_parameter", f"Missing required parameter: {NAMES['prompt']}", param=NAMES["prompt"])
    return text


def _asking(fields: Fields) -> Iterator[Fields]:
    """The contents of the user; what the model said before asks for nothing."""
    return (content for content in fields.each("contents") if content.word("role", (USER, MODEL)) != MODEL)


def _parts(content: Fields) -> Iterator[Fields]:
    content.required_value("parts")
    return content.each("parts")


def _part(part: Fields) -> str | None:
    is_text = part.body.get("text") is not None
    others = (name for name, value in part.body.items() if name not in PART and value is not None)
    other = next((name for name in others if name in OTHER_PARTS or not is_text), None)
    if other is not None:
        path = part.path_of(other)
        raise Refusal("unsupported_parameter", f"Only text can be conveyed; {path} is none. Leave it out.", param=path)
    return part.text("text", longest=LONGEST_TEXT)


def _unread(fields: Fields, config: Fields) -> Iterator[str]:
    """What stands in objects and is not read. Raises Refusal where that would change the song."""
    yield from unread(config, GENERATION_CONFIG, _WHY_IN_CONFIG)
    for content in _asking(fields):
        yield from unread(content, CONTENT)
        for part in _parts(content):
            yield from unread(part, PART)


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
_WHY_IN_CONFIG: Final = {
    "modalities": "The parameter {name} belongs to another API. Say it as `generationConfig.responseModalities`.",
    "top_k": "The parameter {name} belongs to another API. Say it as `generationConfig.topK`.",
    "top_p": "The parameter {name} belongs to another API. Say it as `generationConfig.topP`.",
}
