"""Who opens a WebSocket: a key, a ticket, or the portal's session from a page of ours."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from accounts.api.authentication import CHOSEN_ORGANIZATION
from accounts.caller import Caller
from accounts.models import User
from accounts.services.api_keys import UnknownKey, authenticate_key
from accounts.services.people import caller_for
from accounts.services.standing import MayNotAct
from generation.services.tickets import UnknownTicket, take_ticket


class NotSignedIn(Exception):
    """No sign-in, or none that holds."""


def caller_of(scope: Mapping[str, Any]) -> Caller:
    """Whose socket this is: a header's key first, then a ticket, then a session. Raises NotSignedIn. Sync."""
    headers = {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
    query = parse_qs(scope["query_string"].decode("latin1"))
    try:
        if key := _key(headers):
            return authenticate_key(key)
        if ticket := query.get("ticket", [""])[0]:
            return take_ticket(ticket)
        return _of_session(headers)
    except (UnknownKey, UnknownTicket, MayNotAct):
        raise NotSignedIn from None


def _key(headers: Mapping[str, str]) -> str:
    scheme, _, key = headers.get("authorization", "").strip().partition(" ")
    return key.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "").strip()


def _of_session(headers: Mapping[str, str]) -> Caller:
    # A browser sends the cookie from any page; only the origin tells ours from a stranger's.
    if not _is_our_page(headers):
        raise NotSignedIn
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(_session_key(headers))
    user = get_user(request)
    if not isinstance(user, User):
        raise NotSignedIn
    return caller_for(user, organization_id=request.session.get(CHOSEN_ORGANIZATION))


def _is_our_page(headers: Mapping[str, str]) -> bool:
    origin = headers.get("origin", "")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    page = urlsplit(origin)
    return bool(page.netloc) and page.scheme in ("http", "https") and page.netloc == headers.get("host")


def _session_key(headers: Mapping[str, str]) -> str | None:
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    return cookie.value if cookie else None
