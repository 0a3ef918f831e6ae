"""Fixtures every test may use."""

from tests.plugins.ledger import flush_empties_the_ledger

__all__ = ["flush_empties_the_ledger"]
