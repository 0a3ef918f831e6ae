"""On whose behalf a call is made: the same value for an API key and for a signed-in person."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import ApiKey, Membership, Organization


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """`words` are the permission words held; `live` is False for a test key, which never reaches a paid upstream."""

    organization: Organization
    member: Membership | None
    api_key: ApiKey | None
    live: bool
    words: frozenset[str]

    def may(self, word: str) -> bool:
        return word in self.words
