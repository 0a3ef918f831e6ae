from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.db import models

from accounts import tenancy
from accounts.models import ApiKey, Membership, Organization, User
from accounts.services.api_keys import issue_key
from accounts.tenancy import OutsideScope, ScopedManager, TenantRow

OURS = {"accounts", "billing", "catalog", "generation"}

NOT_TENANT_ROWS = {
    # The tenants themselves, and the people who may be in several.
    "accounts.Organization",
    "accounts.User",
    # A transfer lies between two organizations; its accounts are tenant rows.
    "billing.Transfer",
    # Offers: `offers_visible_to` decides who sees them.
    "catalog.Circuit",
    "catalog.Llm",
    "catalog.LlmCatalog",
    "catalog.LlmMapping",
    "catalog.Price",
    "catalog.PriceProgram",
    # The machinery.
    "generation.Clock",
    "generation.Runner",
}


def own_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in OURS]


def names_in_scope() -> list[str]:
    return list(ApiKey.objects.order_by("name").values_list("name", flat=True))


@pytest.fixture
def two_keys(studio: Organization, other_studio: Organization) -> None:
    issue_key(organization=studio, member=None, name="blue", live=True)
    issue_key(organization=other_studio, member=None, name="red", live=True)


@pytest.mark.parametrize("model", own_models(), ids=lambda model: model._meta.label)
def test_model_is_a_tenant_row_unless_listed(model: type[models.Model]) -> None:
    assert issubclass(model, TenantRow) == (model._meta.label not in NOT_TENANT_ROWS)


@pytest.mark.parametrize("model", own_models(), ids=lambda model: model._meta.label)
def test_model_with_an_organization_has_scoped_default_and_plain_base_manager(model: type[models.Model]) -> None:
    has_organization = any(field.name == "organization" for field in model._meta.fields)

    assert isinstance(model._default_manager, ScopedManager) == has_organization
    assert not isinstance(model._base_manager, ScopedManager)


@pytest.mark.parametrize("model", [row for row in own_models() if issubclass(row, TenantRow)], ids=str)
def test_tenant_row_cannot_be_read_outside_a_scope(model: type[TenantRow]) -> None:
    with pytest.raises(OutsideScope, match=model.__name__):
        model.objects.count()


def test_relation_to_tenant_rows_cannot_be_followed_outside_a_scope(ada: User) -> None:
    with pytest.raises(OutsideScope):
        ada.memberships.count()


def test_scope_shows_only_its_organizations(two_keys: None, studio: Organization, other_studio: Organization) -> None:
    with tenancy.scope(studio):
        assert names_in_scope() == ["blue"]
    with tenancy.scope(other_studio.pk):
        assert names_in_scope() == ["red"]
    with tenancy.scope(studio, other_studio):
        assert names_in_scope() == ["blue", "red"]


def test_empty_scope_shows_nothing(two_keys: None) -> None:
    with tenancy.scope():
        assert names_in_scope() == []


def test_system_scope_shows_every_organization(two_keys: None) -> None:
    with tenancy.system_scope():
        assert names_in_scope() == ["blue", "red"]


def test_inner_scope_gives_the_outer_one_back(two_keys: None, studio: Organization, other_studio: Organization) -> None:
    with tenancy.system_scope():
        with tenancy.scope(studio):
            with tenancy.scope(other_studio):
                assert names_in_scope() == ["red"]
            assert names_in_scope() == ["blue"]
        assert names_in_scope() == ["blue", "red"]
    with pytest.raises(OutsideScope):
        names_in_scope()


def test_scope_ends_when_its_work_fails(studio: Organization) -> None:
    with pytest.raises(ZeroDivisionError), tenancy.scope(studio):
        _ = 1 / 0

    with pytest.raises(OutsideScope):
        names_in_scope()


def test_foreign_row_is_absent_and_cannot_be_changed_or_removed(
    two_keys: None, studio: Organization, other_studio: Organization
) -> None:
    red = ApiKey.unscoped.get(name="red")

    with tenancy.scope(studio):
        assert not ApiKey.objects.filter(pk=red.pk).exists()
        assert ApiKey.objects.filter(pk=red.pk).update(name="stolen") == 0
        assert ApiKey.objects.filter(pk=red.pk).delete()[0] == 0


def test_row_in_hand_is_refreshed_and_saved_without_a_scope(owner: Membership) -> None:
    owner.refresh_from_db()
    owner.save()

    assert Membership.unscoped.get() == owner


async def test_scope_follows_into_threads_that_carry_the_context() -> None:
    def seen() -> object:
        return tenancy._scope.get()

    with tenancy.scope(7):
        assert await asyncio.to_thread(seen) == {7}
        assert await sync_to_async(seen)() == {7}
        assert await sync_to_async(seen, thread_sensitive=False)() == {7}
        assert await asyncio.create_task(asyncio.to_thread(seen)) == {7}


async def test_scope_is_absent_not_wrong_in_a_bare_executor() -> None:
    with tenancy.scope(7), ThreadPoolExecutor(1) as threads:
        assert await asyncio.get_running_loop().run_in_executor(threads, tenancy._scope.get) is None


async def test_scope_of_one_task_is_not_seen_by_another() -> None:
    entered, looked = asyncio.Event(), asyncio.Event()

    async def inside() -> None:
        with tenancy.scope(7):
            entered.set()
            await looked.wait()

    async def outside() -> object:
        await entered.wait()
        looked.set()
        return tenancy._scope.get()

    _, seen = await asyncio.gather(inside(), outside())
    assert seen is None
