"""An order becomes a job: everything it needs is written in one transaction, or nothing is."""

from __future__ import annotations

import hashlib
import json
import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.caller import Caller
from billing.money import in_credits
from billing.services.hold import place_hold
from billing.services.post import InsufficientFunds
from catalog.models import LlmMapping
from generation import faults
from generation.contract import Order, Refusal
from generation.dispatch import send_run_on_commit
from generation.models import IdempotencyKey, Job
from generation.models.job import new_id
from generation.services.events import Entry, record
from generation.services.quote_text import quote_text
from generation.services.quoting import Offer, quote_order
from generation.services.routes import in_order
from generation.services.sources import keep_sources
from generation.states import JobState

BUSY_RETRY_SECONDS = 30
LONGEST_RETRY_SECONDS = 3600
HOLD_GRACE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Submitted:
    """The job that an order stands for; `is_replay` when the same order was given before."""

    job_id: uuid.UUID
    is_replay: bool


def submit(
    order: Order, *, caller: Caller, dialect: str, idempotency_key: str | None, body: Mapping[str, Any]
) -> Submitted:
    """Take an order. Raises Refusal, and then nothing was stored and no credit moved."""
    body_hash = canonical_hash(dialect, body)
    earlier = _earlier_order(caller, idempotency_key, body_hash)
    if earlier is not None:
        return earlier
    offer = quote_order(order, caller=caller) if order.text is None else quote_text(order, caller=caller)
    if caller.live:
        _refuse_when_closed(offer)
    ahead = _waiting_ahead()
    try:
        with transaction.atomic():
            keep_sources(offer.song, caller=caller)
            job = _store(order, offer, caller, dialect)
            _remember(job, caller, idempotency_key, body_hash)
            _hold(job, offer, caller)
            record(job.pk, Entry("queued", {"position": ahead + 1, "expected_seconds": offer.mapping.expected_seconds}))
            transaction.on_commit(lambda: faults.reach("submitted"))
            send_run_on_commit(job.pk)
    except IntegrityError:
        # Two equal orders at once: the other one was first, and this one joins it.
        joined = _earlier_order(caller, idempotency_key, body_hash)
        if joined is None:
            raise
        return joined
    return Submitted(job.pk, is_replay=False)


def _store(order: Order, offer: Offer, caller: Caller, dialect: str) -> Job:
    now, job_id = timezone.now(), new_id()
    return Job.objects.create(
        id=job_id,
        organization=caller.organization,
        api_key=caller.api_key,
        member=caller.member,
        live=caller.live,
        dialect=dialect,
        wire={**order.wire, "approximated": list(offer.approximated)},
        model=offer.model,
        mapping=offer.mapping,
        # A test key never reaches a paid upstream.
        upstream=offer.mapping.upstream if caller.live else None,
        routes=in_order(offer.routes, job_id=job_id),
        operation=offer.mapping.operation,
        request=(order.text or offer.song).as_json(),
        writer=offer.writer,
        quote=offer.quote.as_json(),
        state=JobState.QUEUED,
        created_at=now,
        run_after=now,
        sent_at=now,
        sent_count=1,
        deadline=now + timedelta(seconds=offer.mapping.deadline_seconds),
    )


def _remember(job: Job, caller: Caller, key: str | None, body_hash: str) -> None:
    """Keep what the caller's key stands for. Raises IntegrityError where it stands for another order already."""
    if key is not None:
        IdempotencyKey.objects.create(
            organization=caller.organization, live=caller.live, key=key, body_hash=body_hash, job=job
        )


def _hold(job: Job, offer: Offer, caller: Caller) -> None:
    amount = offer.quote.amount_micro
    try:
        place_hold(
            organization_id=caller.organization.pk,
            live=caller.live,
            reference=job.pk,
            amount_micro=amount,
            deadline=job.deadline + HOLD_GRACE,
            api_key_id=job.api_key_id,
            member_id=job.member_id,
            model=job.model,
        )
    except InsufficientFunds:
        raise Refusal(
            "insufficient_quota",
            f"This order needs {in_credits(amount)} credits, more than are available. Add credits and order again.",
        ) from None


def _waiting_ahead() -> int:
    """How many orders of the whole platform wait; refuses when that is as many as may."""
    ahead = Job.unscoped.filter(state=JobState.QUEUED).count()
    if ahead >= settings.TUTTI_QUEUE_LIMIT:
        raise Refusal("busy", "Too many songs are waiting already. Try again shortly.", retry_after=BUSY_RETRY_SECONDS)
    return ahead


def _refuse_when_closed(offer: Offer) -> None:
    """An order that no upstream would be asked for is not taken: the song needs one of its routes, and its writer."""
    now = timezone.now()
    needed = [offer.routes] if offer.writer is None else [offer.routes, (offer.writer,)]
    waits = [until for ways in needed if (until := _closed_until(ways, now)) is not None]
    if waits:
        pause = min(math.ceil((max(waits) - now).total_seconds()), LONGEST_RETRY_SECONDS)
        message = f"The upstream of {offer.model} fails at the moment. Nothing was charged; try again later."
        raise Refusal("busy", message, retry_after=pause)


def _closed_until(ways: Sequence[LlmMapping], now: datetime) -> datetime | None:
    """When the first of these upstreams may be asked again; None while one of them is open to orders."""
    closed = [until for way in ways if (until := way.upstream.closed_until(now)) is not None]
    return min(closed) if len(closed) == len(ways) else None


def _earlier_order(caller: Caller, key: str | None, body_hash: str) -> Submitted | None:
    if key is None:
        return None
    row = IdempotencyKey.objects.filter(organization=caller.organization, live=caller.live, key=key).first()
    if row is None:
        return None
    if row.body_hash != body_hash:
        raise Refusal("idempotency_conflict", "This idempotency key was used for another order. Use a new key.")
    return Submitted(row.job_id, is_replay=True)


def canonical_hash(dialect: str, body: Mapping[str, Any]) -> str:
    """What tells one order from another under the same key. Raises Refusal for a body that is none."""
    try:
        canonical = json.dumps([dialect, body], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except RecursionError:
        raise Refusal("malformed_json", "The body is nested too deeply.") from None
    return hashlib.sha256(canonical.encode(errors="surrogatepass")).hexdigest()
