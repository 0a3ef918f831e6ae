"""What the published schema says of each route: one decorator per method, beside nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from generation.api.components import TEXT, ref
from generation.dialects.base import CAUSES
from generation.dialects.openai_music import OWN_CAUSES

HEADER: Final = "header"
QUERY: Final = "query"
View = TypeVar("View", bound=Callable[..., Any])

JSON: Final = "application/json"
AT_THE_DOOR: Final = ("missing_api_key", "invalid_api_key", "permission_denied", "internal_error")
IN_THE_BODY: Final = ("malformed_json", "missing_parameter", "invalid_parameter", "unsupported_parameter")
IN_AN_ORDER: Final = (*IN_THE_BODY, "body_too_large", "model_not_found")
AT_THE_END: Final = ("content_policy", "upstream_error", "bad_audio", "deadline_exceeded", "cancelled")

FIRST_SONG: Final = OpenApiExample(
    "A first song",
    request_only=True,
    media_type=JSON,
    value={
        "model": "music-2.6",
        "catelogid": "music_gen",
        "prompt": "Pop music, happy, suitable for a sunny day",
        "lyrics": "[Intro]\n\n[Verse]\nWalking down the street\nFeeling the beat\n\n[Chorus]\nDancing in the sun",
    },
)
PREFER: Final = OpenApiParameter(
    "Prefer", str, HEADER, description="`respond-async`: 202 at once. `wait=N` (1-600): 202 when N seconds are over."
)
IDEMPOTENCY: Final = OpenApiParameter(
    "Idempotency-Key", str, HEADER, description="1-255 characters. The same key and body: the same song, charged once."
)
WITH_AUDIO: Final = OpenApiParameter("audio", int, QUERY, enum=[1], description="1: partial audio too")
LAST_EVENT: Final = OpenApiParameter("Last-Event-ID", int, HEADER, description="Go on after this event")
RANGE: Final = OpenApiParameter("Range", str, HEADER, description="`bytes=0-1023`")


def said(schema: dict[str, Any], description: str) -> OpenApiResponse:
    return OpenApiResponse(response=schema, description=description)


def errors(
    *codes: str, causes: dict[str, Any] = OWN_CAUSES, body: str = "Error"
) -> dict[tuple[int, str], OpenApiResponse]:
    """One answer for each status, its codes in the description."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(causes[code].status, []).append(f"`{code}`")
    return {(status, JSON): said(ref(body), ", ".join(names)) for status, names in sorted(by_status.items())}


def operation(
    name: str,
    summary: str,
    answers: dict[Any, Any],
    *,
    tag: str,
    takes: str | None = None,
    media_type: str = JSON,
    or_takes: str | None = None,
    parameters: Sequence[OpenApiParameter] = (),
    is_public: bool = False,
    examples: Sequence[OpenApiExample] = (),
    codes: Sequence[str] = (),
    causes: dict[str, Any] = OWN_CAUSES,
    error: str = "Error",
) -> Callable[[View], View]:
    """What is said of one route; `or_takes` is a body in JSON that does as well as the one of `media_type`."""
    bodies = {media_type: takes, **({JSON: or_takes} if or_takes else {})}
    refusals = errors(*codes, *(() if is_public else AT_THE_DOOR), causes=causes, body=error)
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=f"{summary}.",
        tags=[tag],
        request={kind: ref(body) for kind, body in bodies.items() if body} or None,
        responses={**answers, **refusals},
        parameters=list(parameters),
        examples=list(examples),
        auth=[] if is_public else None,
    )


def gives(component: str, description: str, status: int = 200) -> dict[tuple[int, str], OpenApiResponse]:
    return {(status, JSON): said(ref(component), description)}


FRAMES: Final = {**TEXT, "contentMediaType": "application/json", "contentSchema": ref("Event")}
SEEN_ALL: Final = {204: OpenApiResponse(description="The song is final and `Last-Event-ID` its last event, or beyond")}
EVENTS: Final = {
    (200, "text/event-stream"): said(FRAMES, "Frames `id: SEQ`, `event: TYPE`, `data: EVENT`; comments as pings")
}

