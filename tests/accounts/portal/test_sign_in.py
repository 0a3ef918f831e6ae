from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.hashers import identify_hasher
from django.test import Client

from accounts.models import Membership, User

PASSWORD = "correct horse battery"
MISMATCH = "This e-mail and password do not match."


@pytest.fixture
def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def submit(browser: Client, email: str, password: str, *, path: str = "/sign-in") -> Any:
    """Fill in the form as a person does, with the token it carries."""
    page = browser.get(path).content.decode()
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    form = {"username": email, "password": password, "csrfmiddlewaretoken": token}
    return browser.post(path, form)


def is_signed_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


@pytest.mark.django_db
def test_form_asks_for_email_and_password(browser: Client) -> None:
    page = browser.get("/sign-in").content.decode()

    assert re.findall(r"<label [^>]*>([^<]+)</label>", page) == ["Email", "Password"]
    assert re.findall(r'<input type="(email|password)"', page) == ["email", "password"]


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@Example.COM"])
@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/"])
def test_person_signs_in_in_any_letter_case(browser: Client, owner: Membership, email: str, path: str) -> None:
    answer = submit(browser, email, PASSWORD, path=path)

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert is_signed_in(browser)


@pytest.mark.parametrize(
    ("email", "password"),
    [("ada@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("ada@example.com", PASSWORD + " ")],
)
def test_wrong_pair_is_refused_in_one_sentence(browser: Client, owner: Membership, email: str, password: str) -> None:
    answer = submit(browser, email, password)

    assert answer.status_code == 400
    assert re.findall(r'role="alert">([^<]+)<', answer.content.decode()) == [MISMATCH]
    assert not is_signed_in(browser)


def test_inactive_person_is_refused_in_the_same_sentence(browser: Client, owner: Membership, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_active=False)

    answer = submit(browser, ada.email, PASSWORD)

    assert re.findall(r'role="alert">([^<]+)<', answer.content.decode()) == [MISMATCH]


def test_sign_in_without_the_csrf_token_is_refused(browser: Client, owner: Membership) -> None:
    answer = browser.post("/sign-in", {"username": "ada@example.com", "password": PASSWORD})

    assert answer.status_code == 403
    assert not is_signed_in(browser)


def test_sign_in_begins_a_new_session(browser: Client, owner: Membership) -> None:
    session = browser.session
    session["planted"] = True
    session.save()
    before = session.session_key

    submit(browser, "ada@example.com", PASSWORD)

    assert browser.session.session_key != before


def test_session_cookie_is_kept_from_scripts_and_other_sites(browser: Client, owner: Membership) -> None:
    cookie = submit(browser, "ada@example.com", PASSWORD).cookies["sessionid"]

    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.django_db
def test_password_is_kept_as_argon2() -> None:
    eve = User.objects.create_user("eve@example.com", PASSWORD)

    assert identify_hasher(eve.password).algorithm == "argon2"


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/songs", "/songs"),
        ("/songs%3Fpage%3D2", "/songs?page=2"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_person_goes_on_to_where_they_were_going_on_this_site_only(
    browser: Client, owner: Membership, target: str, location: str
) -> None:
    answer = submit(browser, "ada@example.com", PASSWORD, path=f"/sign-in?next={target}")

    assert answer["Location"] == location


def test_sign_out_ends_the_session(browser: Client, owner: Membership) -> None:
    submit(browser, "ada@example.com", PASSWORD)
    page = browser.get("/sign-in").content.decode()
    [token] = set(re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page[: page.index("<main")]))

    answer = browser.post("/sign-out", {"csrfmiddlewaretoken": token})

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert not is_signed_in(browser)


def test_sign_out_needs_the_csrf_token(browser: Client, owner: Membership) -> None:
    submit(browser, "ada@example.com", PASSWORD)

    assert browser.post("/sign-out").status_code == 403
    assert is_signed_in(browser)


def test_sign_out_by_a_mere_link_does_nothing(browser: Client, owner: Membership) -> None:
    submit(browser, "ada@example.com", PASSWORD)

    assert browser.get("/sign-out").status_code == 405
    assert is_signed_in(browser)
