"""A customer with songs, looked at from outside every scope, as a browser does."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.tenancy import system_scope
from tests.generation.worlds import World, make_world


@pytest.fixture
def world(db: None, settings: Settings, tmp_path: Path) -> World:
    settings.MEDIA_ROOT = tmp_path
    with system_scope():
        return make_world()


@pytest.fixture
def browser(world: World) -> Client:
    """Signed in as the customer's owner."""
    assert world.caller.member is not None
    client = Client()
    client.force_login(world.caller.member.user)
    return client
