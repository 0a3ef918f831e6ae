"""A seller with a model on rehearsal, a customer with credits, and the ways to move a job by hand."""

from __future__ import annotations

import io
import uuid
import wave
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import Membership, Organization, Role, User
from accounts.permissions import words_of
from billing.money import micro
from billing.services.credits import top_up
from catalog.models import Llm, LlmCatalog, LlmMapping, LlmStatus, Price, PriceProgram, Unit, Upstream
from generation.contract import Delivery, Order, RawTake, SongRequest
from generation.models import Job, Runner, Upload
from generation.services.claim import Work, claim
from generation.services.finish import finish
from generation.services.receive import receive, store_raw
from generation.services.submit import submit

SONG_PRICE = micro("2.50")
SONG_COST = micro("1.00")


def wav(seconds: float = 1.0, *, channels: int = 2, loudness: float = 0.3) -> bytes:
    """A WAV of a sine, a different pitch in each channel."""
    moments = np.arange(int(seconds * 44_100)) / 44_100
    sines = [loudness * np.sin(2 * np.pi * 220 * (1 + channel) * moments) for channel in range(channels)]
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes((np.stack(sines, axis=1) * 32_767).astype("<i2").tobytes())
    return target.getvalue()


def silence(seconds: float = 1.0) -> bytes:
    return wav(seconds, loudness=0.0)


@dataclass
class World:
    """Who is in a test: the seller, the provider it buys from, a customer with a member, and what is on offer."""

    seller: Organization
    provider: Organization
    customer: Organization
    caller: Caller
    mapping: LlmMapping


def caller_of(organization: Organization, *, role: str = Role.OWNER, live: bool = True) -> Caller:
    user = User.objects.create_user(f"{uuid.uuid4().hex[:12]}@example.org")
    member = Membership.unscoped.create(organization=organization, user=user, role=role)
    return Caller(organization=organization, member=member, api_key=None, live=live, words=words_of(role))


def program(owner: Organization, slug: str, amount_micro: int) -> PriceProgram:
    row = PriceProgram.objects.create(owner=owner, slug=slug, name=slug)
    Price.objects.create(
        program=row, unit=Unit.SONG, amount_micro=amount_micro, valid_from=timezone.now() - timedelta(days=1)
    )
    return row


def make_world(credits_for_songs: int = 10) -> World:
    seller = Organization.objects.create(name="Seller", slug="seller", is_platform=True)
    provider = Organization.objects.create(name="Studio", slug="studio", is_provider=True, is_customer=False)
    customer = Organization.objects.create(name="Customer", slug="customer", parent=seller)
    upstream = Upstream.unscoped.create(organization=seller, slug="stage", name="Stage", provider="rehearsal")
    catalog = LlmCatalog.objects.create(id="music_gen", name="Music generation")
    llm = Llm.objects.create(
        owner=seller,
        provider=provider,
        public_name="test-song",
        upstream_model="test-song-1",
        status=LlmStatus.PUBLISHED,
        capabilities={"lyrics": "optional", "instrumental": "exact", "duration": "exact", "seed": True},
        limits={"prompt": [1, 100], "lyrics": [1, 300], "takes_max": 3},
    )
    mapping = LlmMapping.objects.create(
        llm=llm,
        catalog=catalog,
        upstream=upstream,
        sale_prices=program(seller, "test-song", SONG_PRICE),
        cost_prices=program(provider, "test-song-cost", SONG_COST),
    )
    if credits_for_songs:
        top_up(
            organization_id=customer.pk,
            live=True,
            amount_micro=credits_for_songs * SONG_PRICE,
            key=f"grant:{uuid.uuid4()}",
            reason="test",
        )
    return World(seller, provider, customer, caller_of(customer), mapping)


def order(
    prompt: str = "a quiet song",
    *,
    model: str = "test-song",
    catalog: str = "music_gen",
    endpoint: str | None = None,
    **song,
) -> Order:
    return Order(song=SongRequest(prompt=prompt, **song), model=model, catalog=catalog, endpoint=endpoint)


def submitted(world: World, *, key: str | None = None, caller: Caller | None = None, **song) -> Job:
    """A job as an order leaves it."""
    given = order(**song)
    result = submit(
        given, caller=caller or world.caller, dialect="openai_music", idempotency_key=key, body=given.song.as_json()
    )
    return Job.unscoped.get(pk=result.job_id)


LEASE = timedelta(minutes=1)


def new_runner(*, lease: timedelta = LEASE) -> Runner:
    now = timezone.now()
    return Runner.objects.create(host="here", process=1, slots=10, lease_until=now + lease, started_at=now)


def claimed(job: Job, runner: Runner | None = None) -> Work:
    """The job in a runner's hand."""
    work = claim(job.pk, runner_id=(runner or new_runner()).pk)
    assert work is not None
    return work


def received(job: Job, *takes: bytes, runner: Runner | None = None) -> Work:
    """The job with its upstream's answer kept raw."""
    work = claimed(job, runner)
    raw = store_raw(work, Delivery(takes=tuple(RawTake(audio=take) for take in takes or (wav(),))))
    assert receive(work, raw, lyrics=None)
    return work


def finished(job: Job, *takes: bytes) -> Job:
    """The job after its audio step."""
    work = received(job, *takes)
    finish(work.token)
    return Job.unscoped.get(pk=job.pk)


def upload(caller: Caller, purpose: str, *, live: bool = True, duration_ms: int = 30_000) -> Upload:
    """A file that the caller has uploaded."""
    return Upload.unscoped.create(
        organization=caller.organization,
        live=live,
        purpose=purpose,
        file_name="song.mp3",
        size=9,
        format="m4a",
        duration_ms=duration_ms,
        file=default_storage.save("uploads/x.m4a", ContentFile(b"made anew")),
        sha256="0" * 64,
        created_at=timezone.now(),
    )


def log_of(job: Job) -> list[str]:
    """The types of a job's events in their order."""
    return list(job.events.order_by("seq").values_list("type", flat=True))
