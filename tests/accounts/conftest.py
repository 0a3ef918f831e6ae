"""A small world: a platform, a studio that buys from it, and another studio."""

from __future__ import annotations

import pytest
from django.contrib.auth.hashers import make_password

from accounts.models import ApiKey, Membership, Organization, Role, User
from accounts.services.api_keys import issue_key
from accounts.services.organizations import add_member, create_organization


@pytest.fixture
def platform(db: None) -> Organization:
    return create_organization(name="Tutti", slug="tutti", kinds=("platform", "provider"))


@pytest.fixture
def studio(platform: Organization) -> Organization:
    return create_organization(name="Blue Note Studio", slug="blue-note", parent=platform)


@pytest.fixture
def other_studio(platform: Organization) -> Organization:
    return create_organization(name="Red Note Studio", slug="red-note", parent=platform)


@pytest.fixture(scope="session")
def hashed_password() -> str:
    """Hashing is slow by design, so one hash serves the whole run."""
    return make_password("correct horse battery")


@pytest.fixture
def ada(db: None, hashed_password: str) -> User:
    ada = User.objects.create_user("ada@example.com", name="Ada")
    ada.password = hashed_password
    ada.save()
    return ada


@pytest.fixture
def owner(studio: Organization, ada: User) -> Membership:
    return add_member(organization=studio, user=ada, role=Role.OWNER)


@pytest.fixture
def issued(studio: Organization, owner: Membership) -> tuple[ApiKey, str]:
    return issue_key(organization=studio, member=owner, name="server", live=True)


@pytest.fixture
def key(issued: tuple[ApiKey, str]) -> ApiKey:
    return issued[0]


@pytest.fixture
def secret(issued: tuple[ApiKey, str]) -> str:
    return issued[1]
