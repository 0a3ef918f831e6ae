from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection

from accounts.models import Organization
from catalog.models import Llm, LlmCatalog, LlmMapping, LlmStatus, Price, Upstream
from catalog.offers.nodes import OfferError
from catalog.services.apply_offer import apply_offer

pytestmark = pytest.mark.both_databases

NOW = datetime(2027, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
Write = Callable[[str], Path]
OFFER = """\
owner: tutti
providers:
  maker: {name: The Maker}
catalogs:
  music_gen: {name: Music generation}
upstreams:
  main:
    name: Main
    provider: minimax
    base_url: http://musicgen:5555
    credential: {env: MAKER_KEY}
prices:
  aria-sale:
    name: Aria, sold
    rows:
      - {unit: song, credits: 1.50}
  aria-cost:
    name: Aria, bought
    rows:
      - {unit: song, credits: 0.90}
models:
  - name: aria-1
    provider: maker
    aliases: [aria]
    upstream_model: maker/aria
    capabilities: {lyrics: required}
    limits: {lyrics: [1, 3500]}
    mappings:
      - catalog: music_gen
        upstream: main
        sale_prices: aria-sale
        cost_prices: aria-cost
        endpoint_slug: aria
        default_for_wires: [mureka]
  - name: aria-2
    provider: maker
    mappings:
      - catalog: music_gen
        upstream: main
        sale_prices: aria-sale
"""
ENVIRONMENT = {"MAKER_KEY": "hunter2"}


def apply(
    file: Path, *, at: datetime = NOW, prune: bool = False, environment: dict[str, str] = ENVIRONMENT
) -> list[str]:
    return apply_offer(file=file, at=at, prune=prune, environment=environment)


def test_offer_is_made_from_nothing(platform: Organization, offer_file: Write) -> None:
    changes = apply(offer_file(OFFER))

    assert changes == [
        "provider maker: created",
        "catalog music_gen: created",
        "upstream main: created",
        "prices aria-sale: created",
        "prices aria-sale: 1.50 credits per song begins",
        "prices aria-cost: created",
        "prices aria-cost: 0.90 credits per song begins",
        "model aria-1: created",
        "mapping aria-1 in music_gen through main: created",
        "model aria-2: created",
        "mapping aria-2 in music_gen through main: created",
    ]
    mapping = LlmMapping.objects.get(endpoint_slug="aria")
    assert (mapping.llm.owner.slug, mapping.llm.provider.slug) == ("tutti", "maker")
    assert (mapping.llm.aliases, mapping.llm.upstream_model) == (["aria"], "maker/aria")
    assert (mapping.llm.capabilities["lyrics"], mapping.llm.limits["lyrics"]) == ("required", [1, 3500])
    assert (mapping.sale_prices.slug, mapping.cost_prices and mapping.cost_prices.slug) == ("aria-sale", "aria-cost")
    assert (mapping.upstream.organization.slug, mapping.upstream.base_url) == ("tutti", "http://musicgen:5555")
    assert mapping.default_for_wires == ["mureka"]


def test_provider_is_created_as_nothing_but_a_provider(platform: Organization, offer_file: Write) -> None:
    apply(offer_file(OFFER))

    assert Organization.objects.get(slug="maker").kinds == {"provider"}


def test_second_run_changes_nothing(platform: Organization, offer_file: Write) -> None:
    apply(offer_file(OFFER))

    assert apply(offer_file(OFFER), at=LATER) == []
    assert Price.objects.count() == 2


def test_each_change_is_one_line(platform: Organization, offer_file: Write) -> None:
    apply(offer_file(OFFER))
    changed = (
        OFFER.replace("The Maker", "The Maker Inc.")
        .replace("credits: 1.50", "credits: 1.60")
        .replace("lyrics: required", "lyrics: optional")
        .replace("[1, 3500]", "[1, 3000]")
        .replace("endpoint_slug: aria", "endpoint_slug: aria-1")
    )

    changes = apply(offer_file(changed), at=LATER)

    assert changes == [
        "provider maker: name changed",
        "prices aria-sale: 1.50 -> 1.60 credits per song",
        "model aria-1: capabilities, limits changed",
        "mapping aria-1 in music_gen through main: endpoint_slug changed",
    ]


def test_key_that_is_left_out_has_its_default_again(platform: Organization, offer_file: Write) -> None:
    apply(offer_file(OFFER))

    apply(offer_file(OFFER.replace("        cost_prices: aria-cost\n", "").replace("    aliases: [aria]\n", "")))

    mapping = LlmMapping.objects.get(endpoint_slug="aria")
    assert (mapping.cost_prices, mapping.llm.aliases) == (None, [])


def test_secret_comes_from_the_environment_and_is_never_told(platform: Organization, offer_file: Write) -> None:
    apply(offer_file(OFFER))
    changes = apply(offer_file(OFFER), environment={"MAKER_KEY": "hunter3"})

    upstream = Upstream.objects.get(slug="main")
    assert changes == ["upstream main: credential changed"]
    assert (upstream.credential, upstream.credential_env) == ("hunter3", "MAKER_KEY")
    with connection.cursor() as cursor:
        cursor.execute("SELECT credential FROM catalog_upstream")
        [[stored]] = cursor.fetchall()
    assert "hunter3" not in stored


@pytest.mark.parametrize("environment", [{}, {"MAKER_KEY": ""}])
def test_secret_that_is_not_set_is_an_error_with_its_line(
    platform: Organization, offer_file: Write, environment: dict[str, str]
) -> None:
    file = offer_file(OFFER)

    with pytest.raises(OfferError) as caught:
        apply(file, environment=environment)

    assert str(caught.value) == f"{file}:11: the environment variable MAKER_KEY is not set"


def test_secret_typed_in_by_hand_stays_when_the_file_is_silent(platform: Organization, offer_file: Write) -> None:
    silent = OFFER.replace("    credential: {env: MAKER_KEY}\n", "")
    apply(offer_file(silent))
    Upstream.objects.filter(slug="main").update(credential="typed")

    assert apply(offer_file(silent)) == []
    assert Upstream.objects.get(slug="main").credential == "typed"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("owner: tutti", "owner: tutty", "1: there is no organization 'tutty'"),
        ("    provider: maker\n", "    provider: baker\n", "23: there is no organization 'baker'"),
        ("catalog: music_gen", "catalog: music", "29: there is no catalog 'music'"),
        ("upstream: main", "upstream: mine", "30: there is no upstream 'mine'"),
        ("sale_prices: aria-sale", "sale_prices: aria", "31: there is no price program 'aria'"),
        ("cost_prices: aria-cost", "cost_prices: aria", "32: there is no price program 'aria'"),
        ("  maker: {", "  blue-note: {", "3: the organization blue-note is there and is no provider"),
        ("  music_gen: {", "  music gen: {", "5: id: Enter a valid “slug” consisting of letters, numbers, "),
        ("endpoint_slug: aria", "endpoint_slug: a/b", "29: endpoint_slug: Enter a valid “slug” consisting of "),
        ("name: aria-1", f"name: {'x' * 101}", "22: public_name: Ensure this value has at most 100 characters"),
    ],
)
@pytest.mark.usefixtures("platform", "customer")
def test_offer_that_does_not_fit_is_refused_with_its_line(offer_file: Write, old: str, new: str, message: str) -> None:
    file = offer_file(OFFER.replace(old, new, 1))

    with pytest.raises(OfferError) as caught:
        apply(file)

    assert str(caught.value).startswith(f"{file}:{message}")


