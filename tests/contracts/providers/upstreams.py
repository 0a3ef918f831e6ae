"""A stand-in behind the model on sale, and what came of an order that went there."""

from __future__ import annotations

from typing import Any

from django.core.files.storage import default_storage

from billing.services.books import check_books
from billing.services.credits import balance_of
from generation.models import Job, Track
from tests.contracts.providers.conftest import Standin
from tests.generation.worlds import SONG_PRICE, World
from tests.scenarios.servers import free_port

CREDENTIAL = "sk-key-of-the-house"
LYRICS = "[Verse]\nla la"


def at_upstream(
    house: World,
    standin: Standin | None,
    scene: str,
    *,
    provider: str,
    shape: str = "",
    endpoint: str = "",
    **options: Any,
) -> None:
    """Put the stand-in behind the model on sale; None: a provider that calls nobody."""
    upstream, mapping = house.mapping.upstream, house.mapping
    upstream.provider, upstream.credential = provider, CREDENTIAL
    if standin is not None:
        standin.play(scene, shape=shape, **options)
        upstream.base_url = standin.url
    if scene == "not_reached":
        upstream.base_url = f"http://127.0.0.1:{free_port()}"
    upstream.save()
    mapping.upstream_shape, mapping.upstream_endpoint, mapping.poll_seconds = shape, endpoint, 0.02
    mapping.save()


def song_of(job: Job) -> Track:
    return Track.unscoped.get(job=job)


def audio_of(job: Job) -> bytes:
    with default_storage.open(song_of(job).file) as file:
        return bytes(file.read())


def assert_paid(house: World, job: Job, takes: int) -> None:
    """The customer paid for these takes, and not a credit is still held."""
    assert job.charged_micro == takes * SONG_PRICE
    wallet = balance_of(house.customer.pk, live=True)
    assert (wallet.available_micro, wallet.held_micro) == ((10 - takes) * SONG_PRICE, 0)
    assert check_books() == []
