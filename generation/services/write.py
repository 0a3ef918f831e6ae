"""The call that has lyrics written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from django.utils import timezone

from catalog.capabilities import code_points
from generation.contract import LyricsRequest, WrittenLyrics
from generation.providers.base import ProviderError, UpstreamAccess, WritesLyrics
from generation.providers.registry import provider_named
from generation.services.claim import Work
from generation.services.writers import Writing

Keep = Callable[[Work, WrittenLyrics], Awaitable[bool]]
NO_TEXT: Final = "The upstream says that it wrote the lyrics, and gave no text. Nothing was charged."
NO_WRITER: Final = "The upstream of this model writes no lyrics: tell its seller. Nothing was charged."


async def write(request: LyricsRequest, provider: str, access: UpstreamAccess) -> WrittenLyrics:
    """Have a text written. Raises ProviderError."""
    writer = provider_named(provider)
    if not isinstance(writer, WritesLyrics):
        raise ProviderError("upstream_error", NO_WRITER, seen="not_made")
    text = await writer.write(request, access)
    if not text.lyrics.strip():
        raise ProviderError("upstream_error", NO_TEXT, seen="unknown")
    return text


async def write_first(work: Work, writing: Writing, keep: Keep) -> Work:
    """The work with the lyrics of its song, which are kept as soon as they are known.

    Raises ProviderError; CancelledError where the job has ended meanwhile: no song is ordered for it any more.
    """
    text = await write(writing.request, writing.provider, writing.access)
    text = replace(text, lyrics=within(text.lyrics, writing.longest))
    if not await keep(work, text):
        raise asyncio.CancelledError
    left = (work.deadline - timezone.now()).total_seconds()
    access = replace(work.access, deadline_seconds=min(work.access.deadline_seconds, left))
    return replace(work, song=replace(work.song, lyrics=text.lyrics), access=access, writing=None)


def within(lyrics: str, longest: int) -> str:
    """The lyrics without the last lines that are too many for the model that sings them."""
    lines = lyrics.splitlines()
    while len(lines) > 1 and code_points("\n".join(lines)) > longest:
        lines.pop()
    return "\n".join(lines).rstrip() if code_points(lyrics) > longest else lyrics
