from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from accounts.models import ApiKey, Membership, Organization, Role, User
from accounts.services.api_keys import UnknownKey, authenticate_key, issue_key, revoke_key
from accounts.services.organizations import add_member
from accounts.services.standing import FrozenOrganization, InactiveUser

Queries = Callable[[int], AbstractContextManager[Any]]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

WELL_FORMED = "tt_live_" + "A" * 43

MALFORMED = [
    "",
    " ",
    "x",
    "Bearer",
    "tt_live_",
    "tt_live_" + "A" * 42,
    "tt_live_" + "A" * 44,
    "tt_prod_" + "A" * 43,
    "TT_LIVE_" + "A" * 43,
    "sk-live-" + "A" * 43,
    "tt-live-" + "A" * 43,
    " " + WELL_FORMED,
    WELL_FORMED + " ",
    WELL_FORMED + "\n",
    WELL_FORMED[:-1] + "\n",
    WELL_FORMED[:-1] + "\x00",
    WELL_FORMED[:-1] + "+",
    WELL_FORMED[:-1] + "=",
    WELL_FORMED[:-1] + "é",
    WELL_FORMED[:-1] + "Ａ",  # a full-width letter
    WELL_FORMED[:-1] + "٣",  # a digit, but not of ours
    WELL_FORMED[:-1] + "\u200b",
    WELL_FORMED[:-2] + "🎵🎵",
    "ключ" * 12 + "abc",
    "tt_live_' OR '1'='1' --" + "A" * 28,
    "tt_live_'; DROP TABLE accounts_apikey; --AAAAAAAAAA",
    "tt_live_%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%",
    "tt_live_{{7*7}}${7*7}<script>alert(1)</script>AAAAAAA",
    "tt_live_../../../../etc/passwdAAAAAAAAAAAAAAAAAAAAAA",
    "tt_live_" + "A" * 10_000,
    "\x00" * 51,
    "𝕏" * 10_000,
]


def test_key_is_256_bits_shown_once_and_stored_as_its_hash(studio: Organization, owner: Membership) -> None:
    key, secret = issue_key(organization=studio, member=owner, name="server", live=True)

    assert re.fullmatch(r"tt_live_[A-Za-z0-9_-]{43}", secret)
    assert key.secret_hash == hashlib.sha256(secret.encode()).hexdigest()
    assert key.hint == secret[:12]
    stored = ApiKey.unscoped.filter(pk=key.pk).values().get()
    assert not [name for name, value in stored.items() if value == secret]


def test_two_keys_differ(studio: Organization, owner: Membership) -> None:
    secrets = {issue_key(organization=studio, member=owner, name="k", live=True)[1] for _ in range(20)}

    assert len(secrets) == 20


def test_key_becomes_its_caller(secret: str, key: ApiKey, studio: Organization, owner: Membership) -> None:
    caller = authenticate_key(secret)

    assert (caller.organization, caller.member, caller.api_key, caller.live) == (studio, owner, key, True)
    assert caller.words == owner.words


def test_test_key_is_told_by_its_prefix_and_is_not_live(studio: Organization, owner: Membership) -> None:
    _, secret = issue_key(organization=studio, member=owner, name="ci", live=False)

    assert re.fullmatch(r"tt_test_[A-Za-z0-9_-]{43}", secret)
    assert authenticate_key(secret).live is False


@pytest.mark.parametrize("text", MALFORMED, ids=range(len(MALFORMED)))
@pytest.mark.django_db
def test_malformed_key_is_unknown_without_a_query(text: str, django_assert_num_queries: Queries) -> None:
    with django_assert_num_queries(0), pytest.raises(UnknownKey):
        authenticate_key(text)


@pytest.mark.django_db
def test_well_formed_key_never_issued_is_unknown_after_one_query(django_assert_num_queries: Queries) -> None:
    with django_assert_num_queries(1), pytest.raises(UnknownKey):
        authenticate_key(WELL_FORMED)


def test_live_secret_under_the_test_prefix_is_unknown(secret: str) -> None:
    with pytest.raises(UnknownKey):
        authenticate_key(secret.replace("tt_live_", "tt_test_"))


def test_revoked_key_is_unknown_at_once(key: ApiKey, secret: str) -> None:
    authenticate_key(secret)

    revoke_key(key=key)

    assert key.revoked_at is not None
    with pytest.raises(UnknownKey):
        authenticate_key(secret)


