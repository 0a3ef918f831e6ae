"""The chart of accounts: which account of which organization, made when first needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from django.db.models import Manager

from billing.models import FLOORED, Account, AccountKind

Place: TypeAlias = tuple[int, AccountKind]
"""An account's place in the chart: the organization's id and the kind."""


class Wallet(NamedTuple):
    """A customer's two accounts, locked until the caller's transaction ends."""

    available: Account
    held: Account


def locked_wallet(*, organization_id: int, live: bool) -> Wallet:
    """The wallet of an organization in scope, with both rows locked; call it inside a transaction."""
    rows = Account.objects.select_for_update(no_key=True).filter(
        organization_id=organization_id, live=live, kind__in=FLOORED
    )
    wallet = {row.kind: row for row in rows.order_by("pk")}
    if len(wallet) < len(FLOORED):
        accounts_at([(organization_id, kind) for kind in FLOORED], live=live, manager=Account.objects)
        wallet = {row.kind: row for row in rows.order_by("pk")}
    return Wallet(available=wallet[AccountKind.AVAILABLE], held=wallet[AccountKind.HELD])


def accounts_at(places: Iterable[Place], *, live: bool, manager: Manager[Account]) -> Mapping[Place, Account]:
    """The accounts at these places; missing ones are made. Two callers at once end with the same rows.

    `manager` says whose accounts may be met: `Account.objects` those in scope, `Account.unscoped` everyone's.
    Raises `LookupError` for a place out of scope.
    """
    wanted = set(places)
    found = _existing(wanted, live=live, manager=manager)
    if missing := wanted - found.keys():
        _make(missing, live=live)
        found = _existing(wanted, live=live, manager=manager)
    if outside := wanted - found.keys():
        raise LookupError(f"accounts out of scope: {sorted(outside)}")
    return found


def lock(accounts: Iterable[Account]) -> None:
    """Lock the rows whose balance will move, in the order of their ids, as the ledger's trigger does.

    On SQLite a transaction already holds the only writer's lock.
    """
    ids = [account.pk for account in accounts if account.has_floor]
    # A transfer may touch accounts of several organizations; which ones was decided when they were looked up.
    list(Account.unscoped.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))


def _existing(places: set[Place], *, live: bool, manager: Manager[Account]) -> dict[Place, Account]:
    rows = manager.filter(live=live, organization_id__in={organization_id for organization_id, _kind in places})
    accounts = {(row.organization_id, AccountKind(row.kind)): row for row in rows}
    return {place: accounts[place] for place in places & accounts.keys()}


def _make(places: set[Place], *, live: bool) -> None:
    rows = [
        Account(organization_id=organization_id, kind=kind, live=live, has_floor=kind in FLOORED)
        # One order for everyone: two makers of the same accounts wait for each other, never in a ring.
        for organization_id, kind in sorted(places)
    ]
    Account.unscoped.bulk_create(rows, ignore_conflicts=True)
