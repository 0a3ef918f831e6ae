from __future__ import annotations

import html
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Membership, Role, User
from accounts.tenancy import system_scope
from catalog.models import Circuit, CircuitReason, Upstream
from catalog.services.circuits import open_circuit
from generation.models import Attempt, Job
from tests.generation.admin.sellers import Market, browser_as, markers, upstream_of
from tests.generation.worlds import claimed, finished, submitted

pytestmark = pytest.mark.both_databases

Queries = Callable[[int], AbstractContextManager[Any]]
LIST = "/admin/catalog/upstream/"


def rows_of(browser: Client, query: str = "") -> dict[str, dict[str, str]]:
    """What a reader sees in the list: slug to column to text."""
    answer = browser.get(LIST + query)
    assert answer.status_code == 200
    table = re.findall(r"<tr>(.*?)</tr>", answer.content.decode(), flags=re.DOTALL)
    rows = [dict(re.findall(r'class="field-(\w+)[^"]*">(.*?)</t[dh]>', row, flags=re.DOTALL)) for row in table]
    return {row["slug"]: {name: text_of(cell) for name, cell in row.items()} for row in rows if row}


def text_of(cell: str) -> str:
    image = re.sub(r'<img [^>]*alt="(\w+)"[^>]*>', r"\1", cell)
    return html.unescape(re.sub(r"<[^>]+>", "", image.replace("</span><span", "</span> | <span"))).strip(" |\n")


def circuit_in(browser: Client, slug: str) -> str:
    return rows_of(browser)[slug]["circuit_now"]


def act(browser: Client, action: str, *upstreams: Upstream) -> list[str]:
    """Choose rows and an action, as the form does; what is said about it afterwards."""
    chosen = {"action": action, "_selected_action": [str(upstream.pk) for upstream in upstreams]}
    answer = browser.post(LIST, chosen, follow=True)
    assert answer.status_code == 200
    return re.findall(r'<li class="(?:success|warning)">([^<]+)</li>', answer.content.decode())


def is_open(upstream: Upstream) -> bool:
    return Circuit.objects.filter(upstream=upstream, opened_until__isnull=False).exists()


def test_list_shows_the_upstreams_of_ones_own_organization(keeper: Client, market: Market) -> None:
    assert rows_of(keeper)["ours"] == {
        "name": "Ours",
        "slug": "ours",
        "organization": "Seller",
        "provider": "minimax",
        "is_enabled": "True",
        "circuit_now": "closed",
        "failures": "0 of 0",
        "in_hand": "0 of 2000",
    }
    assert set(rows_of(keeper)) == {"ours", "stage"}
    assert set(rows_of(browser_as(Role.OWNER, market.rival))) == {"theirs"}


def test_person_of_two_sellers_sees_those_whose_upstreams_they_keep(market: Market) -> None:
    ada = User.objects.create_user("ada@example.com")
    for organization, role in ((market.world.seller, Role.BILLING), (market.rival, Role.ADMIN)):
        Membership.unscoped.create(organization=organization, user=ada, role=role)
    browser = Client()
    browser.force_login(ada)

    assert set(rows_of(browser)) == {"theirs"}


def test_circuit_is_shown_with_its_reason_and_next_trial(keeper: Client, market: Market) -> None:
    open_circuit(market.ours.pk, reason=CircuitReason.FAILURES)
    until = Circuit.objects.get().opened_until
    assert until is not None

    assert circuit_in(keeper, "ours") == f"open (failures) | next trial {until:%Y-%m-%d %H:%M:%S} UTC"

    Circuit.objects.update(opened_until=timezone.now() - timedelta(seconds=1))
    assert circuit_in(keeper, "ours") == "half-open (failures) | one order at a time, on trial"


def test_failures_and_orders_in_hand_are_counted(keeper: Client, market: Market) -> None:
    with system_scope():
        finished(submitted(market.world))
        claimed(submitted(market.world))
        Attempt.objects.filter(ended_at__isnull=False).update(is_held_against=True)

    row = rows_of(keeper)["stage"]
    assert (row["failures"], row["in_hand"]) == ("1 of 1", "1 of 2000")
    assert (rows_of(keeper)["ours"]["failures"], rows_of(keeper)["ours"]["in_hand"]) == ("0 of 0", "0 of 2000")


def test_circuit_is_opened_and_closed_by_hand(keeper: Client, market: Market) -> None:
    assert act(keeper, "open_circuit", market.ours) == ["1 circuit is open: no order goes there."]
    assert circuit_in(keeper, "ours") == "open (by hand) | until it is closed by hand"

    assert act(keeper, "close_circuit", market.ours) == ["1 circuit was closed: orders go there."]
    assert circuit_in(keeper, "ours") == "closed"


