"""The permission words, and which role holds which: the table of rights in one place."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

PUBLIC: Final = "public"
"""Declared by a route that anyone may call: signed links, health, the schema."""

OWNER, ADMIN, BILLING, MEMBER, VIEWER = "owner", "admin", "billing", "member", "viewer"
PLATFORM, RESELLER, CUSTOMER, PROVIDER = "platform", "reseller", "customer", "provider"

_TABLE: Final[dict[str, tuple[str, ...]]] = {
    "generation.create": (OWNER, ADMIN, MEMBER),
    "generation.cancel": (OWNER, ADMIN, MEMBER),
    "files.create": (OWNER, ADMIN, MEMBER),
    "generation.read": (OWNER, ADMIN, BILLING, MEMBER, VIEWER),
    "catalog.read": (OWNER, ADMIN, BILLING, MEMBER, VIEWER),
    "generation.manage": (OWNER, ADMIN),
    "keys.manage": (OWNER, ADMIN, MEMBER),
    "credits.read": (OWNER, ADMIN, BILLING),
    "credits.topup": (OWNER, ADMIN, BILLING),
    "statements.read": (OWNER, ADMIN, BILLING),
    "members.manage": (OWNER, ADMIN),
    "webhooks.manage": (OWNER, ADMIN),
    "audit.read": (OWNER, ADMIN),
    "organization.manage": (OWNER,),
    "catalog.manage": (OWNER, ADMIN),
    "catalog.publish": (OWNER, ADMIN),
    "prices.manage": (OWNER, ADMIN),
    "upstreams.manage": (OWNER, ADMIN),
    "credits.grant": (OWNER, ADMIN, BILLING),
    "vouchers.manage": (OWNER, ADMIN, BILLING),
    "admin.enter": (OWNER, ADMIN, BILLING),
}

_ONLY_IN: Final[dict[str, tuple[str, ...]]] = {
    "catalog.manage": (PLATFORM, RESELLER, PROVIDER),
    "catalog.publish": (PLATFORM, RESELLER, PROVIDER),
    "prices.manage": (PLATFORM, RESELLER, PROVIDER),
    "upstreams.manage": (PLATFORM, RESELLER, PROVIDER),
    "credits.grant": (PLATFORM, RESELLER),
    "vouchers.manage": (PLATFORM, RESELLER),
}
"""Words that mean something only in organizations of these kinds: who only buys has no offer to manage."""

WORDS: Final = frozenset(_TABLE)
ROLES: Final = (OWNER, ADMIN, BILLING, MEMBER, VIEWER)
KINDS: Final = (PLATFORM, RESELLER, CUSTOMER, PROVIDER)


def words_of(role: str) -> frozenset[str]:
    """Every permission word a built-in role holds."""
    return frozenset(word for word, roles in _TABLE.items() if role in roles)


def words_in(kinds: Collection[str]) -> frozenset[str]:
    """Every permission word that can be held at all in an organization of these kinds."""
    return frozenset(word for word in WORDS if word not in _ONLY_IN or not set(kinds).isdisjoint(_ONLY_IN[word]))
