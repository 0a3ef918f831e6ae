"""What the published schema says of the routes of generateContent and of chat completions."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

from generation.api.components import ref
from generation.api.shapes import AT_THE_END, IDEMPOTENCY, IN_AN_ORDER, JSON, gives, operation, said
from generation.dialects.base import CAUSES
from generation.dialects.lyria import OWN_CAUSES

REFUSED: Final = (
    *IN_AN_ORDER,
    "not_found",
    "idempotency_conflict",
    "insufficient_quota",
    "rate_limit_exceeded",
    "busy",
    *AT_THE_END,
)
TRIP: Final = "Upbeat pop song about a summer road trip, catchy chorus, female vocal"
CONTENT: Final = OpenApiExample(
    "A road trip",
    request_only=True,
    media_type=JSON,
    value={
        "contents": [{"role": "user", "parts": [{"text": TRIP}]}],
        "generationConfig": {"responseModalities": ["AUDIO", "TEXT"]},
    },
)
CHAT: Final = OpenApiExample(
    "A road trip",
    request_only=True,
    media_type=JSON,
    value={
        "model": "MaaS_Lyria_3_pro_preview",
        "stream": False,
        "messages": [{"role": "user", "content": TRIP}],
        "modalities": ["audio", "text"],
    },
)


def _content(name: str, summary: str, answers: dict[Any, Any] | None = None) -> Any:
    return operation(
        name,
        summary,
        answers or gives("GeneratedContent", "The song"),
        tag="generateContent",
        takes="ContentOrder",
        parameters=[IDEMPOTENCY],
        examples=[CONTENT],
        codes=REFUSED,
        causes=OWN_CAUSES,
        error="ContentError",
    )


def _chat(name: str, summary: str) -> Any:
    return operation(
        name,
        summary,
        gives("ChatCompletion", "The song"),
        tag="chat completions",
        takes="ChatOrder",
        parameters=[IDEMPOTENCY],
        examples=[CHAT],
        codes=REFUSED,
        causes=CAUSES,
    )


EITHER: Final = {"anyOf": [ref("GeneratedContent"), ref("ChatCompletion")]}

generate_at_endpoint = _content(
    "generate_at_endpoint",
    "A song by the endpoint's model; a body with `messages` is answered as a chat completion",
    {(200, JSON): said(EITHER, "The song")},
)
generate_at_endpoint_by_model = _content(
    "generate_at_endpoint_by_model", "A song by the endpoint's model, which the address names too"
)
generate_by_model = _content("generate_by_model", "A song by the model in the address")
generate_by_beta_model = _content("generate_by_beta_model", "A song by the model in the address")
generate_in_project = _content(
    "generate_in_project", "A song by the model in the address; project and location mean nothing here"
)
chat = _chat("chat", "A song by the model in the body")
chat_at_endpoint = _chat("chat_at_endpoint", "A song by the endpoint's model")
chat_at_google_endpoint = _chat("chat_at_google_endpoint", "A song by the endpoint's model")
