from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import path
from django.utils import timezone
from rest_framework.test import APIRequestFactory

from accounts.api.authentication import CHOSEN_ORGANIZATION, GoogleKeyAuthentication
from accounts.api.refusals import AccessRefused
from accounts.api.views import GatewayView
from accounts.models import ApiKey, Membership, Organization, Role, User
from accounts.services.api_keys import issue_key, revoke_key
from accounts.services.organizations import add_member
from tests.accounts.api.probes import Probe

Call = Callable[..., Any]
Queries = Callable[[int], AbstractContextManager[Any]]

UNKNOWN = "tt_live_" + "A" * 43


def refusal_of(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(AccessRefused) as refused:
        call()
    return refused.value.code, refused.value.message


@pytest.mark.parametrize("header", ["authorization", "Authorization", "AUTHORIZATION", "aUtHoRiZaTiOn"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer ", "Bearer   "])
def test_bearer_key_is_accepted_in_any_case(call: Call, secret: str, header: str, scheme: str) -> None:
    assert call("GET", **{header: f"{scheme} {secret}"}).status_code == 200


@pytest.mark.parametrize("header", ["x-api-key", "X-API-Key", "X-Api-Key", "X-API-KEY"])
def test_plain_key_header_is_accepted_in_any_case(call: Call, secret: str, header: str) -> None:
    assert call("GET", **{header: secret}).status_code == 200


def test_key_makes_its_member_the_user(call: Call, probe: Any, secret: str, owner: Membership) -> None:
    call("GET", authorization=f"Bearer {secret}")

    [caller] = probe.seen
    assert (caller.member, caller.live) == (owner, True)


def test_key_without_a_member_is_nobody_in_person(call: Call, probe: Any, studio: Organization) -> None:
    _, secret = issue_key(organization=studio, member=None, name="machine", live=False)

    assert call("GET", x_api_key=secret).status_code == 200
    [caller] = probe.seen
    assert (caller.member, caller.live) == (None, False)


def test_bearer_key_wins_over_the_plain_header(call: Call, secret: str) -> None:
    assert call("GET", authorization=f"Bearer {secret}", x_api_key=UNKNOWN).status_code == 200


def test_plain_key_stands_beside_another_scheme(call: Call, secret: str) -> None:
    assert call("GET", authorization="Basic cHJveHk6cGFzcw==", x_api_key=secret).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": ""}, {"authorization": "Bearer"}, {"authorization": "Bearer "}, {"x-api-key": " "}],
    ids=str,
)
@pytest.mark.django_db
def test_call_without_a_credential_is_a_missing_key(
    call: Call, headers: dict[str, str], django_assert_num_queries: Queries
) -> None:
    with django_assert_num_queries(0):
        code, message = refusal_of(lambda: call("GET", **headers))

    assert code == "missing_api_key"
    assert message == "No API key was given: send it as `Authorization: Bearer …` or as `x-api-key`."


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer nonsense"},
        {"authorization": "Basic cHJveHk6cGFzcw=="},
        {"authorization": UNKNOWN},
        {"authorization": f"Bearer Bearer {UNKNOWN}"},
        {"authorization": f"Bearer {UNKNOWN} {UNKNOWN}"},
        {"authorization": "Bearer ' OR 1=1 --"},
        {"authorization": "Bearer tt_live_'; DROP TABLE accounts_apikey; --AAAAAAAAAA"},
        {"authorization": "Bearer " + "A" * 10_000},
        {"authorization": "Bearer tt_live_" + "é" * 43},
        {"x-api-key": "sk-" + "A" * 48},
        {"x-api-key": "\xff\xfe" * 20},
        {"x-api-key": "tt_live_" + "A" * 10_000},
    ],
    ids=range(12),
)
@pytest.mark.django_db
def test_malformed_key_is_invalid_without_a_query(
    call: Call, headers: dict[str, str], django_assert_num_queries: Queries
) -> None:
    with django_assert_num_queries(0):
        refusal = refusal_of(lambda: call("GET", **headers))

    assert refusal == ("invalid_api_key", "The API key is not valid.")


def test_key_without_its_scheme_is_invalid(call: Call, secret: str) -> None:
    assert refusal_of(lambda: call("GET", authorization=secret))[0] == "invalid_api_key"


def test_unknown_revoked_and_expired_keys_are_told_alike(
    call: Call, studio: Organization, key: ApiKey, secret: str
) -> None:
    _, expired = issue_key(organization=studio, member=None, name="old", live=True, expires_at=timezone.now())
    revoke_key(key=key)

    refusals = {refusal_of(partial(call, "GET", x_api_key=text)) for text in (UNKNOWN, secret, expired)}

    assert refusals == {("invalid_api_key", "The API key is not valid.")}


