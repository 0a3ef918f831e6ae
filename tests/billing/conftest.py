"""A platform that sells, a reseller, a studio that buys; and everyone's rows in scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from django.db import connections, transaction
from django.utils import timezone

from accounts.models import Organization
from accounts.tenancy import system_scope
from billing.models import Account, AccountKind, Hold
from billing.services.credits import top_up
from billing.services.hold import place_hold

Result = TypeVar("Result")


@pytest.fixture(autouse=True)
def everyone_in_scope() -> Iterator[None]:
    with system_scope():
        yield


@pytest.fixture
def platform(db: None) -> Organization:
    return Organization.objects.create(name="Tutti", slug="tutti", is_platform=True, is_provider=True)


@pytest.fixture
def reseller(platform: Organization) -> Organization:
    return Organization.objects.create(name="Corner Shop", slug="corner-shop", parent=platform, is_reseller=True)


@pytest.fixture
def studio(platform: Organization) -> Organization:
    return Organization.objects.create(name="Blue Note", slug="blue-note", parent=platform)


@pytest.fixture
def later() -> datetime:
    return timezone.now() + timedelta(hours=1)


@pytest.fixture
def fund(studio: Organization) -> Callable[[int], None]:
    """Top up the studio's live wallet by so many micro-credits."""

    def fund_studio(amount_micro: int) -> None:
        top_up(organization_id=studio.pk, live=True, amount_micro=amount_micro, key=str(uuid4()), reason="a test")

    return fund_studio


@pytest.fixture
def set_aside(studio: Organization, later: datetime) -> Callable[..., Hold]:
    """Place a hold on the studio's live wallet, in a transaction of its own."""

    def place(amount_micro: int, reference: UUID | None = None, **changes: Any) -> Hold:
        order: dict[str, Any] = {
            "organization_id": studio.pk,
            "live": True,
            "reference": reference or uuid4(),
            "amount_micro": amount_micro,
            "deadline": later,
        }
        with transaction.atomic():
            return place_hold(**(order | changes))

    return place


@pytest.fixture
def account_of() -> Callable[..., Account]:
    def find(organization: Organization, kind: AccountKind, *, live: bool = True) -> Account:
        return Account.unscoped.get(organization=organization, kind=kind, live=live)

    return find


@pytest.fixture
def at_once() -> Callable[[Sequence[Callable[[], Result]]], list[Result]]:
    """Run each of these in a thread of its own, all let go at one moment; each closes its connection."""

    def run(calls: Sequence[Callable[[], Result]]) -> list[Result]:
        barrier = Barrier(len(calls), timeout=60)
        with ThreadPoolExecutor(len(calls)) as threads:
            return list(threads.map(partial(_call_alone, barrier), calls))

    return run


def _call_alone(barrier: Barrier, call: Callable[[], Result]) -> Result:
    barrier.wait()
    try:
        with system_scope():
            return call()
    finally:
        connections.close_all()
