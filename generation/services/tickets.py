"""Tickets for WebSockets: made for a caller who is signed in, taken once."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from accounts.caller import Caller
from accounts.services.rights import callers_now
from generation.models import SocketTicket

TICKET_LIFE: Final = timedelta(seconds=60)
_PREFIX: Final = "wst_"


class UnknownTicket(Exception):
    """Never issued, used already, ended, or whoever it was issued to may not act any more."""


def issue_ticket(*, caller: Caller) -> tuple[str, datetime]:
    """A ticket's text, readable only now, and the moment it ends."""
    now = timezone.now()
    SocketTicket.objects.filter(expires_at__lt=now).delete()
    text = _PREFIX + secrets.token_urlsafe(32)
    ticket = SocketTicket.objects.create(
        organization=caller.organization,
        secret_hash=_hash(text),
        api_key=caller.api_key,
        member=caller.member,
        live=caller.live,
        expires_at=now + TICKET_LIFE,
    )
    return text, ticket.expires_at


def take_ticket(text: str) -> Caller:
    """The caller a ticket was made for, with the rights held now. Of two takers at once one gets it.

    Raises UnknownTicket.
    """
    # Whose scope to enter is what the ticket tells.
    rows = SocketTicket.unscoped.filter(secret_hash=_hash(text), expires_at__gt=timezone.now())
    ticket = rows.select_related("organization", "api_key", "member").first()
    if ticket is None or not rows.filter(pk=ticket.pk).delete()[0]:
        raise UnknownTicket
    issued_to = Caller(
        organization=ticket.organization,
        member=ticket.member,
        api_key=ticket.api_key,
        live=ticket.live,
        words=frozenset(),
    )
    caller = callers_now([issued_to])[0]
    if caller is None:
        raise UnknownTicket
    return caller


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()
