"""Who is calling: an API key in a header, or the portal's session. `request.auth` is a `Caller` after either."""

from __future__ import annotations

import logging

from django.contrib.auth.models import AnonymousUser
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from accounts.api.refusals import AccessRefused
from accounts.caller import Caller
from accounts.models import User
from accounts.services.api_keys import UnknownKey, authenticate_key
from accounts.services.people import caller_for
from accounts.services.standing import MayNotAct

logger = logging.getLogger(__name__)

CHOSEN_ORGANIZATION = "organization"
"""The session's note of which organization a person with several acts for."""


class ApiKeyAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer KEY`, or else `x-api-key: KEY`. Without either another way of sign-in may be tried."""

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, Caller] | None:
        text = self.key_of(request)
        if not text:
            return None
        caller = _caller_of(text)
        return (caller.member.user if caller.member else AnonymousUser()), caller

    def key_of(self, request: Request) -> str:
        """The text given as a key; empty when none was. Raises AccessRefused for a scheme that is not Bearer."""
        scheme, _, key = request.headers.get("authorization", "").strip().partition(" ")
        plain = self.plain_key_of(request)
        if scheme.lower() == "bearer":
            return key.strip() or plain
        if scheme and not plain:
            raise AccessRefused.invalid_key()
        # Another scheme may be a proxy's own affair when the key stands in its own header.
        return plain

    def plain_key_of(self, request: Request) -> str:
        """A key that stands alone, without a scheme; empty when there is none."""
        return request.headers.get("x-api-key", "").strip()

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class GoogleKeyAuthentication(ApiKeyAuthentication):
    """The same, and as Google's clients send it: `x-goog-api-key: KEY`, or `?key=KEY` in the address.

    An address may be seen by others on its way, so it is asked last. Our own logs name routes, never addresses.
    """

    def plain_key_of(self, request: Request) -> str:
        in_a_header = request.headers.get("x-goog-api-key", "").strip() or super().plain_key_of(request)
        return in_a_header or request.query_params.get("key", "").strip()


class FallbackKeyAuthentication(authentication.BaseAuthentication):
    """Who brings no credential at all acts as a key of the house, where one is set. Comes last of a view's ways.

    For private networks, where whoever reaches the address may use it.
    """

    def fallback_key(self) -> str:
        """The key; empty where none is set."""
        raise NotImplementedError

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, Caller] | None:
        text = self.fallback_key()
        if not text:
            return None
        try:
            caller = _caller_of(text)
        except AccessRefused:
            logger.error("The key that stands in for callers without one is refused: %s", type(self).__name__)  # noqa: TRY400
            raise
        return (caller.member.user if caller.member else AnonymousUser()), caller


class SessionAuthentication(authentication.SessionAuthentication):
    """The portal's session, on every route too; what changes something needs the CSRF token."""

    def authenticate(self, request: Request) -> tuple[User, Caller] | None:
        signed_in = super().authenticate(request)
        if signed_in is None:
            return None
        user = signed_in[0]
        try:
            return user, caller_for(user, organization_id=request.session.get(CHOSEN_ORGANIZATION))
        except MayNotAct as refused:
            raise AccessRefused("permission_denied", str(refused)) from None

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied as refused:
            raise AccessRefused("permission_denied", str(refused.detail)) from None


def _caller_of(text: str) -> Caller:
    try:
        return authenticate_key(text)
    except UnknownKey:
        raise AccessRefused.invalid_key() from None
    except MayNotAct as refused:
        raise AccessRefused("permission_denied", str(refused)) from None
