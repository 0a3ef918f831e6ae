from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Organization
from accounts.services.organizations import create_organization
from catalog.models import LlmMapping, LlmStatus, Upstream
from catalog.services.lookup import ModelNotFound, find_offer, offers_visible_to
from tests.catalog.market import Sell, upstream_of

pytestmark = pytest.mark.both_databases


def find(organization: Organization, model: str, catalog: str = "music_gen", **wire: Any) -> LlmMapping:
    return find_offer(organization=organization, catalog=catalog, model=model, **wire)


@pytest.mark.parametrize("catalog", ["music_gen", "Music Gen"])
def test_catalog_is_found_by_id_and_by_name(
    sell: Sell, platform: Organization, customer: Organization, catalog: str
) -> None:
    offer = sell(platform)

    assert find(customer, "aria-1", catalog) == offer


@pytest.mark.parametrize("name", ["aria-1", "aria", "vendor/aria"])
def test_model_is_found_by_name_alias_and_upstream_id(
    sell: Sell, platform: Organization, customer: Organization, name: str
) -> None:
    offer = sell(platform, aliases=["aria"], upstream_model="vendor/aria")
    sell(platform, "other", aliases=["another"])

    assert find(customer, name) == offer


def test_public_name_comes_before_alias_before_upstream_id(
    sell: Sell, platform: Organization, customer: Organization
) -> None:
    by_upstream_id = sell(platform, "third", upstream_model="aria", mapping={"priority": 1})
    assert find(customer, "aria") == by_upstream_id

    by_alias = sell(platform, "second", aliases=["aria"], mapping={"priority": 2})
    assert find(customer, "aria") == by_alias

    by_name = sell(platform, "aria", mapping={"priority": 3})
    assert find(customer, "aria") == by_name


def test_exact_name_of_a_far_seller_comes_before_the_alias_of_a_near_one(
    sell: Sell, platform: Organization, reseller: Organization, resold_customer: Organization
) -> None:
    sell(reseller, "second", aliases=["aria"])
    far = sell(platform, "aria")

    assert find(resold_customer, "aria") == far


def test_own_offer_comes_before_the_seller_s_and_that_before_those_above(
    sell: Sell, platform: Organization, reseller: Organization, resold_customer: Organization
) -> None:
    far = sell(platform, mapping={"priority": 1})
    assert find(resold_customer, "aria-1") == far

    near = sell(reseller, mapping={"priority": 2})
    assert find(resold_customer, "aria-1") == near

    own = sell(resold_customer, mapping={"priority": 3})
    assert find(resold_customer, "aria-1") == own


def test_priority_decides_among_equals_and_then_the_older(
    sell: Sell, platform: Organization, customer: Organization
) -> None:
    older = sell(platform, mapping={"priority": 5})
    sell(platform, upstream=upstream_of(platform, "second"), mapping={"priority": 5})
    assert find(customer, "aria-1") == older

    first = sell(platform, upstream=upstream_of(platform, "third"), mapping={"priority": 4})
    assert find(customer, "aria-1") == first


@pytest.mark.parametrize("name", ["Aria-1", "aria", "aria-1 ", "aria-_", "%"])
def test_model_is_matched_exactly(sell: Sell, platform: Organization, customer: Organization, name: str) -> None:
    sell(platform)

    with pytest.raises(ModelNotFound):
        find(customer, name)


def test_unknown_model_names_the_model(sell: Sell, platform: Organization, customer: Organization) -> None:
    sell(platform)

    with pytest.raises(ModelNotFound) as caught:
        find(customer, "sonata")

    assert (caught.value.param, caught.value.message) == (
        "model",
        "There is no model 'sonata' in the catalog 'music_gen'.",
    )


def test_unknown_catalog_names_the_catalog(sell: Sell, platform: Organization, customer: Organization) -> None:
    sell(platform)

    with pytest.raises(ModelNotFound) as caught:
        find(customer, "aria-1", "poems")

    assert (caught.value.param, caught.value.message) == ("catelogid", "There is no catalog 'poems'.")


def test_model_of_another_catalog_is_not_found(sell: Sell, platform: Organization, customer: Organization) -> None:
    sell(platform)
    sell(platform, "words-1", catalog="lyrics")

    with pytest.raises(ModelNotFound):
        find(customer, "words-1")


