from __future__ import annotations

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware
from pytest_django import Settings

from config.checks import middleware_is_async, requests_are_not_transactions

GetResponse = Callable[[HttpRequest], HttpResponse]


class SyncOnly:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response


def sync_only(get_response: GetResponse) -> GetResponse:
    return get_response


@sync_and_async_middleware
def both_ways(get_response: GetResponse) -> GetResponse:
    return get_response


def test_the_projects_own_middleware_is_async() -> None:
    assert middleware_is_async() == []


def test_sync_only_class_is_refused_with_the_reason(settings: Settings) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.SyncOnly"]

    (error,) = middleware_is_async()

    assert error.id == "tutti.E001"
    assert error.msg == f"{__name__}.SyncOnly is sync-only: every waiting request would hold a thread while it waits."


def test_sync_only_function_is_refused(settings: Settings) -> None:
    settings.MIDDLEWARE = [f"{__name__}.sync_only", f"{__name__}.both_ways"]

    assert [error.id for error in middleware_is_async()] == ["tutti.E001"]


def test_whitenoise_as_it_comes_is_refused(settings: Settings) -> None:
    settings.MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware"]

    assert [error.id for error in middleware_is_async()] == ["tutti.E001"]


def test_atomic_requests_are_refused(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ATOMIC_REQUESTS", True)

    (error,) = requests_are_not_transactions()

    assert error.id == "tutti.E002"
    assert "'default'" in error.msg
