"""What an upstream of the wire `lyria` says: a song as generateContent or as a chat completion, or why there is none.

The form is told by what came. Parts come in any order, the text in several pieces; the bytes of the audio are trusted
rather than its label.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from generation.contract import Delivery, RawTake, Tokens
from generation.providers import http
from generation.providers.base import NO_AUDIO, ProviderError
from generation.providers.http import Heard, Kind, Told
from generation.providers.lyria.time_marks import without_marks
from generation.providers.openai_music import KIND_BY_CODE, KIND_BY_TYPE
from generation.providers.untrusted import is_path_safe, storable

MADE: Final = "STOP"
HIGHEST_COUNT: Final = 2**31 - 1

REFUSED_CONTENT: Final = frozenset(
    {"SAFETY", "PROHIBITED_CONTENT", "RECITATION", "BLOCKLIST", "SPII", "IMAGE_SAFETY", "MODEL_ARMOR"}
    | {"CONTENT_FILTER", "CONTENT_POLICY", "REFUSAL"}
)
"""Ends of a song that was not made for what was asked, as Google's and OpenAI's answers name them."""
NO_REASON: Final = "BLOCK_REASON_UNSPECIFIED"

KIND_BY_WORD: Final[dict[str, Kind]] = {
    **{word.upper(): kind for word, kind in (KIND_BY_CODE | KIND_BY_TYPE).items()},
    # google.rpc.ErrorInfo.reason
    **dict.fromkeys(("API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_SERVICE_BLOCKED", "ACCESS_TOKEN_EXPIRED"), "ours"),
    **dict.fromkeys(("SERVICE_DISABLED", "BILLING_DISABLED", "CONSUMER_SUSPENDED", "CONSUMER_INVALID"), "ours"),
    # google.rpc.Code
    **dict.fromkeys(("UNAUTHENTICATED", "PERMISSION_DENIED", "FAILED_PRECONDITION"), "ours"),
    **dict.fromkeys(("NOT_FOUND", "UNIMPLEMENTED"), "ours"),
    **dict.fromkeys(("INVALID_ARGUMENT", "OUT_OF_RANGE", "ALREADY_EXISTS"), "order"),
    **dict.fromkeys(("RESOURCE_EXHAUSTED", "UNAVAILABLE"), "busy"),
    **dict.fromkeys(("INTERNAL", "DEADLINE_EXCEEDED", "CANCELLED", "ABORTED", "DATA_LOSS"), "broken"),
}
LONG_QUOTA: Final = ("PerDay", "PerMonth")
"""Quotas that no pause inside a job's deadline brings back."""

SOUNDS: Final = (b"ID3", b"RIFF", b"fLaC", b"OggS", b"FORM")
MPEG_SYNC: Final = 0xE0


@dataclass(frozen=True, slots=True)
class _Song:
    """What an answer holds of a song. `finish` is upper case; `refusal`: why its content was turned down."""

    audio: bytes
    text: str
    finish: str
    refusal: str | None


def delivery_in(heard: Heard) -> Delivery:
    """The song of an answer. Raises ProviderError where there is none."""
    told, answer = told_in(heard), heard.fields
    is_fine = http.OK <= heard.status < http.REDIRECTS
    if told is not None or not is_fine or not ("candidates" in answer or "choices" in answer or _blocked(answer)):
        raise http.failure(_with_pause(heard), told)
    song = _completed(answer) if "choices" in answer else _generated(answer)
    if not song.audio:
        raise _without_audio(heard, song)
    lyrics, sections = without_marks(storable(song.text))
    take = RawTake(audio=song.audio, sections=sections, upstream_id=_id(answer))
    return Delivery(takes=(take,), lyrics=lyrics or None, tokens=tokens_in(answer))


def _without_audio(heard: Heard, song: _Song) -> ProviderError:
    if song.refusal is not None or song.finish in REFUSED_CONTENT:
        return http.failure(heard, Told("content", song.refusal or song.finish))
    if song.finish == MADE:
        return ProviderError("upstream_error", NO_AUDIO, seen="unknown")
    return http.unknown()


# --- The two forms ------------------------------------------------------------------------------------------------


def _generated(answer: Mapping[str, Any]) -> _Song:
    """The first candidate that holds audio, else the first one."""
    songs = [_candidate(candidate) for candidate in _objects(answer.get("candidates"))] or [_Song(b"", "", "", None)]
    song = next((song for song in songs if song.audio), songs[0])
    return replace(song, refusal=_blocked(answer))


def _candidate(candidate: Mapping[str, Any]) -> _Song:
    parts = _objects(_object(candidate.get("content")).get("parts"))
    blobs = [_object(part.get("inlineData") or part.get("inline_data")) for part in parts]
    pieces = (part["text"] for part in parts if isinstance(part.get("text"), str) and part.get("thought") is not True)
    return _Song(_audio(blobs), _pieced(pieces), _word(candidate.get("finishReason")), None)


def _blocked(answer: Mapping[str, Any]) -> str | None:
    """Why the prompt was turned down."""
    reason = _word(_object(answer.get("promptFeedback")).get("blockReason"))
    return reason if reason and reason != NO_REASON else None


