from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from accounts.models import Organization
from catalog.models import Llm, LlmCatalog, LlmMapping, Price, PriceProgram, Upstream
from catalog.services.apply_offer import apply_offer
from catalog.services.export_offer import export_offer
from tests.catalog.services.test_apply_offer import ENVIRONMENT, OFFER

pytestmark = pytest.mark.both_databases

NOW = datetime(2027, 1, 1, tzinfo=UTC)
Write = Callable[[str], Path]
RICH = OFFER.replace(
    "      - {unit: song, credits: 1.50}\n",
    "      - {unit: song, credits: 1.50}\n"
    "      - {unit: song, credits: 0.000001, filters: {format: [wav, flac], takes: 2}}\n"
    "      - {unit: song, credits: 1.75, from: 2030-01-01T00:00:00Z, until: 2031-01-01T00:00:00.5Z}\n"
    "      - {unit: 1k tokens, credits: 0}\n",
).replace(
    "  - name: aria-2\n",
    "  - name: aria-2\n"
    "    description: 'Ein Lied: für 音乐, \"laut\"'\n"
    "    status: draft\n"
    "    sold_from: 2028-01-01T00:00:00Z\n"
    "    licence: CC-BY-NC-4.0\n"
    "    commercial_use: false\n"
    "    capabilities: {sampling: [temperature], duration: exact, stereo: false}\n"
    "    limits: {duration_seconds: [0.5, 60], default_duration_seconds: 30, promises_length: true}\n",
)


def clear() -> None:
    for model in (LlmMapping, Llm, Price, PriceProgram, Upstream, LlmCatalog):
        model.objects.all().delete()
    Organization.objects.filter(slug="maker").delete()


@pytest.mark.parametrize("text", [OFFER, RICH, "{}"])
def test_export_applied_to_nothing_exports_the_same(platform: Organization, offer_file: Write, text: str) -> None:
    apply_offer(file=offer_file(text), at=NOW, environment=ENVIRONMENT)
    first = export_offer(at=NOW)
    clear()

    apply_offer(file=offer_file(first), at=NOW, environment=ENVIRONMENT)

    assert export_offer(at=NOW) == first


def test_export_applied_to_its_own_database_changes_nothing(platform: Organization, offer_file: Write) -> None:
    apply_offer(file=offer_file(RICH), at=NOW, environment=ENVIRONMENT)

    assert apply_offer(file=offer_file(export_offer(at=NOW)), at=NOW, prune=True, environment=ENVIRONMENT) == []


def test_export_reads_like_this(platform: Organization, offer_file: Write) -> None:
    apply_offer(file=offer_file(OFFER), at=NOW, environment=ENVIRONMENT)

    assert (
        export_offer(at=NOW)
        == """\
providers:
  maker: {name: The Maker}
catalogs:
  music_gen: {name: Music generation}
upstreams:
  main:
    owner: tutti
    name: Main
    provider: minimax
    base_url: http://musicgen:5555
    credential: {env: MAKER_KEY}
prices:
  aria-cost:
    owner: tutti
    name: Aria, bought
    rows:
      - {unit: song, credits: 0.90}
  aria-sale:
    owner: tutti
    name: Aria, sold
    rows:
      - {unit: song, credits: 1.50}
models:
  - name: aria-1
    owner: tutti
    provider: maker
    aliases: [aria]
    upstream_model: maker/aria
    capabilities: {lyrics: required}
    mappings:
      - catalog: music_gen
        upstream: main
        endpoint_slug: aria
        sale_prices: aria-sale
        cost_prices: aria-cost
        default_for_wires: [mureka]
  - name: aria-2
    owner: tutti
    provider: maker
    mappings:
      - {catalog: music_gen, upstream: main, sale_prices: aria-sale}
"""
    )


def test_export_never_holds_a_secret(platform: Organization, offer_file: Write) -> None:
    apply_offer(file=offer_file(OFFER), at=NOW, environment=ENVIRONMENT)
    Upstream.objects.create(organization=platform, slug="typed", name="Typed", provider="lyria", credential="hunter4")

    exported = export_offer(at=NOW)

    assert "hunter" not in exported
    assert "  typed: {owner: tutti, name: Typed, provider: lyria}\n" in exported


def test_price_that_has_ended_is_not_exported(platform: Organization, offer_file: Write) -> None:
    apply_offer(file=offer_file(OFFER), at=NOW, environment=ENVIRONMENT)
    later = datetime(2027, 6, 1, tzinfo=UTC)
    apply_offer(file=offer_file(OFFER.replace("1.50", "1.60")), at=later, environment=ENVIRONMENT)

    exported = export_offer(at=later)

    assert "1.50" not in exported
    assert "1.60" in exported


def test_provider_that_also_sells_is_not_created_by_the_file(platform: Organization, offer_file: Write) -> None:
    Organization.objects.filter(pk=platform.pk).update(is_provider=True)
    apply_offer(file=offer_file(OFFER.replace("provider: maker", "provider: tutti")), at=NOW, environment=ENVIRONMENT)

    assert not export_offer(at=NOW).startswith("providers")
