"""Signing in and out with e-mail and password."""

from __future__ import annotations

from django.contrib.auth import login, logout
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import PUBLIC
from accounts.portal.forms import SignInForm
from accounts.portal.pages import PortalView, django_request


class SignIn(PortalView):
    words = {"GET": PUBLIC, "POST": PUBLIC}

    def get(self, request: Request) -> Response:
        return _page(SignInForm(), status.HTTP_200_OK)

    def post(self, request: Request) -> Response | HttpResponseRedirect:
        form = SignInForm(django_request(request), data=request.data)
        if not form.is_valid():
            return _page(form, status.HTTP_400_BAD_REQUEST)
        login(django_request(request), form.get_user())
        return HttpResponseRedirect(_where_next(request))


class SignOut(PortalView):
    words = {"POST": PUBLIC}

    def post(self, request: Request) -> HttpResponseRedirect:
        logout(django_request(request))
        return HttpResponseRedirect(reverse("front_door"))


def _page(form: SignInForm, code: int) -> Response:
    return Response({"form": form}, status=code, template_name="accounts/sign_in.html")


def _where_next(request: Request) -> str:
    """Where the person was going, unless that is another site."""
    asked = request.query_params.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        asked, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return asked if is_ours else reverse("front_door")
