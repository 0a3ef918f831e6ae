"""Audio and text of a Lyria answer, read where the document says they are."""

from __future__ import annotations

import base64
from typing import Any, Final

from tests.scenarios.printed import beyond, documented_answer

CHAT_ANSWER: Final = {
    # This one is documented by a table: the rest of it is OpenAI's.
    "choices": [{"message": {"content": "", "audio": {"data": ""}}, "finish_reason": "stop"}],
    "usage": {},
}
BEYOND_CHAT: Final = {
    *("id", "object", "created", "model", "choices[].index", "choices[].message.role"),
    *(f"choices[].message.audio.{name}" for name in ("id", "expires_at", "transcript")),
    *(f"usage.{name}" for name in ("prompt_tokens", "completion_tokens", "total_tokens")),
}


def content_song(answer: dict[str, Any]) -> tuple[bytes, str]:
    assert beyond(documented_answer("lyria_1.answer.json"), answer) == {"modelVersion"}
    [candidate] = answer["candidates"]
    text, audio = candidate["content"]["parts"]
    assert (candidate["finishReason"], audio["inlineData"]["mimeType"]) == ("STOP", "audio/mpeg")
    return base64.b64decode(audio["inlineData"]["data"], validate=True), text["text"]


def chat_song(answer: dict[str, Any]) -> tuple[bytes, str]:
    assert beyond(CHAT_ANSWER, answer) == BEYOND_CHAT
    [choice] = answer["choices"]
    assert choice["finish_reason"] == "stop"
    return base64.b64decode(choice["message"]["audio"]["data"], validate=True), choice["message"]["content"]
