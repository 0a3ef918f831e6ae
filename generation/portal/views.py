"""The pages people see: what this is, and their songs."""

from __future__ import annotations

from typing import Final

from django.http import HttpResponseRedirect
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import PUBLIC
from accounts.portal.pages import PortalView, django_request
from billing.money import in_credits
from billing.services.credits import balance_of
from generation.portal.songs import latest_songs

SONGS_SHOWN: Final = 50


class FrontDoor(PortalView):
    words = {"GET": PUBLIC}

    def get(self, request: Request) -> Response | HttpResponseRedirect:
        if django_request(request).user.is_authenticated:
            return HttpResponseRedirect(reverse("songs"))
        return Response({}, template_name="generation/front_door.html")


class Songs(PortalView):
    words = {"GET": "generation.read"}

    def get(self, request: Request) -> Response:
        page = {
            "organization": self.caller.organization.name,
            "balance": self._balance(),
            "songs": latest_songs(limit=SONGS_SHOWN),
            "order_url": django_request(request).build_absolute_uri("/v1/music/generations"),
        }
        return Response(page, template_name="generation/songs.html")

    def _balance(self) -> dict[str, str] | None:
        """Credits for reading; None for roles that see songs but not money."""
        if not self.caller.may("credits.read"):
            return None
        balance = balance_of(self.caller.organization.pk, self.caller.live)
        return {"available": in_credits(balance.available_micro), "held": in_credits(balance.held_micro)}
