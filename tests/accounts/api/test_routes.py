from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.core.checks import run_checks
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views import View
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from accounts.api.routes import routes
from accounts.api.views import GatewayView
from accounts.permissions import PUBLIC


class Songs(GatewayView):
    words = {"GET": "generation.read", "POST": "generation.create"}

    def get(self, request: HttpRequest) -> None: ...

    def post(self, request: HttpRequest) -> None: ...


class Health(GatewayView):
    words = {"GET": PUBLIC}

    def get(self, request: HttpRequest) -> None: ...


def waiting(view: Any) -> Any:
    async def wait(request: HttpRequest, *args: Any, **kwargs: Any) -> None: ...

    marked: Any = wait
    marked.cls = view.cls
    return marked


def view_of(name: str, base: type[View], **body: Any) -> Any:
    """What a class written with these attributes is served by."""
    written: type[View] = type(name, (base,), body)
    return written.as_view()


@pytest.fixture
def serve(settings: Any) -> Callable[..., None]:
    def serve(*patterns: Any) -> None:
        settings.ROOT_URLCONF = type("Urls", (), {"urlpatterns": list(patterns)})

    return serve


def complaints() -> list[str]:
    return [error.msg for error in run_checks() if error.id == "accounts.E001"]


def printed() -> str:
    out = io.StringIO()
    call_command("permissions", stdout=out)
    return out.getvalue()


def test_routes_read_as_paths(serve: Callable[..., None]) -> None:
    serve(
        path("", Health.as_view()),
        re_path(r"^healthz/?$", Health.as_view()),
        path(
            "v1/",
            include([path("songs/<uuid:id>", Songs.as_view()), re_path(r"^s/(?P<slug>[-\w]+)/?$", Songs.as_view())]),
        ),
    )

    assert [route.path for route in routes()] == ["/", "/healthz", "/v1/songs/{id}", "/v1/s/{slug}"]


def test_permissions_are_printed_sorted_one_line_per_route_and_method(serve: Callable[..., None]) -> None:
    serve(
        path("v1/songs", waiting(Songs.as_view())),
        path("v1/songs/", waiting(Songs.as_view())),
        path("healthz", Health.as_view()),
    )

    assert printed() == (
        "/healthz   GET     public\n"
        "/v1/songs  GET     generation.read\n"
        "/v1/songs  POST    generation.create\n"
    )  # fmt: skip


def test_permissions_show_a_method_without_a_word(serve: Callable[..., None]) -> None:
    serve(path("x", view_of("Forgetful", Songs, words={"GET": "generation.read"})))

    assert printed() == "/x  GET     generation.read\n/x  POST    -\n"


def test_declared_routes_pass_the_check(serve: Callable[..., None]) -> None:
    serve(path("songs", Songs.as_view()), path("waiting", waiting(Songs.as_view())), path("healthz", Health.as_view()))

    assert complaints() == []


def test_method_without_a_word_fails_the_check(serve: Callable[..., None]) -> None:
    class Forgetful(Songs):
        words = {"GET": "generation.read"}

        def delete(self, request: HttpRequest) -> None: ...

    serve(path("songs", waiting(Forgetful.as_view())))

    assert complaints() == [
        "/songs declares no permission word for POST (Forgetful)",
        "/songs declares no permission word for DELETE (Forgetful)",
    ]


@pytest.mark.parametrize(
    "view",
    [
        lambda request: HttpResponse(),
        View.as_view(),
        view_of("Bare", APIView, words={"GET": PUBLIC}, get=Health.get),
    ],
    ids=["function", "plain class", "other DRF view"],
)
def test_other_views_fail_the_check(serve: Callable[..., None], view: Callable[..., Any]) -> None:
    serve(path("v1/", include([path("stray", view)])))

    assert complaints() == ["/v1/stray is no GatewayView, so nobody asks who may call it"]


def test_view_without_the_permission_class_fails_the_check(serve: Callable[..., None]) -> None:
    serve(path("songs", view_of("Lenient", Songs, permission_classes=(AllowAny,))))

    assert complaints() == ["/songs is answered by Lenient, which left out the permission class"]


def test_other_admin_sites_fail_the_check(serve: Callable[..., None]) -> None:
    serve(path("back/", AdminSite().urls))

    assert "/back is no GatewayView, so nobody asks who may call it" in complaints()


def test_routes_of_the_admin_are_printed_with_the_word_that_enters(serve: Callable[..., None]) -> None:
    serve(path("admin", admin.site.admin_view(admin.site.index)))

    assert printed() == "/admin  GET     admin.enter\n/admin  POST    admin.enter\n"
    assert complaints() == []


def test_routes_of_the_project_pass_the_check() -> None:
    assert complaints() == []
