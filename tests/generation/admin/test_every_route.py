"""Who gets in, asked of every route of the admin."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.api.routes import routes
from accounts.models import Role
from tests.generation.admin.sellers import Market, browser_as

PATHS = sorted({route.path for route in routes() if route.admin_site is not None})
UPSTREAMS = "/admin/catalog/upstream"
OF_A_ROW = {f"{UPSTREAMS}/{{object_id}}/{view}" for view in ("change", "delete", "history")}

OPEN = {"/admin": 200, "/admin/jsi18n": 200}
"""What everyone sees who enters at all."""
ELSEWHERE = {f"{UPSTREAMS}/{{object_id}}": 302}
"""Leads on to the page of the row, whoever's it is."""
WITHOUT_THE_WORD = OPEN | ELSEWHERE | {"/admin/{app_label}": 404, UPSTREAMS: 403, f"{UPSTREAMS}/add": 403}
ONE_WHO_KEEPS_UPSTREAMS = OPEN | ELSEWHERE | {"/admin/{app_label}": 200, UPSTREAMS: 200, f"{UPSTREAMS}/add": 403}
FOREIGN_ROW = dict.fromkeys(OF_A_ROW, 404)
OWN_ROW = {
    f"{UPSTREAMS}/{{object_id}}/{view}": code for view, code in {"change": 200, "delete": 403, "history": 200}.items()
}


def statuses(browser: Client, market: Market) -> dict[str, int]:
    return {path: browser.get(address_of(path, market)).status_code for path in PATHS}


def address_of(path: str, market: Market) -> str:
    filled = path.replace("{object_id}", str(market.ours.pk)).replace("{app_label}", "catalog")
    return filled if filled == "/admin" else f"{filled}/"


def test_every_route_is_walked() -> None:
    assert set(PATHS) == set(ONE_WHO_KEEPS_UPSTREAMS) | OF_A_ROW


def test_stranger_is_sent_to_sign_in_from_everywhere(client: Client, market: Market) -> None:
    for path in PATHS:
        answer = client.get(address_of(path, market))
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/sign-in")


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
@pytest.mark.parametrize("whose", ["seller", "customer"])
def test_members_and_viewers_are_turned_away_everywhere(market: Market, role: str, whose: str) -> None:
    browser = browser_as(role, getattr(market.world, whose))

    assert statuses(browser, market) == dict.fromkeys(PATHS, 403)


@pytest.mark.parametrize(("role", "whose"), [(Role.OWNER, "customer"), (Role.BILLING, "seller")])
def test_who_keeps_no_upstreams_enters_and_sees_none(market: Market, role: str, whose: str) -> None:
    browser = browser_as(role, getattr(market.world, whose))

    assert statuses(browser, market) == WITHOUT_THE_WORD | FOREIGN_ROW


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_who_keeps_upstreams_sees_their_own(market: Market, role: str) -> None:
    assert statuses(browser_as(role, market.world.seller), market) == ONE_WHO_KEEPS_UPSTREAMS | OWN_ROW


def test_another_seller_meets_nothing_of_it(market: Market) -> None:
    assert statuses(browser_as(Role.OWNER, market.rival), market) == ONE_WHO_KEEPS_UPSTREAMS | FOREIGN_ROW
