"""What the table of routes promises, asked of every route the project serves."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.api.routes import routes
from accounts.models import Membership
from accounts.permissions import PUBLIC
from accounts.services.api_keys import issue_key

UNKNOWN = "tt_live_" + "A" * 43
ENTRIES = sorted({(route.path, method, word) for route in routes() for method, word in route.words.items()})
GUARDED = [(path, method, word) for path, method, word in ENTRIES if word != PUBLIC]
OF_THE_API = ("/v1", "/{endpoint}/music/v1")
API = [(path, method, word) for path, method, word in GUARDED if path.startswith(OF_THE_API)]
PAGES = [(path, method, word) for path, method, word in GUARDED if not path.startswith(OF_THE_API)]


def ask(client: Client, method: str, path: str, **headers: str) -> Any:
    filled = re.sub(r"{\w*id}", str(uuid.uuid4()), path)
    return client.generic(method, re.sub(r"{\w+}", "x", filled), headers=headers)


def code_of(answer: Any) -> str:
    """The code of the error table, wherever the wire of the route puts it."""
    error = answer.json()["error"]
    return error["details"][0]["reason"] if "details" in error else error["code"]


def test_project_has_guarded_routes_and_pages() -> None:
    assert ("/v1/music/generations", "POST", "generation.create") in API
    assert PAGES == [("/songs", "GET", "generation.read")]


@pytest.mark.parametrize(("path", "method", "word"), API)
@pytest.mark.django_db
def test_api_route_asks_for_a_key(client: Client, path: str, method: str, word: str) -> None:
    assert code_of(ask(client, method, path)) == "missing_api_key"


@pytest.mark.parametrize(("path", "method", "word"), API)
@pytest.mark.django_db
def test_api_route_refuses_an_unknown_key(client: Client, path: str, method: str, word: str) -> None:
    answer = ask(client, method, path, authorization=f"Bearer {UNKNOWN}")

    assert (answer.status_code, code_of(answer)) == (401, "invalid_api_key")


@pytest.mark.parametrize(("path", "method", "word"), API)
def test_api_route_refuses_a_key_without_its_word(
    client: Client, owner: Membership, path: str, method: str, word: str
) -> None:
    _, secret = issue_key(
        organization=owner.organization, member=owner, name="narrow", live=True, scopes=owner.words - {word}
    )

    answer = ask(client, method, path, **{"x-api-key": secret})

    assert (answer.status_code, code_of(answer)) == (403, "permission_denied")
    assert f"`{word}`" in answer.json()["error"]["message"]


@pytest.mark.parametrize(("path", "method", "word"), API)
def test_api_route_refuses_a_changing_session_without_the_csrf_token(
    owner: Membership, path: str, method: str, word: str
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner.user)

    answer = ask(browser, method, path)

    is_refused = answer.status_code == 403 and "CSRF" in answer.content.decode()
    assert is_refused == (method != "GET")


@pytest.mark.parametrize(("path", "method", "word"), PAGES)
@pytest.mark.django_db
def test_page_sends_a_stranger_to_sign_in(client: Client, path: str, method: str, word: str) -> None:
    assert ask(client, method, path).headers["Location"].startswith("/sign-in?next=")


@pytest.mark.parametrize("path", sorted({path for path, _, _ in ENTRIES}))
@pytest.mark.django_db
def test_options_of_every_route_is_answered_without_a_key(client: Client, path: str) -> None:
    answer = ask(client, "OPTIONS", path)

    assert (answer.status_code, answer.content) == (204, b"")
    assert "OPTIONS" in answer["Allow"]


@pytest.mark.parametrize("path", sorted({path for path, _, _ in ENTRIES}))
@pytest.mark.django_db
def test_method_that_a_route_lacks_is_answered_405(client: Client, path: str) -> None:
    has = {method for known, method, _ in ENTRIES if known == path}
    lacks = next(method for method in ("PUT", "PATCH", "DELETE") if method not in has)

    assert ask(client, lacks, path).status_code == 405
