"""Fixtures every test may use."""

from tests.plugins.ledger import flush_empties_the_ledger
from tests.plugins.network import only_loopback

__all__ = ["flush_empties_the_ledger", "only_loopback"]
