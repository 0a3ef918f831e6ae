from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from accounts.models import Organization
from billing.models import Hold
from billing.services.receipt import Receipt, receipt_of
from billing.services.settle import Leg, settle_hold

pytestmark = pytest.mark.django_db


@pytest.fixture
def hold(fund: Callable[[int], None], set_aside: Callable[..., Hold]) -> Hold:
    fund(100)
    return set_aside(90)


def test_open_hold_has_charged_and_released_nothing(hold: Hold) -> None:
    assert receipt_of(reference=hold.reference) == Receipt(held_micro=90, charged_micro=0, released_micro=0)


def test_settled_hold_was_charged_in_part_and_released_for_the_rest(
    hold: Hold, studio: Organization, platform: Organization
) -> None:
    settle_hold(reference=hold.reference, legs=[Leg(studio.pk, platform.pk, "sale", 30)])

    assert receipt_of(reference=hold.reference) == Receipt(held_micro=90, charged_micro=30, released_micro=60)


def test_job_without_a_hold_has_no_receipt() -> None:
    with pytest.raises(Hold.DoesNotExist):
        receipt_of(reference=uuid4())
