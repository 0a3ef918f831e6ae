from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import AsyncClient
from django.urls import resolve
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from accounts.api.routes import routes
from generation.api.published import BODIES, SERVED, as_yaml, schema
from tests.generation.shops import ORDER, SONGS, Shop

KEPT = Path(__file__).parents[3] / "docs" / "openapi.yaml"
MEND = "the published schema has changed: look at it, then keep it with `python manage.py openapi`"


def test_the_schema_is_valid() -> None:
    validate(schema())


def test_the_schema_is_the_one_that_is_kept() -> None:
    assert KEPT.read_text() == as_yaml(schema()), MEND


def test_every_route_of_the_api_is_in_the_schema() -> None:
    served = {route.path for route in routes() if f"{route.path}/".startswith(tuple(f"{path}" for path in SERVED))}

    assert set(schema()["paths"]) == served


def test_every_method_of_a_route_is_in_the_schema() -> None:
    described = {(path, method.upper()) for path, methods in schema()["paths"].items() for method in methods}
    served = {(route.path, method) for route in routes() if route.path in schema()["paths"] for method in route.words}

    assert described == served


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(schema())
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}

    assert used == set(BODIES)


def test_an_awaited_view_is_read_by_the_schema_as_its_class() -> None:
    view: Any = resolve(SONGS).func

    assert (view.cls.__name__, view.csrf_exempt, hasattr(view, "actions")) == ("Generations", True, False)


def test_routes_that_need_a_key_say_so() -> None:
    open_to_all = {
        path
        for path, methods in schema()["paths"].items()
        for operation in methods.values()
        if not operation.get("security")
    }

    assert open_to_all == {
        "/docs",
        "/healthz",
        "/schema",
        "/v1/audio/{token}/{file_name}",
        "/v1/audio/stream/{token}/{file_name}",
    }


async def test_the_schema_is_served_to_anyone() -> None:
    as_json = await AsyncClient().get("/schema")
    in_yaml = await AsyncClient().get("/schema?as=yaml")

    assert as_json.headers["content-type"] == "application/vnd.oai.openapi+json"
    assert json.loads(as_json.content) == yaml.safe_load(in_yaml.content) == schema()


async def test_the_viewer_loads_nothing_from_elsewhere() -> None:
    page = await AsyncClient().get("/docs")
    html = page.content.decode()

    assert page.status_code == 200
    assert "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in html
    assert "https://" not in html


@pytest.mark.parametrize("path", ["/schema/", "/docs/", "/healthz", "/healthz/"])
async def test_public_pages_are_served_with_a_slash_too(path: str) -> None:
    assert (await AsyncClient().get(path)).status_code == 200


async def test_what_is_answered_fits_the_schema(shop: Shop) -> None:
    def fits(name: str, body: object) -> None:
        whole = {"$ref": f"#/components/schemas/{name}", "components": schema()["components"]}
        Draft202012Validator(whole).validate(body)

    queued = await shop.ordered()
    done = await shop.finished(await shop.ordered(n=2))
    for job in (queued, done):
        fits("Song", (await shop.get(f"{SONGS}/{job.pk}")).json())
    fits("SongList", (await shop.get(SONGS)).json())
    fits("Order", ORDER)
    fits("Quote", (await shop.post("/v1/music/quotes", ORDER)).json())
    fits("ModelList", (await shop.get("/v1/models")).json())
    fits("Model", (await shop.get("/v1/models/test-song")).json())
    fits("CatelogList", (await shop.get("/v1/models/catelog")).json())
    fits("PriceProgramList", (await shop.get("/v1/pricing")).json())
    fits("Task", (await shop.get(f"/v1/tasks?taskid={done.pk}")).json())
    fits("Task", (await shop.get("/v1/tasks")).json())
    fits("Ticket", (await shop.post("/v1/ws_tickets")).json())
    fits("Error", (await shop.post(body={})).json())
    fits("Health", (await shop.get("/healthz")).json())
