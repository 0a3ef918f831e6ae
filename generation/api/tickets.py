from __future__ import annotations

from django.http import HttpResponse
from rest_framework.request import Request

from generation.api import shapes
from generation.api.answers import answer
from generation.api.base import MusicView
from generation.contract import Reply
from generation.services.tickets import issue_ticket


class Tickets(MusicView):
    """A ticket opens one WebSocket: browsers cannot send a key with one."""

    words = {"POST": "generation.read"}

    @shapes.issue_ticket
    def post(self, request: Request) -> HttpResponse:
        text, ends = issue_ticket(caller=self.caller)
        body = {"object": "ws_ticket", "ticket": text, "expires_at": int(ends.timestamp())}
        return answer(Reply(status=200, body=body, headers={"Cache-Control": "no-store"}))
