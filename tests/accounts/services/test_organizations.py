from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Membership, Organization, Role, User
from accounts.services.organizations import add_member, create_organization


@pytest.mark.django_db
def test_organization_is_a_customer_unless_said_otherwise() -> None:
    assert create_organization(name="Blue", slug="blue").kinds == {"customer"}


@pytest.mark.django_db
def test_organization_may_be_of_several_kinds() -> None:
    organization = create_organization(name="Both", slug="both", kinds=("reseller", "provider"))

    assert Organization.objects.get(slug="both").kinds == {"reseller", "provider"}
    assert list(organization.sellers()) == []


def test_organization_stands_under_its_seller(platform: Organization) -> None:
    reseller = create_organization(name="R", slug="r", parent=platform, kinds=("reseller",))
    customer = create_organization(name="C", slug="c", parent=reseller)

    assert list(customer.sellers()) == [reseller, platform]


@pytest.mark.parametrize("kinds", [(), ("orchestra",), ("customer", "orchestra")])
@pytest.mark.django_db
def test_organization_without_a_known_kind_is_not_made(kinds: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="kinds"):
        create_organization(name="X", slug="x", kinds=kinds)


def test_owner_becomes_a_member_with_every_right_of_a_customer(ada: User) -> None:
    organization = create_organization(name="Blue", slug="blue", owner=ada)

    member = Membership.unscoped.get(organization=organization)
    assert (member.user, member.role) == (ada, Role.OWNER)
    assert "organization.manage" in member.words
    assert "catalog.manage" not in member.words


def test_organization_is_not_half_made(ada: User, studio: Organization) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        create_organization(name="Again", slug=studio.slug, owner=ada)

    assert Membership.unscoped.count() == 0


def test_person_is_a_member_of_an_organization_once(owner: Membership, ada: User, studio: Organization) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        add_member(organization=studio, user=ada, role=Role.VIEWER)


def test_unknown_role_is_not_given(studio: Organization, ada: User) -> None:
    with pytest.raises(ValueError, match="emperor"):
        add_member(organization=studio, user=ada, role="emperor")
