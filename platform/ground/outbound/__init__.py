"""The guarded way out: every call that leaves the house for an address that somebody else named."""

from typing import Final

from ground.outbound.client import (
    CONNECT_SECONDS,
    FILE_BYTES,
    JSON_BYTES,
    Answer,
    AnswerLost,
    AnswerTooLong,
    Incoming,
    NotSent,
    Outbound,
)
from ground.outbound.guard import CallRefused

__all__ = [
    "CONNECT_SECONDS",
    "FILE_BYTES",
    "JSON_BYTES",
    "OUTBOUND",
    "Answer",
    "AnswerLost",
    "AnswerTooLong",
    "CallRefused",
    "Incoming",
    "NotSent",
    "Outbound",
]

OUTBOUND: Final = Outbound()
"""The process's own, with its connections."""
