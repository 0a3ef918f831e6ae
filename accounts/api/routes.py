"""Every route of the project with the view behind it: for the system check, the command and the tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.api.views import GatewayView

_HANDLERS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_OF_THE_ADMIN: Final = ("GET", "POST")


@dataclass(frozen=True, slots=True)
class Route:
    """`path` reads `/v1/music/generations/{id}`, without the slash at its end that may be left out."""

    path: str
    view: Callable[..., Any]

    @property
    def view_class(self) -> type | None:
        """The class behind the view: DRF sets `cls`, Django `view_class`; a wrapper round either carries it along."""
        found = getattr(self.view, "cls", None) or getattr(self.view, "view_class", None)
        return found if isinstance(found, type) else None

    @property
    def admin_site(self) -> AdminSite | None:
        """The admin site that guards the view; None for a view outside the admin."""
        site = getattr(self.view, "admin_site", None)
        return site or getattr(getattr(self.view, "model_admin", None), "admin_site", None)

    @property
    def words(self) -> dict[str, str | None]:
        """The permission word of each method that has a handler; None where none is declared."""
        if self.admin_site is not None:
            return dict.fromkeys(_OF_THE_ADMIN, getattr(self.admin_site, "entry_word", None))
        found = self.view_class
        if found is None or not issubclass(found, GatewayView):
            return {}
        return {method: found.words.get(method) for method in _HANDLERS if hasattr(found, method.lower())}


def routes(resolver: URLResolver | None = None) -> Iterator[Route]:
    """Depth first, in the order in which they are tried."""
    yield from _below(resolver or get_resolver(), "")


def _below(resolver: URLResolver, prefix: str) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _below(entry, path)
        elif isinstance(entry, URLPattern) and entry.callback is not None:
            yield Route(_readable(path), entry.callback)


def _readable(pattern: str) -> str:
    without_converters = re.sub(r"<\w+:(\w+)>", r"<\1>", pattern)
    braces = re.sub(r"<(\w+)>", r"{\1}", simplify_regex(without_converters))
    return braces.rstrip("/") or "/"
