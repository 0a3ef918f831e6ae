from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.caller import Caller
from accounts.models import ApiKey, Membership, Organization, Role, User
from accounts.services.api_keys import authenticate_key, issue_key, revoke_key
from accounts.services.people import caller_for
from accounts.services.rights import callers_now

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> Membership:
    organization = Organization.objects.create(name="Band", slug="band")
    user = User.objects.create_user("ada@example.org")
    return Membership.unscoped.create(organization=organization, user=user, role=Role.MEMBER)


@pytest.fixture
def by_key(member: Membership) -> Caller:
    _, secret = issue_key(organization=member.organization, member=member, name="key", live=True)
    return authenticate_key(secret)


@pytest.fixture
def by_session(member: Membership) -> Caller:
    return caller_for(member.user, organization_id=None)


def test_callers_are_given_with_the_rights_they_hold_now(by_key: Caller, by_session: Caller) -> None:
    Membership.unscoped.update(role=Role.VIEWER)

    now = callers_now([by_session, by_key, by_session])

    assert [caller is not None and caller.may("generation.read") for caller in now] == [True, True, True]
    assert [caller is not None and caller.may("generation.create") for caller in now] == [False, False, False]
    assert [caller and caller.api_key for caller in now] == [None, by_key.api_key, None]


def test_a_caller_whose_rights_did_not_change_is_the_same(by_key: Caller, by_session: Caller) -> None:
    assert callers_now([by_key, by_session]) == [by_key, by_session]


def revoke() -> None:
    revoke_key(key=ApiKey.unscoped.get())


def expire() -> None:
    ApiKey.unscoped.update(expires_at=timezone.now() - timedelta(seconds=1))


def freeze() -> None:
    Organization.objects.update(frozen_at=timezone.now())


def deactivate() -> None:
    User.objects.update(is_active=False)


@pytest.mark.parametrize("lose", [revoke, expire, freeze, deactivate])
def test_a_key_that_may_not_act_any_more_is_nobody(by_key: Caller, lose: Callable[[], None]) -> None:
    lose()

    assert callers_now([by_key]) == [None]


@pytest.mark.parametrize("lose", [freeze, deactivate])
def test_a_person_who_may_not_act_any_more_is_nobody(by_session: Caller, lose: Callable[[], None]) -> None:
    lose()

    assert callers_now([by_session]) == [None]


def test_any_number_of_callers_is_two_queries(
    by_key: Caller, by_session: Caller, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(2):
        callers_now([by_key, by_session] * 1000)


def test_nobody_is_no_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert callers_now([]) == []
