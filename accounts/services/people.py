"""Signed-in people: which organization a person acts for."""

from __future__ import annotations

from accounts.caller import Caller
from accounts.models import Membership, User
from accounts.services.standing import MayNotAct, NoMembership, require_good_standing


def caller_for(user: User, *, organization_id: int | None) -> Caller:
    """The caller a person is in the organization they chose; without a choice that still holds, in their first.

    One query. People act live: test credits are for test keys.

    Raises standing.NoMembership, standing.FrozenOrganization, standing.InactiveUser.
    """
    member = _membership(user, organization_id)
    require_good_standing(member.organization, user)
    return _as_caller(member)


def callers_of(user: User) -> list[Caller]:
    """The caller a person is in each of their organizations that is in good standing, in the order they joined.

    One query.
    """
    return [_as_caller(member) for member in _memberships(user) if _may_act(member)]


def _as_caller(member: Membership) -> Caller:
    return Caller(organization=member.organization, member=member, api_key=None, live=True, words=member.words)


def _may_act(member: Membership) -> bool:
    try:
        require_good_standing(member.organization, member.user)
    except MayNotAct:
        return False
    return True


def _memberships(user: User) -> list[Membership]:
    # A person may belong to several organizations; whose scope to enter is what this finds out.
    return list(Membership.unscoped.filter(user=user).select_related("organization__parent", "user").order_by("pk"))


def _membership(user: User, organization_id: int | None) -> Membership:
    memberships = _memberships(user)
    if not memberships:
        raise NoMembership
    chosen = (member for member in memberships if member.organization_id == organization_id)
    return next(chosen, memberships[0])
