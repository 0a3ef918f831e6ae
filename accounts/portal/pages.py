"""What every page of the portal has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from rest_framework import status
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import SessionAuthentication
from accounts.api.refusals import AccessRefused
from accounts.api.views import GatewayView

_CONTENT_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def django_request(request: Request) -> HttpRequest:
    """The request under DRF's, which the functions of Django's own sign-in want."""
    return request._request  # noqa: SLF001  # DRF names no other way to it


class PageRenderer(TemplateHTMLRenderer):
    """Templates see Django's own request: DRF's would sign in once more when a public page asks who is there."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> Any:
        context = dict(renderer_context or {})
        context["request"] = django_request(context["request"])
        return super().render(data, accepted_media_type, context)


class PortalView(GatewayView):
    """A page for people: signed in by session only. Data is read in full before the template renders it, after the
    scope has ended.
    """

    authentication_classes = (SessionAuthentication,)
    renderer_classes = (PageRenderer,)
    parser_classes = (FormParser, MultiPartParser)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # A public form has no sign-in that would have checked this: without it a stranger's page could sign people in.
        SessionAuthentication().enforce_csrf(request)

    def handle_exception(self, exc: Exception) -> Response:
        if not isinstance(exc, AccessRefused):
            return super().handle_exception(exc)
        if exc.code == "missing_api_key":
            return self._to_sign_in()  # type: ignore[return-value]  # DRF finalizes any Django response
        return Response(
            {"message": exc.message}, status=status.HTTP_403_FORBIDDEN, template_name="accounts/turned_away.html"
        )

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        add_never_cache_headers(final)
        final["Content-Security-Policy"] = _CONTENT_POLICY
        return final

    def _to_sign_in(self) -> HttpResponseRedirect:
        query = urlencode({"next": self.request.get_full_path()})
        return HttpResponseRedirect(f"{reverse('sign_in')}?{query}")
