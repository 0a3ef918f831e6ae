from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Membership, Organization, Role, User
from accounts.services.organizations import add_member
from accounts.services.people import caller_for
from accounts.services.standing import FrozenOrganization, InactiveUser, NoMembership


def test_person_acts_live_with_the_words_of_the_role(
    ada: User,
    owner: Membership,
    studio: Organization,
    django_assert_num_queries: Callable[[int], AbstractContextManager[Any]],
) -> None:
    with django_assert_num_queries(1):
        caller = caller_for(ada, organization_id=None)

    assert (caller.organization, caller.member, caller.api_key, caller.live) == (studio, owner, None, True)
    assert caller.words == owner.words


def test_person_of_two_organizations_acts_for_the_first_until_another_is_chosen(
    ada: User, owner: Membership, studio: Organization, other_studio: Organization
) -> None:
    viewer = add_member(organization=other_studio, user=ada, role=Role.VIEWER)

    assert caller_for(ada, organization_id=None).member == owner
    chosen = caller_for(ada, organization_id=other_studio.pk)
    assert (chosen.member, chosen.organization, chosen.words) == (
        viewer,
        other_studio,
        frozenset({"generation.read", "catalog.read"}),
    )


def test_choice_of_an_organization_left_since_falls_back_to_the_first(
    ada: User, owner: Membership, other_studio: Organization
) -> None:
    assert caller_for(ada, organization_id=other_studio.pk).member == owner


def test_person_without_an_organization_may_not_act(ada: User) -> None:
    with pytest.raises(NoMembership):
        caller_for(ada, organization_id=None)


def test_person_of_a_frozen_organization_may_not_act(ada: User, owner: Membership, studio: Organization) -> None:
    Organization.objects.filter(pk=studio.pk).update(frozen_at=timezone.now())

    with pytest.raises(FrozenOrganization):
        caller_for(ada, organization_id=None)


def test_inactive_person_may_not_act(ada: User, owner: Membership) -> None:
    User.objects.filter(pk=ada.pk).update(is_active=False)

    with pytest.raises(InactiveUser):
        caller_for(User.objects.get(pk=ada.pk), organization_id=None)
