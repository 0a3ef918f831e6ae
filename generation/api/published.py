"""The published schema (OpenAPI 3.1) and its viewer."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, Final

import yaml
from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularSwaggerView
from rest_framework.request import Request

from accounts.api.views import GatewayView
from accounts.permissions import PUBLIC
from generation.api import shapes
from generation.api.base import MusicView, OneForm
from generation.api.components import COMPONENTS
from generation.api.file_shapes import FILE_COMPONENTS
from generation.api.lyria_components import LYRIA_COMPONENTS
from generation.api.lyrics_shapes import LYRICS_COMPONENTS
from generation.api.minimax_components import MINIMAX_COMPONENTS
from generation.api.mureka_components import MUREKA_COMPONENTS
from generation.api.musicgen_components import MUSICGEN_COMPONENTS

SERVED: Final = ("/v1/", "/api/v1/", "/v1beta/", "/v1beta1/", "/{endpoint}/", "/healthz", "/schema", "/docs")
BODIES: Final = {
    name: component
    for components in (
        *(COMPONENTS, MINIMAX_COMPONENTS, LYRIA_COMPONENTS, MUREKA_COMPONENTS, MUSICGEN_COMPONENTS),
        *(LYRICS_COMPONENTS, FILE_COMPONENTS),
    )
    for name, component in components.items()
}
Endpoint = tuple[str, str, str, Callable[..., Any]]


class Schema(MusicView):
    words = {"GET": PUBLIC}

    @shapes.read_schema
    def get(self, request: Request) -> HttpResponse:
        """JSON, which YAML readers read too; `?as=yaml` for eyes."""
        if request.query_params.get("as") == "yaml":
            return HttpResponse(as_yaml(schema()), content_type="application/vnd.oai.openapi")
        return HttpResponse(json.dumps(schema()), content_type="application/vnd.oai.openapi+json")


class Docs(GatewayView, SpectacularSwaggerView):
    """The viewer; its assets come from this server."""

    words = {"GET": PUBLIC}
    content_negotiation_class = OneForm
    url = "/schema"

    @shapes.read_docs
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


@functools.cache
def schema() -> dict[str, Any]:
    """The whole schema. Routes do not change while a process lives."""
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-any-return]


def as_yaml(document: dict[str, Any]) -> str:
    return yaml.dump(document, Dumper=_EachInFull, sort_keys=False, allow_unicode=True, width=120)


class _EachInFull(yaml.SafeDumper):
    """What occurs twice is written twice: an alias is no help to a reader."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def only_the_api(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Of what is served, the routes of the API, once each: with a slash at its end a route is the same route."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(SERVED) and not endpoint[0].endswith("/")]


def with_components(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the bodies written by hand."""
    components = result.setdefault("components", {})
    components["schemas"] = dict(sorted({**components.get("schemas", {}), **BODIES}.items()))
    return result
