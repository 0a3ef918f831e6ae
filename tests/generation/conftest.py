"""Fixtures of the work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.tenancy import system_scope
from tests.generation.shops import Shop, make_shop
from tests.generation.worlds import World, make_world


@pytest.fixture
def world(db: None, settings: Settings, tmp_path: Path) -> Iterator[World]:
    """A small world, read and written in system scope, with its files in a folder of the test."""
    settings.MEDIA_ROOT = tmp_path
    with system_scope():
        yield make_world()


@pytest.fixture
def shop(transactional_db: None, settings: Settings, tmp_path: Path) -> Shop:
    """The same world with a key, in rows that other threads can read, as the wire meets it."""
    settings.MEDIA_ROOT = tmp_path
    return make_shop()
