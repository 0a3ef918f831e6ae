"""Rights read anew, for those who stay: a stream or a socket outlives the check it was let in by."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.utils import timezone

from accounts.caller import Caller
from accounts.models import ApiKey, Membership
from accounts.services.api_keys import words_of_key
from accounts.services.standing import MayNotAct, require_good_standing


def callers_now(callers: Iterable[Caller]) -> list[Caller | None]:
    """Each caller with the rights held at this moment, in the same order; None for one who may not act any more.

    One query for all keys, one for all people, however many callers there are.
    """
    given = list(callers)
    keys = _keys({caller.api_key.pk for caller in given if caller.api_key is not None})
    members = _members({_member_id(caller) for caller in given if caller.api_key is None})
    return [
        keys.get(caller.api_key.pk) if caller.api_key is not None else members.get(_member_id(caller))
        for caller in given
    ]


def _keys(ids: Collection[int]) -> dict[int, Caller]:
    # Whose scope to enter is what is being asked.
    rows = ApiKey.unscoped.select_related("organization__parent", "member__user", "member__organization")
    now = timezone.now()
    return {
        key.pk: Caller(
            organization=key.organization, member=key.member, api_key=key, live=key.live, words=words_of_key(key)
        )
        for key in (rows.filter(pk__in=ids) if ids else ())
        if key.is_valid_at(now) and _may_act(key, key.member)
    }


def _members(ids: Collection[int]) -> dict[int, Caller]:
    rows = Membership.unscoped.select_related("organization__parent", "user")
    return {
        member.pk: Caller(organization=member.organization, member=member, api_key=None, live=True, words=member.words)
        for member in (rows.filter(pk__in=ids) if ids else ())
        if _may_act(member, member)
    }


def _may_act(row: ApiKey | Membership, member: Membership | None) -> bool:
    try:
        require_good_standing(row.organization, member.user if member else None)
    except MayNotAct:
        return False
    return True


def _member_id(caller: Caller) -> int:
    if caller.member is None:
        raise ValueError("a caller without a key is a member")
    return caller.member.pk
