"""The wire `mureka` as an upstream."""

from generation.providers.mureka.provider import Mureka

__all__ = ["Mureka"]
