"""The small world of the work's own tests serves the scenarios too."""

from tests.generation.conftest import world

__all__ = ["world"]
