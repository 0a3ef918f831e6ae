"""The table of rights, written out a second time by hand."""

from __future__ import annotations

import pytest

from accounts.permissions import ROLES, WORDS, words_in, words_of

TABLE = """
word                 owner admin billing member viewer
generation.create    +     +     -       +      -
generation.cancel    +     +     -       +      -
files.create         +     +     -       +      -
generation.read      +     +     +       +      +
catalog.read         +     +     +       +      +
generation.manage    +     +     -       -      -
keys.manage          +     +     -       +      -
credits.read         +     +     +       -      -
credits.topup        +     +     +       -      -
statements.read      +     +     +       -      -
members.manage       +     +     -       -      -
webhooks.manage      +     +     -       -      -
audit.read           +     +     -       -      -
organization.manage  +     -     -       -      -
catalog.manage       +     +     -       -      -
catalog.publish      +     +     -       -      -
prices.manage        +     +     -       -      -
upstreams.manage     +     +     -       -      -
credits.grant        +     +     +       -      -
vouchers.manage      +     +     +       -      -
admin.enter          +     +     +       -      -
"""

_, *HEADER = TABLE.split("\n")[1].split()
ROWS = {line.split()[0]: line.split()[1:] for line in TABLE.strip().split("\n")[1:]}

OFFER_WORDS = {"catalog.manage", "catalog.publish", "prices.manage", "upstreams.manage"}
GRANT_WORDS = {"credits.grant", "vouchers.manage"}


def test_table_names_every_role_and_word() -> None:
    assert tuple(HEADER) == ROLES
    assert set(ROWS) == WORDS


@pytest.mark.parametrize("role", HEADER)
def test_role_holds_exactly_the_words_of_its_column(role: str) -> None:
    column = HEADER.index(role)

    assert words_of(role) == {word for word, marks in ROWS.items() if marks[column] == "+"}


def test_unknown_role_holds_nothing() -> None:
    assert words_of("emperor") == frozenset()


@pytest.mark.parametrize(
    ("kinds", "absent"),
    [
        ({"platform"}, set()),
        ({"reseller"}, set()),
        ({"provider"}, GRANT_WORDS),
        ({"customer"}, OFFER_WORDS | GRANT_WORDS),
        ({"customer", "provider"}, GRANT_WORDS),
        ({"customer", "reseller"}, set()),
    ],
)
def test_words_of_an_organization_follow_from_its_kinds(kinds: set[str], absent: set[str]) -> None:
    assert words_in(kinds) == WORDS - absent