def test_endpoint_that_is_taken_is_refused_with_its_line(platform: Organization, offer_file: Write) -> None:
    file = offer_file(OFFER + "        endpoint_slug: aria\n")

    with pytest.raises(OfferError) as caught:
        apply(file)

    assert str(caught.value) == f"{file}:38: endpoint_slug: Llm mapping with this Endpoint slug already exists."


def test_nothing_is_applied_when_anything_is_wrong(platform: Organization, offer_file: Write) -> None:
    with pytest.raises(OfferError):
        apply(offer_file(OFFER + "        cost_prices: nowhere\n"))

    assert (LlmCatalog.objects.count(), Llm.objects.count(), Upstream.objects.count()) == (0, 0, 0)
    assert not Organization.objects.filter(slug="maker").exists()


SHORTER = OFFER[: OFFER.index("  - name: aria-2")]


def test_what_is_not_listed_stays(platform: Organization, offer_file: Write) -> None:
    apply(offer_file(OFFER))

    assert apply(offer_file(SHORTER)) == []
    assert Llm.objects.get(public_name="aria-2").status == LlmStatus.PUBLISHED


def test_pruning_retires_models_and_switches_mappings_off(platform: Organization, offer_file: Write) -> None:
    elsewhere = "      - {catalog: music_gen, upstream: main, operation: extend, sale_prices: aria-sale}\n"
    apply(offer_file(OFFER.replace("  - name: aria-2\n", elsewhere + "  - name: aria-2\n")))

    changes = apply(offer_file(SHORTER), prune=True)

    assert changes == ["model aria-2: retired", "mapping aria-1 in music_gen through Main: switched off"]
    assert Llm.objects.get(public_name="aria-2").status == LlmStatus.RETIRED
    assert apply(offer_file(SHORTER), prune=True) == []


def test_pruning_leaves_the_models_of_other_sellers_alone(
    platform: Organization, reseller: Organization, offer_file: Write
) -> None:
    apply(offer_file(OFFER + "  - {name: theirs, provider: maker, owner: resound}\n"))

    apply(offer_file(SHORTER), prune=True)

    assert Llm.objects.get(public_name="theirs").status == LlmStatus.PUBLISHED


def test_retired_model_is_published_again_when_it_is_listed_again(platform: Organization, offer_file: Write) -> None:
    apply(offer_file(OFFER))
    apply(offer_file(SHORTER), prune=True)

    assert apply(offer_file(OFFER)) == ["model aria-2: status changed"]
