"""Two sellers with upstreams, in rows outside every scope, as browsers meet them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import Organization, Role
from accounts.tenancy import system_scope
from tests.generation.admin.sellers import Market, browser_as, upstream_of
from tests.generation.worlds import make_world


@pytest.fixture
def market(db: None, settings: Settings, tmp_path: Path) -> Market:
    settings.MEDIA_ROOT = tmp_path
    with system_scope():
        world = make_world()
        rival = Organization.objects.create(name="Rival", slug="rival", is_reseller=True)
        return Market(world, upstream_of(world.seller, "ours"), rival, upstream_of(rival, "theirs"))


@pytest.fixture
def keeper(market: Market) -> Client:
    """Signed in as an admin of the seller."""
    return browser_as(Role.ADMIN, market.world.seller)