def test_key_of_a_frozen_organization_is_denied(call: Call, secret: str, studio: Organization) -> None:
    Organization.objects.filter(pk=studio.pk).update(frozen_at=timezone.now())

    assert refusal_of(lambda: call("GET", x_api_key=secret)) == (
        "permission_denied",
        "This organization is frozen.",
    )


def test_key_of_an_inactive_user_is_denied(call: Call, secret: str, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_active=False)

    assert refusal_of(lambda: call("GET", x_api_key=secret))[0] == "permission_denied"


class GoogleProbe(Probe):
    authentication_classes = (GoogleKeyAuthentication,)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/probe", {"x-goog-api-key": "{key}"}),
        ("/probe", {"X-Goog-Api-Key": "{key}"}),
        ("/probe?key={key}", {}),
        ("/probe", {"authorization": "Bearer {key}"}),
        ("/probe", {"x-api-key": "{key}"}),
        ("/probe", {"authorization": "Basic cHJveHk6cGFzcw==", "x-goog-api-key": "{key}"}),
        (f"/probe?key={UNKNOWN}", {"x-goog-api-key": "{key}"}),
        (f"/probe?key={UNKNOWN}", {"authorization": "Bearer {key}", "x-goog-api-key": UNKNOWN}),
    ],
    ids=str,
)
def test_key_is_accepted_as_googles_clients_send_it(path: str, headers: dict[str, str], secret: str) -> None:
    given = {name: value.format(key=secret) for name, value in headers.items()}
    request = APIRequestFactory().generic("GET", path.format(key=secret), headers=given)

    assert GoogleProbe.as_view()(request).status_code == 200


@pytest.mark.parametrize(("path", "headers"), [(f"/probe?key={UNKNOWN}", {}), ("/probe", {"x-goog-api-key": "AIza"})])
@pytest.mark.django_db
def test_unknown_key_of_googles_clients_is_invalid(path: str, headers: dict[str, str]) -> None:
    request = APIRequestFactory().generic("GET", path, headers=headers)

    assert refusal_of(lambda: GoogleProbe.as_view()(request))[0] == "invalid_api_key"


def test_other_routes_know_nothing_of_googles_keys(probe: type[Probe], secret: str) -> None:
    request = APIRequestFactory().generic("GET", f"/probe?key={secret}", headers={"x-goog-api-key": secret})

    assert refusal_of(lambda: probe.as_view()(request))[0] == "missing_api_key"


@pytest.fixture
def browser(settings: Any, probe: type[GatewayView], ada: User) -> Client:
    class Urls:
        urlpatterns = [path("probe", probe.as_view())]

    settings.ROOT_URLCONF = Urls
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    return client


def test_session_acts_for_its_person(browser: Client, probe: Any, owner: Membership) -> None:
    assert browser.get("/probe").status_code == 200
    [caller] = probe.seen
    assert (caller.member, caller.api_key, caller.live) == (owner, None, True)


def test_session_acts_for_the_chosen_organization(
    browser: Client, probe: Any, owner: Membership, ada: User, other_studio: Organization
) -> None:
    chosen = add_member(organization=other_studio, user=ada, role=Role.VIEWER)
    session = browser.session
    session[CHOSEN_ORGANIZATION] = other_studio.pk
    session.save()

    browser.get("/probe")

    assert [caller.member for caller in probe.seen] == [chosen]


def test_session_may_not_change_anything_without_the_csrf_token(browser: Client, owner: Membership) -> None:
    code, message = refusal_of(lambda: browser.post("/probe"))

    assert (code, message.split(":")[0]) == ("permission_denied", "CSRF Failed")


def test_session_changes_things_with_the_csrf_token(browser: Client, owner: Membership) -> None:
    token = "a" * 32
    browser.cookies["csrftoken"] = token

    assert browser.post("/probe", headers={"x-csrftoken": token}).status_code == 200


def test_key_needs_no_csrf_token(browser: Client, secret: str) -> None:
    assert browser.post("/probe", headers={"authorization": f"Bearer {secret}"}).status_code == 200


def test_bad_key_is_not_healed_by_a_session(browser: Client, owner: Membership) -> None:
    assert refusal_of(lambda: browser.get("/probe", headers={"x-api-key": UNKNOWN}))[0] == "invalid_api_key"


def test_session_of_someone_without_an_organization_is_denied(browser: Client) -> None:
    assert refusal_of(lambda: browser.get("/probe")) == ("permission_denied", "You belong to no organization.")


def test_session_of_an_inactive_person_is_no_sign_in(browser: Client, owner: Membership, ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_active=False)

    assert refusal_of(lambda: browser.get("/probe"))[0] == "missing_api_key"
