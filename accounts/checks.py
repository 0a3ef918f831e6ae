"""System checks: what must hold before the project starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register

from accounts.admin.site import TuttiAdminSite
from accounts.api.access import Permitted
from accounts.api.routes import Route, routes
from accounts.api.views import GatewayView


@register(Tags.security)
def every_route_declares_its_permissions(**_: Any) -> list[CheckMessage]:
    """accounts.E001: each route is a GatewayView that names a word, or PUBLIC, for each method it has; or it is one of
    the admin, whose site lets in only those who may enter.
    """
    return [
        Error(f"{route.path} {fault}", hint="see accounts.api.views.GatewayView", id="accounts.E001")
        for route in routes()
        for fault in _faults(route)
    ]


def _faults(route: Route) -> Iterator[str]:
    if isinstance(route.admin_site, TuttiAdminSite):
        return
    view = route.view_class
    if view is None or not issubclass(view, GatewayView):
        yield "is no GatewayView, so nobody asks who may call it"
        return
    if Permitted not in view.permission_classes:
        yield f"is answered by {view.__name__}, which left out the permission class"
    for method, word in route.words.items():
        if word is None:
            yield f"declares no permission word for {method} ({view.__name__})"
