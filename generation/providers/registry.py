"""Every provider, one line each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from generation.providers.base import Provider
from generation.providers.lyria import Lyria
from generation.providers.minimax import MiniMax
from generation.providers.mureka import Mureka
from generation.providers.openai_music import OpenAIMusic


def _rehearsal() -> Provider:
    from generation.providers.rehearsal import Rehearsal  # noqa: PLC0415 - the composer loads when it first plays

    return Rehearsal()


_PROVIDERS: Final[dict[str, Callable[[], Provider]]] = {
    "lyria": Lyria,
    "minimax": MiniMax,
    "mureka": Mureka,
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
