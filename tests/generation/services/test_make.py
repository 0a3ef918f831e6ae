from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from generation.contract import Delivery, Piece, RawTake, SongRequest
from generation.providers import registry
from generation.providers.base import Line, ProviderError, UpstreamAccess
from generation.services.claim import Work
from generation.services.make import DeadlinePassed, make
from tests.generation.worlds import World, claimed, submitted


class Scripted:
    """A provider that does what it is told."""

    slug = "scripted"
    repeatable = False

    def __init__(self, act: Callable[[], Delivery]) -> None:
        self._act = act

    async def make(self, song: SongRequest, upstream: UpstreamAccess, line: Line) -> Delivery:
        return self._act()


class Silent:
    async def progress(self, percent: float, phase: str) -> None: ...
    async def lyrics(self, text: str) -> None: ...
    async def audio(self, piece: Piece) -> None: ...

    async def ticket(self, upstream_id: str) -> None: ...


@pytest.fixture
def work(world: World) -> Work:
    return replace(claimed(submitted(world)), provider="scripted")


async def made_by(act: Callable[[], Delivery], work: Work, monkeypatch: pytest.MonkeyPatch) -> Delivery:
    registry.provider_named.cache_clear()
    monkeypatch.setitem(registry._PROVIDERS, "scripted", lambda: Scripted(act))
    return await make(work, Silent())


def raising(error: Exception) -> Callable[[], Delivery]:
    def act() -> Delivery:
        raise error

    return act


async def test_delivery_of_a_provider_is_handed_on(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = Delivery(takes=(RawTake(audio=b"a song"),))

    assert await made_by(lambda: delivery, work, monkeypatch) == delivery


async def test_answer_that_claims_a_song_and_has_no_audio_is_never_ordered_again(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ProviderError) as failed:
        await made_by(lambda: Delivery(takes=(RawTake(audio=b""),)), work, monkeypatch)

    assert (failed.value.code, failed.value.seen, failed.value.retryable) == ("upstream_error", "unknown", False)


async def test_provider_that_breaks_leaves_the_fate_of_the_song_unknown(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ProviderError) as failed:
        await made_by(raising(ZeroDivisionError()), work, monkeypatch)

    assert (failed.value.code, failed.value.seen, failed.value.retryable) == ("internal_error", "unknown", False)


async def test_timeout_of_the_provider_itself_is_not_the_jobs_deadline(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ProviderError) as failed:
        await made_by(raising(TimeoutError()), work, monkeypatch)

    assert failed.value.seen == "unknown"


async def test_deadline_that_has_passed_ends_the_call(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    late = replace(work, provider="rehearsal", deadline=timezone.now() - timedelta(seconds=1))

    with pytest.raises(DeadlinePassed):
        await make(late, Silent())
