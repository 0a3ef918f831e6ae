"""What the table of routes promises, asked of every route the project serves."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.api.refusals import AccessRefused
from accounts.api.routes import routes
from accounts.models import Membership
from accounts.permissions import PUBLIC
from accounts.services.api_keys import issue_key
from generation.api.base import WireView
from generation.dialects.base import Dialect, Refused

UNKNOWN = "tt_live_" + "A" * 43
# The admin's are guarded by its site, and asked in tests/generation/admin/test_every_route.py.
ROUTES = [route for route in routes() if route.admin_site is None]
ENTRIES = sorted({(route.path, method, word) for route in ROUTES for method, word in route.words.items()})
GUARDED = [(path, method, word) for path, method, word in ENTRIES if word != PUBLIC]
OF_THE_API = ("/v1", "/api/v1", "/{endpoint}/music/v1")
API = [(path, method, word) for path, method, word in GUARDED if path.startswith(OF_THE_API)]
PAGES = [(path, method, word) for path, method, word in GUARDED if not path.startswith(OF_THE_API)]

DIALECT: dict[str, Dialect] = {
    route.path: route.view_class.dialect
    for route in ROUTES
    if route.view_class is not None and issubclass(route.view_class, WireView)
}


def ask(client: Client, method: str, path: str, **headers: str) -> Any:
    filled = re.sub(r"{\w*id}", str(uuid.uuid4()), path)
    return client.generic(method, re.sub(r"{\w+}", "x", filled), headers=headers)


def told(answer: Any) -> tuple[int, dict[str, Any]]:
    return answer.status_code, answer.json()


def in_words_of(path: str, refused: AccessRefused, answer: Any) -> tuple[int, dict[str, Any]]:
    """How the wire of this route words a refusal."""
    reply = DIALECT[path].refused(
        Refused(code=refused.code, message=refused.message, request_id=answer["x-request-id"])
    )
    return reply.status, reply.body


def test_project_has_guarded_routes_and_pages() -> None:
    assert ("/v1/music/generations", "POST", "generation.create") in API
    assert PAGES == [("/songs", "GET", "generation.read")]


@pytest.mark.parametrize(("path", "method", "word"), API)
@pytest.mark.django_db
def test_api_route_asks_for_a_key(client: Client, path: str, method: str, word: str) -> None:
    answer = ask(client, method, path)

    assert told(answer) == in_words_of(path, AccessRefused.missing_key(), answer)


@pytest.mark.parametrize(("path", "method", "word"), API)
@pytest.mark.django_db
def test_api_route_refuses_an_unknown_key(client: Client, path: str, method: str, word: str) -> None:
    answer = ask(client, method, path, authorization=f"Bearer {UNKNOWN}")

    assert told(answer) == in_words_of(path, AccessRefused.invalid_key(), answer)


@pytest.mark.parametrize(("path", "method", "word"), API)
def test_api_route_refuses_a_key_without_its_word(
    client: Client, owner: Membership, path: str, method: str, word: str
) -> None:
    _, secret = issue_key(
        organization=owner.organization, member=owner, name="narrow", live=True, scopes=owner.words - {word}
    )

    answer = ask(client, method, path, **{"x-api-key": secret})

    message = f"This needs the permission `{word}`, which the caller does not hold."
    assert told(answer) == in_words_of(path, AccessRefused("permission_denied", message), answer)


@pytest.mark.parametrize(("path", "method", "word"), API)
def test_api_route_refuses_a_changing_session_without_the_csrf_token(
    owner: Membership, path: str, method: str, word: str
) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner.user)

    answer = ask(browser, method, path)

    assert ("CSRF" in answer.content.decode()) == (method != "GET")
    if method != "GET":
        refused = AccessRefused("permission_denied", "CSRF Failed: CSRF cookie not set.")
        assert told(answer) == in_words_of(path, refused, answer)


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
def test_method_that_a_route_lacks_is_refused_with_those_it_has(client: Client, path: str) -> None:
    has = {method for known, method, _ in ENTRIES if known == path}
    lacks = next(method for method in ("PUT", "PATCH", "DELETE") if method not in has)

    answer = ask(client, lacks, path)

    # One wire answers whatever happens with 200, and tells failures in the body.
    refused = Refused(code="method_not_allowed", message="") if path in DIALECT else None
    assert answer.status_code == (DIALECT[path].refused(refused).status if refused else 405)
    assert has <= set(answer["Allow"].split(", "))
    assert lacks not in answer["Allow"]
