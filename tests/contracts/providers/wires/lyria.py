"""The wire `lyria` as its vendors serve it, in each of its shapes, scene by scene."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.contracts.providers.sounds import PICTURE, given, sound
from tests.contracts.providers.standin import Request, Said, Stage, as_json

ENDPOINT = "corner"
PROJECT = "projects/our-project/locations/us-central1"
MODEL = "test-song-1"
RESPONSE_ID = "resp-42"
LYRICS = "[Verse]\nla la\n[Chorus]\nlo lo"
PROMPT_TOKENS, MADE_TOKENS = 14, 3199

ADDRESSES = {
    "endpoint": f"/v1/ai/{ENDPOINT}/music/generateContent",
    "endpoint_model": f"/{ENDPOINT}/music/v1beta1/publishers/google/models/{MODEL}:generateContent",
    "endpoint_google_chat": f"/v1/ai/{ENDPOINT}/music/google/chat/completions",
    "endpoint_chat": f"/v1/ai/{ENDPOINT}/music/chat/completions",
    "chat": "/v1/music/chat/completions",
    "google": f"/v1beta/models/{MODEL}:generateContent",
    "vertex": f"/v1beta1/{PROJECT}/publishers/google/models/{MODEL}:generateContent",
}
"""By shape; whatever is sent to another address does not find its song."""


def answer(stage: Stage, request: Request) -> Said:
    if (request.method, request.path) != ("POST", ADDRESSES[stage.options["shape"] or "endpoint"]):
        return failure(stage, 404, "NOT_FOUND", "There is no such thing.")
    stage.orders.append(request)
    first = FIRST.get(stage.scene) if len(stage.orders) == 1 else None
    play = first or (SECOND.get(stage.scene) if len(stage.orders) == 2 else None) or ALWAYS.get(stage.scene)
    return play(stage) if play else as_json(song(stage))


def is_chat(stage: Stage) -> bool:
    return stage.options["shape"].endswith("chat")


# --- Songs --------------------------------------------------------------------------------------------------------

Part = dict[str, Any]


def audio(data: bytes | None = None, label: str = "audio/mpeg") -> Part:
    return {"inlineData": {"mimeType": label, "data": base64.b64encode(sound() if data is None else data).decode()}}


def text(*pieces: str) -> list[Part]:
    return [{"text": piece} for piece in pieces]


def song(stage: Stage, parts: list[Part] | None = None, *, finish: str = "STOP") -> Any:
    """What was made, in the form of the shape; in a chat a piece of text is a part of the content."""
    whole = partial(_whole, stage)
    parts = parts if parts is not None else PARTS.get(stage.scene, whole)()
    return completion(parts, finish) if is_chat(stage) else content(parts, finish)


def _whole(stage: Stage) -> list[Part]:
    return [*text(LYRICS), audio(given(stage.options, "mp3"))]


def content(parts: list[Part], finish: str) -> dict[str, Any]:
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish}],
        "usageMetadata": {
            "promptTokenCount": PROMPT_TOKENS,
            "candidatesTokenCount": MADE_TOKENS,
            "totalTokenCount": PROMPT_TOKENS + MADE_TOKENS,
        },
        "responseId": RESPONSE_ID,
    }


def completion(parts: list[Part], finish: str) -> dict[str, Any]:
    words = [part["text"] for part in parts if "text" in part]
    sounds = [part["inlineData"]["data"] for part in parts if "inlineData" in part]
    said: Any = [{"type": "text", "text": piece} for piece in words] if len(words) > 1 else "".join(words)
    message = {"role": "assistant", "content": said or None}
    if sounds:
        message["audio"] = {"id": "audio-42", "data": sounds[-1], "expires_at": 1_800_000_000, "transcript": ""}
    return {
        "id": RESPONSE_ID,
        "object": "chat.completion",
        "created": 1_780_000_000,
        "model": MODEL,
        "choices": [{"index": 0, "finish_reason": finish.lower(), "message": message}],
        "usage": {
            "prompt_tokens": PROMPT_TOKENS,
            "completion_tokens": MADE_TOKENS,
            "total_tokens": PROMPT_TOKENS + MADE_TOKENS,
        },
    }


PARTS: dict[str, Callable[[], list[Part]]] = {
    "wrong_type": lambda: [audio(PICTURE)],
    "wrong_label": lambda: [*text(LYRICS), audio(label="image/png")],
    "silent_audio": lambda: [audio(sound(loudness=0.0))],
    "pieces_of_text": lambda: [*text("[Verse]\nla la"), audio(), *text("[Chorus]", "lo lo")],
    "cover_first": lambda: [audio(PICTURE, "image/png"), audio(), *text(LYRICS)],
    "time_marks": lambda: [*text("[0:00] [Verse]\n[0:00.2] la la\n[0:00.5] [Chorus]\nlo lo"), audio()],
}

# --- Refusals and breaks ------------------------------------------------------------------------------------------


def failure(stage: Stage, status: int, word: str, message: str, *, reason: str = "", **headers: str) -> Said:
    """In Google's form, or in OpenAI's where the shape is a chat."""
    error: dict[str, Any]
    if is_chat(stage):
        error = {"message": message, "type": "some_error", "param": None, "code": reason.lower() or None}
    else:
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
        error = {"code": status, "message": message, "status": word, "details": details}
    return as_json({"error": error}, status, **headers)


def unknown_key(stage: Stage) -> Said:
    headers = stage.orders[-1].headers
    key = headers.get("x-goog-api-key") or headers["authorization"]
    if stage.options["shape"] == "google":
        # So it answers there: as if the order were wrong.
        return failure(stage, 400, "INVALID_ARGUMENT", f"API key not valid: {key}.", reason="API_KEY_INVALID")
    return failure(stage, 401, "UNAUTHENTICATED", f"API key not valid: {key}.", reason="INVALID_API_KEY")


def blocked(stage: Stage) -> Said:
    """200, and no song: the prompt was turned down."""
    if is_chat(stage):
        refused = completion([], "content_filter")
        refused["choices"][0]["message"]["refusal"] = "Not this song."
        return as_json(refused)
    return as_json({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "responseId": RESPONSE_ID})


def safety_finish(stage: Stage) -> Said:
    return as_json(song(stage, [], finish="CONTENT_FILTER" if is_chat(stage) else "SAFETY"))


ALWAYS: dict[str, Callable[[Stage], Said]] = {
    "slow": lambda stage: Said(200, as_json(song(stage)).body, after_seconds=0.3),
    "late_result": lambda stage: Said(200, as_json(song(stage)).body, is_kept_back=True),
    **dict.fromkeys(("no_answer", "never_finishing"), lambda stage: Said(is_held=True)),
    "cut": lambda stage: Said(200, as_json(song(stage)).body, is_cut=True),
    "html": lambda stage: Said(200, b"<!doctype html><title>Welcome</title>", {"Content-Type": "text/html"}),
    "empty_audio": lambda stage: as_json(song(stage, [*text(LYRICS), audio(b"")])),
    "unknown_word": lambda stage: as_json(song(stage, text(LYRICS), finish="SIMMERING")),
    "refused_content": lambda stage: failure(stage, 400, "INVALID_ARGUMENT", "Not this song.", reason="CONTENT_POLICY"),
    "blocked_prompt": blocked,
    "safety_finish": safety_finish,
    "no_balance": lambda stage: failure(stage, 429, "RESOURCE_EXHAUSTED", "Top up first.", reason="INSUFFICIENT_QUOTA"),
    "wrong_key": unknown_key,
}
FIRST: dict[str, Callable[[Stage], Said]] = {
    "rate_limited": lambda stage: failure(
        stage, 429, "RESOURCE_EXHAUSTED", "Slow down.", reason="RATE_LIMIT_EXCEEDED", **{"Retry-After": "0"}
    ),
    "overloaded": lambda stage: failure(stage, 503, "UNAVAILABLE", "Overloaded.", reason="BUSY"),
    "error_then_good": lambda stage: failure(stage, 500, "INTERNAL", "It stumbled.", reason="INTERNAL_ERROR"),
    "bare_error_then_good": lambda stage: Said(500),
}
SECOND: dict[str, Callable[[Stage], Said]] = {"second_blocked": blocked}
