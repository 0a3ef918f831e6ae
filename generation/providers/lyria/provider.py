"""The wire `lyria` as an upstream: one call, answered with the song once it is made.

The wire has seven shapes, for its vendors serve the same call under several addresses: generateContent or a chat
completion, with the model or an endpoint in the address. Nobody can be asked later what became of a call.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from generation.contract import Delivery, SongRequest
from generation.providers import http
from generation.providers.base import Line, ProviderError, UpstreamAccess
from generation.providers.lyria.answers import delivery_in
from generation.providers.lyria.song_text import song_text
from generation.providers.parallel import in_parallel

logger = logging.getLogger("tutti.upstreams")

NOT_SET_UP: Final = "The model is not set up as its upstream needs it. We were told; nothing was charged."


@dataclass(frozen=True, slots=True)
class Shape:
    """One address of the call; `endpoint_safe` are signs that a mapping's endpoint may put into it."""

    path: str
    is_chat: bool = False
    has_google_key: bool = False
    endpoint_safe: str = ""


DEFAULT_SHAPE: Final = "endpoint"
SHAPES: Final[dict[str, Shape]] = {
    DEFAULT_SHAPE: Shape("/v1/ai/{endpoint}/music/generateContent"),
    "endpoint_model": Shape("/{endpoint}/music/v1beta1/publishers/google/models/{model}:generateContent"),
    "endpoint_google_chat": Shape("/v1/ai/{endpoint}/music/google/chat/completions", is_chat=True),
    "endpoint_chat": Shape("/v1/ai/{endpoint}/music/chat/completions", is_chat=True),
    "chat": Shape("/v1/music/chat/completions", is_chat=True),
    "google": Shape("/v1beta/models/{model}:generateContent", has_google_key=True),
    # The endpoint is `projects/P/locations/L` here.
    "vertex": Shape("/v1beta1/{endpoint}/publishers/google/models/{model}:generateContent", endpoint_safe="/"),
}


class Lyria:
    """Satisfies `generation.providers.base.Provider`."""

    slug = "lyria"
    repeatable = False

    async def make(self, song: SongRequest, upstream: UpstreamAccess, line: Line) -> Delivery:
        """Call, and wait for the song; once for each take, for a call makes one."""
        shape = _shape_of(upstream)
        if song.takes == 1:
            return await _bring(song, shape, upstream)
        return await in_parallel(upstream, [partial(_bring, song, shape)] * song.takes)


async def _bring(song: SongRequest, shape: Shape, upstream: UpstreamAccess) -> Delivery:
    deadline = upstream.deadline_seconds
    async with http.within(deadline):
        heard = await http.call(
            upstream,
            "POST",
            path_of(shape, upstream),
            headers=_headers(shape, upstream) | http.known_by(upstream),
            fields=order_fields(song, shape, upstream),
            deadline_seconds=deadline,
        )
    return delivery_in(heard)


def _shape_of(upstream: UpstreamAccess) -> Shape:
    """Raises ProviderError for a mapping without what its shape needs: nothing was sent then."""
    shape = SHAPES.get(upstream.shape or DEFAULT_SHAPE)
    if shape is None:
        missing = f"knows no shape {upstream.shape!r}, only {', '.join(SHAPES)}"
    elif "{endpoint}" in shape.path and not upstream.endpoint:
        missing = "needs an upstream_endpoint"
    else:
        return shape
    logger.error("The wire lyria %s: mend the mapping of %s.", missing, upstream.model)
    raise ProviderError("upstream_error", NOT_SET_UP, seen="not_made")


# --- What is asked ------------------------------------------------------------------------------------------------


def path_of(shape: Shape, upstream: UpstreamAccess) -> str:
    endpoint = quote(upstream.endpoint.strip("/"), safe=shape.endpoint_safe)
    return shape.path.format(endpoint=endpoint, model=quote(upstream.model, safe="@"))


def order_fields(song: SongRequest, shape: Shape, upstream: UpstreamAccess) -> dict[str, Any]:
    """The body of the call: all of the order that this wire can take is one text."""
    text = song_text(song)
    if shape.is_chat:
        return {
            "model": upstream.model,
            "stream": False,
            "messages": [{"role": "user", "content": text}],
            "modalities": ["audio", "text"],
        }
    return {
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "generationConfig": {"responseModalities": ["AUDIO", "TEXT"]},
    }


def _headers(shape: Shape, upstream: UpstreamAccess) -> dict[str, str]:
    if shape.has_google_key:
        return {"x-goog-api-key": upstream.credential}
    return {"Authorization": f"Bearer {upstream.credential}"}
