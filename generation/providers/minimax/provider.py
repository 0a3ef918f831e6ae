"""The wire `minimax` as an upstream: POST /v1/music_generation, one song for each call, answered when it is made.

It has no id to ask by, so an order of unknown fate stays unknown. An order that may be heard while it is made is
streamed. The upstream writes lyrics too: POST /v1/lyrics_generation.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from generation.contract import Delivery, LyricsRequest, SongRequest, WrittenLyrics
from generation.providers import http
from generation.providers.base import Line, UpstreamAccess
from generation.providers.minimax.answer import song_in, text_in
from generation.providers.minimax.order import lyrics_fields, order_fields
from generation.providers.minimax.stream import bring_streamed
from generation.providers.parallel import in_parallel

MUSIC: Final = "/v1/music_generation"
LYRICS: Final = "/v1/lyrics_generation"


class MiniMax:
    """Satisfies `generation.providers.base.Provider` and `WritesLyrics`."""

    slug = "minimax"
    repeatable = False

    async def make(self, song: SongRequest, upstream: UpstreamAccess, line: Line) -> Delivery:
        """Order each take by a call of its own, side by side."""
        one = replace(song, takes=1)
        if song.takes == 1:
            return await _bring(one, line, 0, upstream)
        return await in_parallel(upstream, [partial(_bring, one, line, take) for take in range(song.takes)])

    async def write(self, request: LyricsRequest, upstream: UpstreamAccess) -> WrittenLyrics:
        """Write the lyrics of a song, or edit some. Raises ProviderError."""
        deadline = upstream.deadline_seconds
        async with http.within(deadline):
            heard = await http.call(
                upstream,
                "POST",
                LYRICS,
                headers=_headers(upstream) | http.known_by(upstream),
                fields=lyrics_fields(request),
                deadline_seconds=deadline,
            )
        return text_in(heard)


async def _bring(song: SongRequest, line: Line, take: int, upstream: UpstreamAccess) -> Delivery:
    headers = _headers(upstream) | http.known_by(upstream)
    fields, deadline = order_fields(song, upstream), upstream.deadline_seconds
    async with http.within(deadline):
        if song.partial_audio:
            return await bring_streamed(song, upstream, line, take=take, path=MUSIC, headers=headers, fields=fields)
        heard = await http.call(upstream, "POST", MUSIC, headers=headers, fields=fields, deadline_seconds=deadline)
        return await song_in(heard, song, upstream)


def _headers(upstream: UpstreamAccess) -> dict[str, str]:
    return {"Authorization": f"Bearer {upstream.credential}"}
