from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from accounts import tenancy
from accounts.api.access import Permitted
from accounts.api.refusals import AccessRefused
from accounts.api.views import GatewayView
from accounts.models import ApiKey, Membership, Organization, Role
from accounts.permissions import PUBLIC, ROLES, WORDS, words_in, words_of
from accounts.services.api_keys import issue_key
from tests.accounts.api.probes import OpenProbe, Probe

Call = Callable[..., Any]
Queries = Callable[[int], AbstractContextManager[Any]]


def denial_of(call: Callable[[], object]) -> str:
    with pytest.raises(AccessRefused) as refused:
        call()
    assert refused.value.code == "permission_denied"
    return refused.value.message


def passes(call: Callable[[], object]) -> bool:
    try:
        call()
    except AccessRefused:
        return False
    return True


def asking(word: str) -> type[Probe]:
    return type("Asking", (Probe,), {"words": {"GET": word}})


def test_handler_sees_the_rows_of_its_caller_only(call: Call, secret: str, other_studio: Organization) -> None:
    issue_key(organization=other_studio, member=None, name="foreign", live=True)

    assert call("GET", x_api_key=secret).data == ["server"]


def test_scope_ends_with_the_call(call: Call, secret: str) -> None:
    call("GET", x_api_key=secret)

    with pytest.raises(tenancy.OutsideScope):
        ApiKey.objects.count()


def test_scope_ends_with_a_call_that_failed(call: Call, secret: str) -> None:
    class Broken(Probe):
        def get(self, request: Request) -> Response:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        call("GET", Broken, x_api_key=secret)
    with pytest.raises(tenancy.OutsideScope):
        ApiKey.objects.count()


@pytest.mark.parametrize("role", ROLES)
def test_each_role_passes_exactly_the_words_it_holds(call: Call, secret: str, owner: Membership, role: str) -> None:
    Membership.unscoped.filter(pk=owner.pk).update(role=role)

    passed = {word for word in WORDS if passes(partial(call, "GET", asking(word), x_api_key=secret))}

    assert passed == words_of(role) & words_in({"customer"})


def test_method_with_a_handler_but_no_word_is_denied(call: Call, secret: str) -> None:
    assert denial_of(lambda: call("PUT", x_api_key=secret)) == "No permission is declared for PUT on this route."


def test_method_with_a_handler_but_no_word_is_denied_without_a_key_too(call: Call, db: None) -> None:
    assert denial_of(lambda: call("PUT"))


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "TRACE", "DISPATCH"])
@pytest.mark.django_db
def test_method_without_a_handler_is_not_allowed(call: Call, method: str) -> None:
    with pytest.raises(exceptions.MethodNotAllowed):
        call(method)


def test_head_asks_for_what_get_asks_for(call: Call, secret: str, owner: Membership) -> None:
    assert call("HEAD", x_api_key=secret).status_code == 200
    with pytest.raises(AccessRefused):
        call("HEAD")


@pytest.mark.django_db
def test_options_is_answered_without_a_key(call: Call, django_assert_num_queries: Queries) -> None:
    with django_assert_num_queries(0):
        answer = call("OPTIONS", authorization="Bearer nonsense")

    assert (answer.status_code, answer["Allow"], answer.content) == (204, "GET, POST, PUT, HEAD, OPTIONS", b"")


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer nonsense"}, {"x-api-key": "nonsense"}], ids=str)
@pytest.mark.django_db
def test_public_method_looks_at_no_credential(
    call: Call, headers: dict[str, str], django_assert_num_queries: Queries
) -> None:
    with django_assert_num_queries(0):
        assert call("GET", OpenProbe, **headers).data == "open"


def test_public_method_has_no_caller_and_no_scope(call: Call, db: None) -> None:
    class Curious(OpenProbe):
        def get(self, request: Request) -> Response:
            with pytest.raises(tenancy.OutsideScope):
                ApiKey.objects.count()
            return Response(str(self.caller))

    with pytest.raises(TypeError, match="nobody"):
        call("GET", Curious)


@pytest.mark.parametrize("words", [{"GET": "generation.destroy"}, {"GET": ""}, {"get": PUBLIC}, {"FETCH": PUBLIC}])
def test_view_with_an_unknown_word_or_method_cannot_be_written(words: dict[str, str]) -> None:
    with pytest.raises(ImproperlyConfigured, match="Misspelt"):
        type("Misspelt", (GatewayView,), {"words": words})


def test_view_that_is_no_gateway_view_refuses_by_default(call: Call, secret: str) -> None:
    class Stray(APIView):
        def get(self, request: Request) -> Response:
            raise AssertionError("a view without a word was let in")

        def get_exception_handler(self) -> Callable[..., None]:
            return lambda exception, context: None

    default_classes: list[object] = list(api_settings.DEFAULT_PERMISSION_CLASSES)
    assert default_classes == [Permitted]
    assert denial_of(lambda: call("GET", Stray, x_api_key=secret))


def test_viewer_reads_but_does_not_order(call: Call, secret: str, owner: Membership) -> None:
    Membership.unscoped.filter(pk=owner.pk).update(role=Role.VIEWER)

    assert call("GET", x_api_key=secret).status_code == 200
    assert denial_of(lambda: call("POST", x_api_key=secret)) == (
        "This needs the permission `generation.create`, which the caller does not hold."
    )
