"""The Django admin as part of the house: the portal's sign-in, the permission words, the tenants' scope."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import SimpleTemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from django.utils.translation import gettext_lazy as _

from accounts import tenancy
from accounts.admin.scoped import OrganizationAdmin
from accounts.admin.visitors import ENTRY_WORD, visitors

View = Callable[..., Any]

_LEFT_OUT: Final = frozenset(
    {"login", "logout", "password_change", "password_change_done", "autocomplete", "view_on_site"}
)
"""Signing in and out is the portal's; the others show rows that no admin here declares."""
_METHODS: Final = ("GET", "HEAD", "POST")
_CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_WHO_ENTERS: Final = _(
    "The admin is for those who hold the permission `%(word)s` in an organization that is not frozen."
)


class TuttiAdminSite(admin.AdminSite):
    """Lets in who holds `admin.enter` somewhere, and shows them the rows of those organizations alone."""

    site_header = site_title = _("Tutti admin")
    index_title = _("Overview")
    final_catch_all_view = False
    enable_nav_sidebar = False
    entry_word = ENTRY_WORD

    def has_permission(self, request: HttpRequest) -> bool:
        return bool(visitors(request))

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Raises ImproperlyConfigured for an admin that is no OrganizationAdmin: it would show everybody's rows."""
        if admin_class is None or not issubclass(admin_class, OrganizationAdmin):
            raise ImproperlyConfigured(f"{admin_class} is no OrganizationAdmin")
        super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        urls: list[URLPattern | URLResolver] = super().get_urls()
        return [entry for entry in urls if not (isinstance(entry, URLPattern) and entry.name in _LEFT_OUT)]

    def admin_view(self, view: View, cacheable: bool = False) -> View:  # type: ignore[override]
        guarded = super().admin_view(view, cacheable)

        def enter(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            answer = self._answer(guarded, request, *args, **kwargs)
            answer["Content-Security-Policy"] = _CONTENT_POLICY
            return answer

        update_wrapper(enter, view)
        enter.admin_site = self  # type: ignore[attr-defined]
        return enter

    def _answer(self, view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method not in _METHODS:
            return HttpResponseNotAllowed(_METHODS)
        if not request.user.is_authenticated:
            return HttpResponseRedirect(f"{reverse('sign_in')}?{urlencode({'next': request.get_full_path()})}")
        if not self.has_permission(request):
            return _turned_away(request, _WHO_ENTERS % {"word": self.entry_word})
        with tenancy.scope(*(caller.organization for caller in visitors(request))):
            try:
                return _rendered(view(request, *args, **kwargs))
            except PermissionDenied:
                return _turned_away(request, str(_("This needs a permission that you do not hold.")))
            except Http404:
                return render(request, "admin/404.html", self.each_context(request), status=404)


def _rendered(answer: HttpResponse) -> HttpResponse:
    """Pages read their rows while they render: that is done before the scope ends."""
    if isinstance(answer, SimpleTemplateResponse):
        answer.render()
    return answer


def _turned_away(request: HttpRequest, message: str) -> HttpResponse:
    return render(request, "accounts/turned_away.html", {"message": message}, status=403)
