"""Calls of a view without the rest of the project."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIRequestFactory

from accounts.api.views import GatewayView
from tests.accounts.api.probes import Probe

Call = Callable[..., Any]


@pytest.fixture
def probe() -> type[Probe]:
    Probe.seen.clear()
    return Probe


@pytest.fixture
def call(probe: type[Probe]) -> Call:
    """call("GET", authorization="Bearer …") of the probe."""

    def call(method: str, view: type[GatewayView] = probe, **headers: str) -> Any:
        named: dict[str, Any] = {name.replace("_", "-"): value for name, value in headers.items()}
        return view.as_view()(APIRequestFactory().generic(method, "/probe", headers=named))

    return call
