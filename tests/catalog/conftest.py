"""A small market: the platform, a reseller under it, a customer of each, and a way to put a model on sale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Organization
from accounts.services.organizations import create_organization
from accounts.tenancy import system_scope
from catalog.capabilities import Capabilities, Limits
from catalog.models import Llm, LlmCatalog, LlmMapping, LlmStatus, Upstream
from tests.catalog.market import Sell, program_of, upstream_of

PLAIN, PLAIN_LIMITS = Capabilities(), Limits()


@pytest.fixture(autouse=True)
def _everyone_in_scope() -> Iterator[None]:
    with system_scope():
        yield


@pytest.fixture
def platform(db: None) -> Organization:
    return create_organization(name="Tutti", slug="tutti", kinds=["platform"])


@pytest.fixture
def vendor(db: None) -> Organization:
    return create_organization(name="Vendor", slug="vendor", kinds=["provider"])


@pytest.fixture
def reseller(platform: Organization) -> Organization:
    return create_organization(name="Resound", slug="resound", parent=platform, kinds=["reseller"])


@pytest.fixture
def customer(platform: Organization) -> Organization:
    return create_organization(name="Blue Note", slug="blue-note", parent=platform)


@pytest.fixture
def resold_customer(reseller: Organization) -> Organization:
    return create_organization(name="Red Note", slug="red-note", parent=reseller)


@pytest.fixture
def sell(vendor: Organization) -> Sell:
    """Put a model on sale. `sale` and `cost` are micro-credits by unit; None leaves the mapping without a cost."""

    def put(
        owner: Organization,
        name: str = "aria-1",
        *,
        sale: dict[str, int] | None = None,
        cost: dict[str, int] | None = None,
        catalog: str = "music_gen",
        upstream: Upstream | None = None,
        provider: Organization | None = None,
        capabilities: Capabilities = PLAIN,
        limits: Limits = PLAIN_LIMITS,
        mapping: dict[str, Any] | None = None,
        **llm: Any,
    ) -> LlmMapping:
        kind, _ = LlmCatalog.objects.get_or_create(pk=catalog, defaults={"name": catalog.replace("_", " ").title()})
        model, _ = Llm.objects.get_or_create(
            owner=owner,
            public_name=name,
            defaults={
                "provider": provider or vendor,
                "upstream_model": f"{name}-upstream",
                "status": LlmStatus.PUBLISHED,
                "capabilities": capabilities.as_json(),
                "limits": limits.as_json(),
            }
            | llm,
        )
        return LlmMapping.objects.create(
            llm=model,
            catalog=kind,
            upstream=upstream or upstream_of(owner),
            sale_prices=program_of(owner, {"song": 1_000_000} if sale is None else sale),
            cost_prices=None if cost is None else program_of(owner, cost),
            **mapping or {},
        )

    return put


@pytest.fixture
def offer_file(tmp_path: Path) -> Callable[[str], Path]:
    """A file that holds this text."""

    def write(text: str) -> Path:
        file = tmp_path / "offer.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return write
