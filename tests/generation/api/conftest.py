"""A shop whose one model has an endpoint of its own."""

from __future__ import annotations

import pytest

from accounts.tenancy import system_scope
from tests.generation.shops import Shop

ENDPOINT = "corner"


@pytest.fixture
def corner(shop: Shop) -> Shop:
    """Its model stands behind the slug `corner` too, and is also called `tune`."""
    with system_scope():
        shop.world.mapping.endpoint_slug = ENDPOINT
        shop.world.mapping.save()
        shop.world.mapping.llm.aliases = ["tune"]
        shop.world.mapping.llm.save()
    return shop
