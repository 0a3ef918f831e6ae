"""API keys: made, found, ended. The secret exists only in the hands of whoever was shown it."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import ApiKey, Membership, Organization, Role
from accounts.permissions import WORDS, words_in, words_of
from accounts.services.standing import require_good_standing

SECRET_BYTES: Final = 32
HINT_LENGTH: Final = len("tt_live_") + 4
_FORM: Final = re.compile(r"tt_(?:live|test)_[A-Za-z0-9_-]{43}")
_LENGTH: Final = len("tt_live_") + 43
_NOTE_USE_EVERY: Final = timedelta(minutes=1)


class UnknownKey(Exception):
    """No valid key: malformed, never issued, revoked or expired. Which of these it was is not told."""


def issue_key(
    *,
    organization: Organization,
    member: Membership | None,
    name: str,
    live: bool,
    scopes: Collection[str] = (),
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """The new key and its secret, which is readable only now.

    `scopes` are permission words the key is narrowed to; empty: all that its member's role holds. A key without a
    member acts with the role `member`.

    Raises ValueError for a scope that is no permission word, and for a member of another organization.
    """
    if unknown := set(scopes) - WORDS:
        raise ValueError(f"no such permission word: {', '.join(sorted(unknown))}")
    if member is not None and member.organization_id != organization.pk:
        raise ValueError("an API key acts for the organization its member belongs to")
    secret = f"tt_{'live' if live else 'test'}_{secrets.token_urlsafe(SECRET_BYTES)}"
    # Keys are also issued by commands and sign-up, where no scope is entered; the organization is named here.
    key = ApiKey.unscoped.create(
        organization=organization,
        member=member,
        name=name,
        hint=secret[:HINT_LENGTH],
        secret_hash=_hash(secret),
        live=live,
        scopes=sorted(scopes),
        expires_at=expires_at,
    )
    return key, secret


def revoke_key(*, key: ApiKey) -> None:
    """End a key at once: the next call with it is refused. The moment of the first revocation stays."""
    # The row itself was handed in, so whoever holds it has already been allowed to read it.
    ApiKey.unscoped.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    key.refresh_from_db(fields=["revoked_at"])


def authenticate_key(text: str) -> Caller:
    """The caller a secret stands for, read afresh each time, so that a revocation works at once.

    One query; two when the use is noted, at most once a minute; none for a text that cannot be a key.

    Raises UnknownKey, or standing.FrozenOrganization and standing.InactiveUser for a valid key that may not act.
    """
    if len(text) != _LENGTH or not _FORM.fullmatch(text):
        raise UnknownKey
    now = timezone.now()
    key = _find(text)
    if key is None or not key.is_valid_at(now):
        raise UnknownKey
    require_good_standing(key.organization, key.member.user if key.member else None)
    _note_use(key, now)
    return Caller(organization=key.organization, member=key.member, api_key=key, live=key.live, words=words_of_key(key))


def _find(secret: str) -> ApiKey | None:
    # Whose scope to enter is only known once the key is found. The parent spares those who walk up the tree a query.
    keys = ApiKey.unscoped.select_related("organization__parent", "member__user", "member__organization")
    return keys.filter(secret_hash=_hash(secret)).first()


def words_of_key(key: ApiKey) -> frozenset[str]:
    """What a key may do: all that its member may, or less where its scopes say so."""
    held = key.member.words if key.member else words_of(Role.MEMBER) & words_in(key.organization.kinds)
    return held & frozenset(key.scopes) if key.scopes else held


def _note_use(key: ApiKey, now: datetime) -> None:
    before = now - _NOTE_USE_EVERY
    if key.last_used_at is not None and key.last_used_at > before:
        return
    # Of many calls in the same moment one writes. Outside a scope for the reason given in `_find`.
    due = Q(last_used_at=None) | Q(last_used_at__lte=before)
    ApiKey.unscoped.filter(due, pk=key.pk).update(last_used_at=now)
    key.last_used_at = now


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