def _completed(answer: Mapping[str, Any]) -> _Song:
    choice = next(iter(_objects(answer.get("choices"))), {})
    message = _object(choice.get("message"))
    audio, content = _object(message.get("audio")), message.get("content")
    parts = [content] if isinstance(content, str) else [part.get("text") for part in _objects(content)]
    pieces = [part for part in parts if isinstance(part, str) and part.strip()]
    if not pieces and isinstance(audio.get("transcript"), str):
        pieces = [audio["transcript"]]
    refusal = message.get("refusal")
    return _Song(
        _audio([audio]),
        _pieced(pieces),
        _word(choice.get("finish_reason")),
        refusal if isinstance(refusal, str) and refusal else None,
    )


def _pieced(pieces: Iterable[str]) -> str:
    """One under another, whatever the seams look like."""
    text = ""
    for piece in pieces:
        is_seamless = not text or text.endswith("\n") or piece.startswith("\n")
        text += piece if is_seamless else f"\n{piece}"
    return text


def _audio(blobs: Iterable[Mapping[str, Any]]) -> bytes:
    """The first that begins like audio, else the first that is called so."""
    labelled = b""
    for blob in blobs:
        data = _decoded(blob.get("data"))
        if begins_like_audio(data):
            return data
        label = blob.get("mimeType") or blob.get("mime_type") or "audio"
        if not labelled and str(label).lower().startswith("audio"):
            labelled = data
    return labelled


def begins_like_audio(data: bytes) -> bool:
    is_mpeg = len(data) > 1 and data[0] == 0xFF and data[1] & MPEG_SYNC == MPEG_SYNC  # noqa: PLR2004
    return is_mpeg or data.startswith(SOUNDS) or data[4:8] == b"ftyp"


def _decoded(text: Any) -> bytes:
    """Base64 in either alphabet, with or without padding, line breaks or a `data:` head; empty for anything else."""
    if not isinstance(text, str):
        return b""
    plain = "".join(text.split())
    if plain.startswith("data:"):
        plain = plain.partition(",")[2]
    plain = plain.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _id(answer: Mapping[str, Any]) -> str:
    found = answer.get("responseId") or answer.get("id")
    return found if isinstance(found, str) and is_path_safe(found) else ""


def tokens_in(answer: Mapping[str, Any]) -> Tokens | None:
    """The upstream's count; None where it gives none, or counts nothing for what it made."""
    for name, prompt_name, made_name, total_name in (
        ("usageMetadata", "promptTokenCount", "candidatesTokenCount", "totalTokenCount"),
        ("usage", "prompt_tokens", "completion_tokens", "total_tokens"),
    ):
        usage = _object(answer.get(name))
        prompt, made, total = (_count(usage.get(key)) for key in (prompt_name, made_name, total_name))
        if made is None and prompt is not None and total is not None:
            made = total - prompt
        if prompt is not None and made is not None and made > 0:
            return Tokens(prompt, made)
    return None


def _count(value: Any) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= HIGHEST_COUNT
    return value if is_count else None


# --- Errors -------------------------------------------------------------------------------------------------------


def told_in(heard: Heard) -> Told | None:
    """What the error of this wire says, in Google's form or in OpenAI's. Raises ProviderError: the song goes on."""
    error = _error(heard.json)
    if isinstance(error, str):
        return Told(None, error)
    if not isinstance(error, dict):
        return None
    words = [_word(word) for word in (*_reasons(error), error.get("code"), error.get("type"), error.get("status"))]
    kind = next((KIND_BY_WORD[word] for word in words if word in KIND_BY_WORD), None)
    if kind == "busy" and heard.headers.get("x-should-retry", "").lower() == "false":
        # It took the order, and only does not wait for it any longer.
        raise http.unknown()
    if kind == "busy" and _is_used_up(error):
        kind = "ours"
    return Told(kind, str(error.get("message") or ""))


def _error(json: Any) -> Any:
    """Of an object, or of the list that Google's streams are made of."""
    answers = _objects(json) if isinstance(json, list) else _objects([json])
    return next((answer["error"] for answer in answers if answer.get("error")), None)


def _reasons(error: Mapping[str, Any]) -> Iterator[Any]:
    return (detail.get("reason") for detail in _objects(error.get("details")))


def _is_used_up(error: Mapping[str, Any]) -> bool:
    """Whether google.rpc.QuotaFailure names a quota of a day or more."""
    violations = (each for detail in _objects(error.get("details")) for each in _objects(detail.get("violations")))
    return any(word in str(violation.get("quotaId")) for violation in violations for word in LONG_QUOTA)


def _with_pause(heard: Heard) -> Heard:
    """The answer with the pause of google.rpc.RetryInfo (`"32s"`) where a header would tell it."""
    error = _error(heard.json)
    details = _objects(error.get("details")) if isinstance(error, dict) else []
    delay = next((detail["retryDelay"] for detail in details if isinstance(detail.get("retryDelay"), str)), None)
    if delay is None or "retry-after" in heard.headers:
        return heard
    return replace(heard, headers={**heard.headers, "retry-after": delay.removesuffix("s")})


# --- Reading ------------------------------------------------------------------------------------------------------


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _word(value: Any) -> str:
    return value.upper() if isinstance(value, str) else ""
