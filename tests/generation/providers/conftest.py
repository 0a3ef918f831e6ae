from __future__ import annotations

import pytest

from generation.providers import http


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "FIRST_PAUSES_SECONDS", ())
    monkeypatch.setattr(http, "LONGEST_PAUSE_SECONDS", 0.001)
