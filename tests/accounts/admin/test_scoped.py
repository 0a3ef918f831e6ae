"""The base class, with API keys as the rows that somebody might show."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest
from django.test import RequestFactory

from accounts.admin.scoped import OrganizationAdmin
from accounts.models import ApiKey, Membership, Organization, Role, User
from accounts.services.api_keys import issue_key
from accounts.services.organizations import add_member
from accounts.tenancy import system_scope
from catalog.models import Upstream


class Keys(OrganizationAdmin):
    view_word = "generation.read"
    change_word = "keys.manage"
    fields = ("name",)
    list_filter = ("live",)


def request_of(user: User) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = user
    return request


@pytest.fixture
def keys(studio: Organization, other_studio: Organization, platform: Organization) -> dict[str, ApiKey]:
    """One of each organization, by its name."""
    return {
        organization.slug: issue_key(organization=organization, member=None, name=organization.slug, live=True)[0]
        for organization in (studio, other_studio, platform)
    }


@pytest.fixture
def request_(studio: Organization, other_studio: Organization, platform: Organization, ada: User) -> HttpRequest:
    """Ada owns one studio, does the other's bills, and is no more than a member of the third organization."""
    add_member(organization=studio, user=ada, role=Role.OWNER)
    add_member(organization=other_studio, user=ada, role=Role.BILLING)
    add_member(organization=platform, user=ada, role=Role.MEMBER)
    return request_of(ada)


def test_rows_are_those_of_the_organizations_that_let_in_and_grant_the_word(
    keys: dict[str, ApiKey], request_: HttpRequest
) -> None:
    with system_scope():
        rows = set(Keys(ApiKey, admin.site).get_queryset(request_))

    # A member of the platform may read its songs, but not enter its admin.
    assert rows == {keys["blue-note"], keys["red-note"]}


def test_rows_of_another_word_are_fewer(keys: dict[str, ApiKey], request_: HttpRequest) -> None:
    shown = Keys(ApiKey, admin.site)

    with system_scope():
        rows = shown.rows_with(request_, "keys.manage", shown.get_queryset(request_))
        assert list(rows) == [keys["blue-note"]]


def test_word_is_asked_of_the_rows_own_organization(keys: dict[str, ApiKey], request_: HttpRequest) -> None:
    shown = Keys(ApiKey, admin.site)

    assert shown.has_change_permission(request_)
    assert shown.has_change_permission(request_, keys["blue-note"])
    assert not shown.has_change_permission(request_, keys["red-note"])
    assert shown.has_view_permission(request_, keys["red-note"])
    assert not shown.has_view_permission(request_, keys["tutti"])


def test_what_has_no_word_nobody_may_do(keys: dict[str, ApiKey], request_: HttpRequest) -> None:
    shown = Keys(ApiKey, admin.site)

    assert not shown.has_add_permission(request_)
    assert not shown.has_delete_permission(request_, keys["blue-note"])


def test_foreign_and_missing_ids_are_answered_alike(keys: dict[str, ApiKey], request_: HttpRequest) -> None:
    shown = Keys(ApiKey, admin.site)

    with system_scope():
        assert shown.get_object(request_, str(keys["red-note"].pk)) == keys["red-note"]
        for unreachable in (str(keys["tutti"].pk), "0", "nonsense"):
            with pytest.raises(Http404):
                shown.get_object(request_, unreachable)


def test_rights_are_read_once_for_each_request(owner: Membership, django_assert_num_queries: Any) -> None:
    request, shown = request_of(owner.user), Keys(ApiKey, admin.site)

    with django_assert_num_queries(1):
        for _ in range(3):
            shown.has_view_permission(request)
            shown.has_change_permission(request)


@pytest.mark.parametrize(
    ("lookup", "is_allowed"),
    [
        *(("live", True), ("live__exact", True), ("live__isnull", True)),
        *(("live__regex", False), ("secret_hash__startswith", False), ("name", False), ("organization__slug", False)),
    ],
)
def test_only_declared_filters_can_be_asked_for(lookup: str, is_allowed: bool) -> None:
    assert Keys(ApiKey, admin.site).lookup_allowed(lookup, "1") == is_allowed


def test_sealed_columns_are_not_read(platform: Organization, ada: User) -> None:
    add_member(organization=platform, user=ada, role=Role.OWNER)
    shown = type("Shown", (OrganizationAdmin,), {"view_word": "upstreams.manage", "fields": ("name",)})
    Upstream.unscoped.create(organization=platform, slug="a", name="A", provider="minimax", credential="secret")

    with system_scope():
        [row] = shown(Upstream, admin.site).get_queryset(request_of(ada))

    assert row.get_deferred_fields() == {"credential"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"fields": ("name",)}, "needs a view_word"),
        ({"fields": ("name",), "view_word": "do.anything"}, "needs a view_word"),
        ({"fields": ("name",), "view_word": "keys.manage", "delete_word": "do.anything"}, "permission words alone"),
        ({"view_word": "keys.manage"}, "names no fields"),
    ],
)
def test_admin_that_declares_too_little_is_refused(body: dict[str, Any], said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said):
        type("Careless", (OrganizationAdmin,), body)
