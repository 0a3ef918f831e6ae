"""Every provider, one line each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

from generation.providers.base import Provider, Resumes
from generation.providers.conveys import TUTTI
from generation.providers.lyria import Lyria
from generation.providers.minimax import MiniMax
from generation.providers.mureka import Mureka
from generation.providers.musicgen_http import MusicGenHttp
from generation.providers.openai_music import OpenAIMusic


def _rehearsal() -> Provider:
    from generation.providers.rehearsal import Rehearsal  # noqa: PLC0415 - the composer loads when it first plays

    return Rehearsal()


_PROVIDERS: Final[dict[str, Callable[[], Provider]]] = {
    "lyria": Lyria,
    "minimax": MiniMax,
    "mureka": Mureka,
    "musicgen_http": MusicGenHttp,
    "openai_music": OpenAIMusic,
    "rehearsal": _rehearsal,
}


@cache
def provider_named(slug: str) -> Provider:
    """The provider that speaks an upstream's wire; raises KeyError for a name nobody speaks."""
    return _PROVIDERS[slug]()


def is_repeatable(slug: str) -> bool:
    """Whether an order of unknown fate may be given again without a second bill."""
    return slug in _PROVIDERS and provider_named(slug).repeatable


def is_resumable(slug: str, *, shape: str, tickets: Sequence[str]) -> bool:
    """Whether another process can bring what was ordered: by an id that was kept, or by its key where that is one."""
    if slug not in _PROVIDERS or not isinstance(provider_named(slug), Resumes):
        return False
    return bool(tickets) or shape == TUTTI