NOW = timezone.now()


@pytest.mark.parametrize(
    "llm",
    [
        {"status": LlmStatus.DRAFT},
        {"status": LlmStatus.RETIRED},
        {"sold_from": NOW + timedelta(days=1)},
        {"sold_until": NOW - timedelta(days=1)},
    ],
)
def test_model_that_is_not_on_sale_is_not_found(
    sell: Sell, platform: Organization, customer: Organization, llm: dict[str, Any]
) -> None:
    sell(platform, **llm)

    with pytest.raises(ModelNotFound):
        find(customer, "aria-1")
    assert offers_visible_to(customer) == []


def test_model_inside_its_window_is_found(sell: Sell, platform: Organization, customer: Organization) -> None:
    offer = sell(platform, sold_from=NOW - timedelta(days=1), sold_until=NOW + timedelta(days=1))

    assert find(customer, "aria-1") == offer


def test_model_of_a_stranger_is_not_found(
    sell: Sell, reseller: Organization, customer: Organization, resold_customer: Organization
) -> None:
    offer = sell(reseller)

    assert find(resold_customer, "aria-1") == offer
    with pytest.raises(ModelNotFound):
        find(customer, "aria-1")


def test_model_of_a_customer_is_not_sold_upwards(sell: Sell, platform: Organization, customer: Organization) -> None:
    sell(customer)

    with pytest.raises(ModelNotFound):
        find(platform, "aria-1")


def test_upstream_that_is_off_sells_nothing(sell: Sell, platform: Organization, customer: Organization) -> None:
    offer = sell(platform)
    Upstream.objects.filter(pk=offer.upstream_id).update(is_enabled=False)

    with pytest.raises(ModelNotFound):
        find(customer, "aria-1")


def test_mapping_that_is_off_sells_nothing(sell: Sell, platform: Organization, customer: Organization) -> None:
    sell(platform, mapping={"is_enabled": False})

    with pytest.raises(ModelNotFound):
        find(customer, "aria-1")


@pytest.mark.parametrize("name", ["", "auto"])
def test_default_of_the_wire_is_meant_without_a_model(
    sell: Sell, platform: Organization, customer: Organization, name: str
) -> None:
    sell(platform)
    default = sell(platform, "aria-2", mapping={"default_for_wires": ["mureka"]})

    assert find(customer, name, wire="mureka") == default


def test_wire_without_a_default_finds_no_model(sell: Sell, platform: Organization, customer: Organization) -> None:
    sell(platform, mapping={"default_for_wires": ["musicgen"]})

    with pytest.raises(ModelNotFound):
        find(customer, "auto", wire="mureka")


def test_named_model_is_found_whatever_the_wire_s_default(
    sell: Sell, platform: Organization, customer: Organization
) -> None:
    offer = sell(platform)
    sell(platform, "aria-2", mapping={"default_for_wires": ["mureka"]})

    assert find(customer, "aria-1", wire="mureka") == offer


def test_lookup_needs_at_most_three_queries_however_deep_the_tree(
    sell: Sell, platform: Organization, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    sell(platform)
    organization = platform
    for depth in range(6):
        organization = create_organization(name=f"Level {depth}", slug=f"level-{depth}", parent=organization)
    organization = Organization.objects.get(pk=organization.pk)

    with django_assert_num_queries(2):
        offer = find(organization, "aria-1")
        assert (offer.llm.owner.slug, offer.catalog.pk, offer.upstream.provider) == ("tutti", "music_gen", "rehearsal")
    with django_assert_num_queries(3), pytest.raises(ModelNotFound):
        find(organization, "sonata")


def test_offers_come_nearest_seller_first_with_their_prices(
    sell: Sell,
    platform: Organization,
    reseller: Organization,
    resold_customer: Organization,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    far, near, other = sell(platform, "a"), sell(reseller, "z"), sell(platform, "b")
    sell(reseller, "y", status=LlmStatus.DRAFT)

    with django_assert_num_queries(3):
        offers = offers_visible_to(resold_customer)
        prices = [price.amount_micro for offer in offers for price in offer.sale_prices.prices.all()]

    assert offers == [near, far, other]
    assert prices == [1_000_000] * 3
