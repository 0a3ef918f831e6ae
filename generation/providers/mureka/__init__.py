"""Mureka as an upstream, in both envelopes of its wire."""

from __future__ import annotations

from generation.providers.mureka.provider import Mureka

__all__ = ["Mureka"]
