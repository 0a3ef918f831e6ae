"""Who is in the admin, and for which organizations."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest

from accounts.caller import Caller
from accounts.models import User
from accounts.services.people import callers_of

ENTRY_WORD: Final = "admin.enter"


def visitors(request: HttpRequest) -> list[Caller]:
    """The signed-in person once for each organization whose admin they may enter; empty for everyone else.

    Read once for each request: the admin asks for rights many times on a page.
    """
    known: list[Caller] | None = getattr(request, "admin_visitors", None)
    if known is None:
        user = request.user
        callers = callers_of(user) if isinstance(user, User) else []
        known = [caller for caller in callers if caller.may(ENTRY_WORD)]
        request.admin_visitors = known  # type: ignore[attr-defined]
    return known


def organizations_with(request: HttpRequest, word: str) -> frozenset[int]:
    """The ids of the organizations in which the person in the admin holds a permission word."""
    return frozenset(caller.organization.pk for caller in visitors(request) if caller.may(word))
