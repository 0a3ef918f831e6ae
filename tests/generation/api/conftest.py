"""A shop whose one model has an endpoint of its own."""

from __future__ import annotations

import pytest

from accounts.tenancy import system_scope
from tests.generation.api.muse import FORMS, Form, sell_as_mureka
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


@pytest.fixture
def muse(corner: Shop) -> Shop:
    """The model behind the slug `corner` is sold as Mureka's are."""
    with system_scope():
        sell_as_mureka(corner)
    return corner


@pytest.fixture(params=FORMS, ids=lambda form: form.name)
def form(request: pytest.FixtureRequest) -> Form:
    """Each envelope of the wire `mureka`."""
    return request.param
