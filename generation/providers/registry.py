"""Every provider, one line each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from generation.providers.base import Provider
from generation.providers.musicgen_http import MusicGenHttp
from generation.providers.openai_music import OpenAIMusic


def _rehearsal() -> Provider:
    from generation.providers.rehearsal import Rehearsal  # noqa: PLC0415 - the composer loads when it first plays

    return Rehearsal()


_PROVIDERS: Final[dict[str, Callable[[], Provider]]] = {
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
