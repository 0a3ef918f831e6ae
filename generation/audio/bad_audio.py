"""The one error of everything that reads audio; it needs nothing, so that reading can begin quickly."""

from __future__ import annotations


class BadAudio(Exception):
    """Audio that cannot be delivered, or taken. The message is a sentence a customer can read."""