def test_second_revocation_keeps_the_first_moment(key: ApiKey) -> None:
    with time_machine.travel(NOON, tick=False):
        revoke_key(key=key)
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        revoke_key(key=key)

    assert key.revoked_at == NOON


@pytest.mark.parametrize(("seconds", "is_known"), [(-1, True), (0, False), (1, False)])
def test_key_is_known_until_it_expires(studio: Organization, owner: Membership, seconds: int, is_known: bool) -> None:
    _, secret = issue_key(organization=studio, member=owner, name="guest", live=True, expires_at=NOON)

    with time_machine.travel(NOON + timedelta(seconds=seconds), tick=False):
        if is_known:
            assert authenticate_key(secret).organization == studio
        else:
            with pytest.raises(UnknownKey):
                authenticate_key(secret)


def test_key_of_a_frozen_organization_may_not_act(secret: str, studio: Organization) -> None:
    Organization.objects.filter(pk=studio.pk).update(frozen_at=timezone.now())

    with pytest.raises(FrozenOrganization, match="frozen"):
        authenticate_key(secret)


def test_revoked_key_of_a_frozen_organization_learns_nothing(key: ApiKey, secret: str, studio: Organization) -> None:
    Organization.objects.filter(pk=studio.pk).update(frozen_at=timezone.now())
    revoke_key(key=key)

    with pytest.raises(UnknownKey):
        authenticate_key(secret)


def test_key_of_an_inactive_user_may_not_act(secret: str, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_active=False)

    with pytest.raises(InactiveUser):
        authenticate_key(secret)


def test_scopes_narrow_the_words_of_the_role(studio: Organization, owner: Membership) -> None:
    _, secret = issue_key(
        organization=studio, member=owner, name="reader", live=True, scopes=["generation.read", "catalog.read"]
    )

    assert authenticate_key(secret).words == {"generation.read", "catalog.read"}


def test_scopes_never_widen_the_words_of_the_role(studio: Organization, ada: User) -> None:
    viewer = add_member(organization=studio, user=ada, role=Role.VIEWER)
    _, secret = issue_key(
        organization=studio, member=viewer, name="k", live=True, scopes=["generation.read", "generation.create"]
    )

    assert authenticate_key(secret).words == {"generation.read"}


def test_lowered_role_lowers_its_keys_at_once(secret: str, owner: Membership) -> None:
    Membership.unscoped.filter(pk=owner.pk).update(role=Role.VIEWER)

    assert authenticate_key(secret).words == {"generation.read", "catalog.read"}


def test_key_without_a_member_holds_what_a_member_holds(studio: Organization, ada: User) -> None:
    member = add_member(organization=studio, user=ada, role=Role.MEMBER)
    _, secret = issue_key(organization=studio, member=None, name="machine", live=True)

    caller = authenticate_key(secret)

    assert (caller.member, caller.words) == (None, member.words)


def test_unknown_scope_is_not_issued(studio: Organization, owner: Membership) -> None:
    with pytest.raises(ValueError, match=r"generation\.destroy"):
        issue_key(organization=studio, member=owner, name="k", live=True, scopes=["generation.destroy"])


def test_key_for_a_member_of_another_organization_is_not_issued(other_studio: Organization, owner: Membership) -> None:
    with pytest.raises(ValueError, match="organization"):
        issue_key(organization=other_studio, member=owner, name="k", live=True)


def test_first_use_takes_two_queries_and_the_next_minute_one(
    key: ApiKey, secret: str, django_assert_num_queries: Queries
) -> None:
    with time_machine.travel(NOON, tick=False), django_assert_num_queries(2):
        authenticate_key(secret)
    with time_machine.travel(NOON + timedelta(seconds=59), tick=False), django_assert_num_queries(1):
        authenticate_key(secret)
    key.refresh_from_db()
    assert key.last_used_at == NOON


def test_use_after_a_minute_is_noted_again(key: ApiKey, secret: str) -> None:
    later = NOON + timedelta(seconds=60)
    with time_machine.travel(NOON, tick=False):
        authenticate_key(secret)
    with time_machine.travel(later, tick=False):
        authenticate_key(secret)

    key.refresh_from_db()
    assert key.last_used_at == later


def test_caller_knows_its_seller_without_another_query(
    secret: str, platform: Organization, django_assert_num_queries: Queries
) -> None:
    caller = authenticate_key(secret)

    with django_assert_num_queries(0):
        assert list(caller.organization.sellers()) == [platform]
