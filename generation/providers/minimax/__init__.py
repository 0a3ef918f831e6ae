"""The wire `minimax` as an upstream."""

from generation.providers.minimax.provider import MiniMax

__all__ = ["MiniMax"]
