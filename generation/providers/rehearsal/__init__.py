"""The rehearsal provider: a small deterministic composer, so that music comes at once, offline and free."""

from generation.providers.rehearsal.composer import Composition, compose
from generation.providers.rehearsal.provider import Rehearsal

__all__ = ["Composition", "Rehearsal", "compose"]
