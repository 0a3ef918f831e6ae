from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import ApiKey, Membership, Organization, Role, User
from accounts.services.api_keys import authenticate_key, issue_key, revoke_key
from accounts.services.people import caller_for
from accounts.services.rights import callers_now

Queries = Callable[[int], AbstractContextManager[Any]]


@pytest.fixture
def by_key(secret: str) -> Caller:
    return authenticate_key(secret)


@pytest.fixture
def in_person(ada: User, owner: Membership) -> Caller:
    return caller_for(ada, organization_id=None)


def test_rights_that_still_hold_are_the_same(by_key: Caller, in_person: Caller) -> None:
    assert [(now.words, now.live) for now in callers_now([in_person, by_key, in_person]) if now] == [
        (in_person.words, True),
        (by_key.words, True),
        (in_person.words, True),
    ]


def test_rights_of_a_thousand_take_two_queries(
    by_key: Caller, in_person: Caller, django_assert_num_queries: Queries
) -> None:
    with django_assert_num_queries(2):
        callers_now([by_key, in_person] * 500)


def test_nobody_takes_no_query(db: None, django_assert_num_queries: Queries) -> None:
    with django_assert_num_queries(0):
        assert callers_now([]) == []


def test_lowered_role_is_seen_by_key_and_person(by_key: Caller, in_person: Caller, owner: Membership) -> None:
    Membership.unscoped.filter(pk=owner.pk).update(role=Role.VIEWER)

    assert [now.words for now in callers_now([by_key, in_person]) if now] == [{"generation.read", "catalog.read"}] * 2


def test_revoked_key_is_gone_while_its_person_stays(by_key: Caller, in_person: Caller, key: ApiKey) -> None:
    revoke_key(key=key)

    assert [now is not None for now in callers_now([by_key, in_person])] == [False, True]


def test_expired_key_is_gone(studio: Organization, owner: Membership, by_key: Caller) -> None:
    ApiKey.unscoped.update(expires_at=timezone.now())

    assert callers_now([by_key]) == [None]


def test_frozen_organization_takes_both(by_key: Caller, in_person: Caller, studio: Organization) -> None:
    Organization.objects.filter(pk=studio.pk).update(frozen_at=timezone.now())

    assert callers_now([by_key, in_person]) == [None, None]


def test_inactive_user_takes_both(by_key: Caller, in_person: Caller, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_active=False)

    assert callers_now([by_key, in_person]) == [None, None]


def test_ended_membership_takes_the_person(in_person: Caller, owner: Membership) -> None:
    owner.delete()

    assert callers_now([in_person]) == [None]


def test_key_keeps_its_narrowed_words(studio: Organization, owner: Membership) -> None:
    _, secret = issue_key(organization=studio, member=owner, name="k", live=False, scopes=["generation.read"])

    [now] = callers_now([authenticate_key(secret)])

    assert now is not None
    assert (now.words, now.live) == ({"generation.read"}, False)