def test_closing_calls_those_who_wait(keeper: Client, market: Market) -> None:
    stage = market.world.mapping.upstream
    act(keeper, "open_circuit", stage)
    with system_scope():
        Circuit.objects.update(opened_until=None)
        job = submitted(market.world)
        Circuit.objects.update(opened_until=timezone.now() + timedelta(days=1))
        Job.objects.filter(pk=job.pk).update(parked_at=timezone.now(), upstream=stage)

    act(keeper, "close_circuit", stage)

    assert Job.unscoped.get(pk=job.pk).parked_at is None


def test_closing_what_is_closed_says_so(keeper: Client, market: Market) -> None:
    assert act(keeper, "close_circuit", market.ours) == ["0 circuits were closed: orders go there."]


def test_circuit_of_another_seller_stays_as_it_is(keeper: Client, market: Market) -> None:
    act(keeper, "open_circuit", market.theirs)
    assert not is_open(market.theirs)

    open_circuit(market.theirs.pk, reason=CircuitReason.FAILURES)
    act(keeper, "close_circuit", market.theirs)
    assert is_open(market.theirs)


@pytest.mark.parametrize("role", [Role.OWNER, Role.BILLING])
def test_customer_and_accountant_change_no_circuit(market: Market, role: str) -> None:
    organization = market.world.customer if role == Role.OWNER else market.world.seller

    chosen = {"action": "open_circuit", "_selected_action": [str(market.ours.pk)]}
    assert browser_as(role, organization).post(LIST, chosen).status_code == 403
    assert not is_open(market.ours)


def test_who_did_it_stands_in_the_history(keeper: Client, market: Market) -> None:
    act(keeper, "open_circuit", market.ours)

    history = keeper.get(f"{LIST}{market.ours.pk}/history/").content.decode()
    assert "Opened the circuit." in history
    assert User.objects.get(pk=keeper.session["_auth_user_id"]).email in history


def test_page_of_an_upstream_shows_the_host_and_changes_nothing(keeper: Client, market: Market) -> None:
    page = keeper.get(f"{LIST}{market.ours.pk}/change/").content.decode()

    assert "api.vendor.example" in page
    assert re.findall(r'<(?:input|select|textarea)[^>]* name="(?!csrf)[^"]+"|name="_save"', page) == []
    assert keeper.post(f"{LIST}{market.ours.pk}/change/", {"name": "Mine"}).status_code == 403
    assert Upstream.unscoped.get(pk=market.ours.pk).name == "Ours"


def test_credential_and_address_are_in_no_byte_of_any_page(keeper: Client, market: Market) -> None:
    act(keeper, "open_circuit", market.ours)

    for path in ("", "?q=ours", "?provider=minimax", f"{market.ours.pk}/change/", f"{market.ours.pk}/history/"):
        answer = keeper.get(LIST + path)
        assert (answer.status_code, markers(answer.content)) == (200, [])
    assert markers(keeper.get("/admin/").content) == []


def test_credential_is_not_even_read(keeper: Client, market: Market) -> None:
    for path in (LIST, f"{LIST}{market.ours.pk}/change/"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert keeper.get(path).status_code == 200
        assert [query["sql"] for query in queries if '"credential"' in query["sql"]] == []


@pytest.mark.parametrize("view", ["change", "delete", "history"])
def test_foreign_and_missing_ids_are_the_same_page(keeper: Client, market: Market, view: str) -> None:
    foreign, missing = (keeper.get(f"{LIST}{pk}/{view}/") for pk in (market.theirs.pk, 10**9))

    pages = [re.sub(r'value="\w{64}"', "", answer.content.decode()) for answer in (foreign, missing)]
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert pages[0] == pages[1]
    assert "Page not found" in pages[0]


@pytest.mark.parametrize(
    "query", ["credential__startswith=g", "base_url__contains=MARKER", "organization__slug=rival", "slug=ours"]
)
def test_columns_cannot_be_asked_for_in_the_address(keeper: Client, market: Market, query: str) -> None:
    assert keeper.get(f"{LIST}?{query}").status_code == 400


@pytest.mark.parametrize(
    ("query", "found"), [("?q=our", {"ours"}), ("?q=their", set()), ("?provider=rehearsal", {"stage"})]
)
def test_search_and_filters_stay_within_the_organization(
    keeper: Client, market: Market, query: str, found: set[str]
) -> None:
    assert set(rows_of(keeper, query)) == found


def test_choices_of_filters_come_from_ones_own_rows(keeper: Client, market: Market) -> None:
    Upstream.unscoped.filter(pk=market.theirs.pk).update(provider="rivalware")

    assert b"rivalware" not in keeper.get(LIST).content


def test_list_takes_as_many_queries_for_thirty_as_for_three(
    keeper: Client, market: Market, django_assert_num_queries: Queries
) -> None:
    upstream_of(market.world.seller, "third")
    with CaptureQueriesContext(connection) as few:
        assert len(rows_of(keeper)) == 3

    for number in range(27):
        upstream = upstream_of(market.world.seller, f"more-{number}")
        open_circuit(upstream.pk, reason=CircuitReason.FAILURES)

    with django_assert_num_queries(len(few)):
        assert len(rows_of(keeper)) == 30
