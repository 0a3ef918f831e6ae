"""Fixtures every test may use, and what holds for each of them."""

from tests.plugins.ledger import flush_empties_the_ledger
from tests.plugins.network import only_loopback
from tests.plugins.skips import pytest_make_collect_report, pytest_runtest_makereport

__all__ = [
    "flush_empties_the_ledger",
    "only_loopback",
    "pytest_make_collect_report",
    "pytest_runtest_makereport",
]
