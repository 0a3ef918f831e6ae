"""The permission words, and which role holds which: the table of rights in one place."""

from __future__ import annotations

from typing import Final

PUBLIC: Final = "public"
"""Declared by a route that anyone may call: signed links, health, the schema."""

OWNER, ADMIN, BILLING, MEMBER, VIEWER = "owner", "admin", "billing", "member", "viewer"

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

WORDS: Final = frozenset(_TABLE)
ROLES: Final = (OWNER, ADMIN, BILLING, MEMBER, VIEWER)


def words_of(role: str) -> frozenset[str]:
    """Every permission word a built-in role holds."""
    return frozenset(word for word, roles in _TABLE.items() if role in roles)