order_song = operation(
    "order_song",
    "Order a song; waits for it unless asked not to",
    {
        (200, JSON): said(ref("Song"), "The song; with `stream` its events instead"),
        (200, "text/event-stream"): said(FRAMES, "With `stream`: the events of the job"),
        **gives("Song", "Not finished: asked for by `Prefer`", 202),
    },
    tag="songs",
    takes="Order",
    parameters=[PREFER, IDEMPOTENCY, WITH_AUDIO],
    examples=[FIRST_SONG],
    codes=(*IN_AN_ORDER, "idempotency_conflict", "insufficient_quota", "rate_limit_exceeded", "busy", *AT_THE_END),
)
list_songs = operation(
    "list_songs",
    "Songs, newest first",
    gives("SongList", "A page of songs"),
    tag="songs",
    parameters=[
        OpenApiParameter("limit", int, QUERY, description="1-100 (20)"),
        OpenApiParameter("after", str, QUERY, description="The `next` of the page before"),
        OpenApiParameter("status", str, QUERY),
        OpenApiParameter("model", str, QUERY),
    ],
    codes=("invalid_parameter", "not_found"),
)
read_song = operation(
    "read_song", "A song, whatever its state", gives("Song", "The song"), tag="songs", codes=("not_found",)
)
follow_song = operation(
    "follow_song",
    "The events of a song as they come",
    EVENTS | SEEN_ALL,
    tag="songs",
    parameters=[LAST_EVENT, WITH_AUDIO],
    codes=("not_found",),
)
cancel_song = operation(
    "cancel_song",
    "Cancel a song; delivered takes are charged",
    gives("Song", "The song as it is now"),
    tag="songs",
    codes=("not_found", "already_final"),
)
quote_song = operation(
    "quote_song",
    "What an order would cost at most; nothing is ordered",
    gives("Quote", "The quote"),
    tag="songs",
    takes="Order",
    examples=[FIRST_SONG],
    codes=IN_AN_ORDER,
)
read_task = operation(
    "read_task",
    "A song by its id, always 200",
    gives("Task", "The song, or why there is none"),
    tag="songs",
    parameters=[OpenApiParameter("taskid", str, QUERY, required=True)],
)
list_models = operation("list_models", "Every model on offer", gives("ModelList", "The models"), tag="offer")
read_model = operation(
    "read_model",
    "One model: what it can do, what it costs",
    {**gives("Model", "The model"), **errors("model_not_found", causes=CAUSES)},
    tag="offer",
)
list_catelogs = operation("list_catelogs", "Kinds of work", gives("CatelogList", "The kinds"), tag="offer")
list_prices = operation(
    "list_prices",
    "Prices in force",
    gives("PriceProgramList", "The prices"),
    tag="offer",
    parameters=[OpenApiParameter("model", str, QUERY), OpenApiParameter("catelogid", str, QUERY)],
)
issue_ticket = operation(
    "issue_ticket",
    "A ticket for one WebSocket at /ws/v1/jobs, within a minute",
    gives("Ticket", "The ticket"),
    tag="live",
)
open_audio = operation(
    "open_audio",
    "The audio behind a signed link",
    {
        (200, "audio/*"): said(TEXT, "The file"),
        (206, "audio/*"): said(TEXT, "The part that was asked for"),
        304: OpenApiResponse(description="Unchanged"),
        416: OpenApiResponse(description="There is no such part"),
    },
    tag="audio",
    parameters=[RANGE],
    is_public=True,
    codes=("not_found", "busy"),
)
open_stream = operation(
    "open_stream",
    "A take as it grows while it is made, behind a signed link; once it is whole, its file",
    {
        (200, "audio/*"): said(TEXT, "The sound as it comes, to the end of the take"),
        (206, "audio/*"): said(TEXT, "Of a finished take: the part that was asked for"),
        304: OpenApiResponse(description="Unchanged"),
        416: OpenApiResponse(description="There is no such part"),
    },
    tag="audio",
    parameters=[RANGE],
    is_public=True,
    codes=("not_found",),
)
read_schema = operation(
    "read_schema", "This schema", {(200, JSON): said({"type": "object"}, "OpenAPI 3.1")}, tag="about", is_public=True
)
read_docs = operation(
    "read_docs", "This schema to read and try", {(200, "text/html"): said(TEXT, "A page")}, tag="about", is_public=True
)
check_health = operation("check_health", "Ready for requests", gives("Health", "Ready"), tag="about", is_public=True)
