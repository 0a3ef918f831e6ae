"""The wire `lyria` as an upstream, in all of its shapes."""

from generation.providers.lyria.provider import SHAPES, Lyria

__all__ = ["SHAPES", "Lyria"]
