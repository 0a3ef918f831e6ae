from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema

from accounts.api.authentication import GoogleKeyAuthentication
from accounts.api.views import GatewayView


class Songs(GatewayView):
    words = {"GET": "generation.read"}

    @extend_schema(responses={200: str})
    def get(self, request: HttpRequest) -> None: ...


def test_schema_offers_either_header_or_the_session() -> None:
    schema: dict[str, Any] = SchemaGenerator(patterns=[path("v1/songs", Songs.as_view())]).get_schema(public=True)

    assert schema["paths"]["/v1/songs"]["get"]["security"] == [
        {"bearerKey": []},
        {"headerKey": []},
        {"portalSession": []},
    ]
    assert schema["components"]["securitySchemes"] == {
        "bearerKey": {"type": "http", "scheme": "bearer"},
        "headerKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
        "portalSession": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
    }


class Content(Songs):
    authentication_classes = (GoogleKeyAuthentication,)


def test_schema_offers_the_ways_of_googles_clients_where_they_are_taken() -> None:
    patterns = [path("v1/songs", Songs.as_view()), path("v1/content", Content.as_view())]
    schema: dict[str, Any] = SchemaGenerator(patterns=patterns).get_schema(public=True)

    ways = [next(iter(way)) for way in schema["paths"]["/v1/content"]["get"]["security"]]
    schemes = schema["components"]["securitySchemes"]
    assert ways == ["bearerKey", "headerKey", "googleKey", "queryKey"]
    assert [schemes[name] for name in ("googleKey", "queryKey")] == [
        {"type": "apiKey", "in": "header", "name": "x-goog-api-key"},
        {"type": "apiKey", "in": "query", "name": "key"},
    ]
    assert set(ways) <= set(schemes)
