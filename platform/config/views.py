from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.views import GatewayView
from accounts.permissions import PUBLIC
from generation.api import shapes


class Health(GatewayView):
    """Answers as soon as the server takes requests; asks nothing of the database or of upstreams."""

    words = {"GET": PUBLIC}

    @shapes.check_health
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})
