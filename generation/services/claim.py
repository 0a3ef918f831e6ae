"""A runner takes a job: one conditional UPDATE decides who has it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from generation import faults
from generation.contract import LyricsRequest, SongRequest
from generation.models import Attempt, Job, Track
from generation.providers.base import UpstreamAccess
from generation.services.events import Entry, record
from generation.services.missing import missing_takes
from generation.services.parking import park
from generation.services.routes import NoWay, Way, find_way
from generation.services.writers import Writing, with_written, writing_of
from generation.states import AttemptState, JobState
from ground.outbound import OUTBOUND

REHEARSAL = "rehearsal"
HIGHEST_SEED = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One attempt in hand. `token` fences it: whoever has taken the job over has another."""

    job_id: uuid.UUID
    token: uuid.UUID
    attempt_id: int
    number: int
    provider: str
    access: UpstreamAccess
    song: SongRequest
    takes: tuple[int, ...]
    """Which takes this attempt makes: those that no earlier one delivered, or ordered in vain."""
    deadline: datetime
    is_received: bool
    """The upstream has answered in an earlier attempt; it is not called again."""
    mapping_id: int
    """The route it takes."""
    upstream_id: int | None
    is_on_trial: bool
    """Its end decides whether the upstream's circuit closes."""
    tickets: tuple[str, ...] | None
    """The upstream's ids of what an earlier attempt ordered, which this one brings; None: it orders itself."""
    text: LyricsRequest | None = None
    """What is to be written, where a text alone was ordered."""
    writing: Writing | None = None
    """Who writes the lyrics of the song before it is made; None once they are written."""


def claim(job_id: uuid.UUID, *, runner_id: uuid.UUID) -> Work | None:
    """Take a waiting job; None when another has it, it is not yet due, it has ended, or it has no way to go now."""
    now, token = timezone.now(), uuid.uuid4()
    due = Job.unscoped.waiting_at(now).filter(pk=job_id, deadline__gt=now)
    with transaction.atomic():
        job = due.select_for_update(skip_locked=True, of=("self",)).first()
        if job is None:
            return None
        earlier = _earlier_attempt(job)
        way = find_way(job, token=token, now=now) if earlier is None else _way_of(job, earlier)
        if isinstance(way, NoWay):
            park(job, way, now)
            return None
        started_at = Coalesce("started_at", now)
        if not due.update(**_taken(way), token=token, runner=runner_id, started_at=started_at):
            return None
        job.attempt += 1
        attempt = _begin_attempt(job, way, token, now, earlier)
        record(job.pk, Entry("started", {"attempt": attempt.number, "model": job.model}))
    faults.reach("claimed")
    return _with_texts(_work(job, attempt, way, earlier), job)


def _taken(way: Way) -> dict[str, Any]:
    return {"state": JobState.RUNNING, "attempt": F("attempt") + 1, "upstream": way.upstream, "parked_at": None}


def _earlier_attempt(job: Job) -> Attempt | None:
    """The one whose work this one takes up: its answer was kept, or its upstream can be asked for what it ordered."""
    if job.attempt == 0:
        return None
    unfinished = Attempt.unscoped.filter(job=job, state__in=(AttemptState.RECEIVED, AttemptState.SUBMITTING))
    return unfinished.select_related("mapping__llm", "upstream").last()


def _way_of(job: Job, earlier: Attempt) -> Way:
    """What was ordered is brought from where it was ordered."""
    return Way(earlier.mapping or job.mapping, earlier.upstream)


def _begin_attempt(job: Job, way: Way, token: uuid.UUID, now: datetime, earlier: Attempt | None) -> Attempt:
    """Write the attempt before any upstream hears of it; keep what an earlier one received, or ordered."""
    attempt = Attempt(
        organization_id=job.organization_id,
        job=job,
        number=job.attempt,
        token=token,
        mapping=way.mapping,
        upstream=way.upstream,
        started_at=now,
    )
    if earlier is not None:
        attempt.state, attempt.raw, attempt.received_at = earlier.state, earlier.raw, earlier.received_at
        attempt.reference, attempt.tickets = earlier.reference, earlier.tickets
        earlier.state, earlier.ended_at = AttemptState.LOST, now
        earlier.save(update_fields=["state", "ended_at"])
    attempt.save(force_insert=True)
    return attempt


def _takes_to_make(job: Job) -> tuple[int, ...]:
    """Those not delivered yet. One that went missing is not ordered again: the upstream may have made it."""
    over = {*Track.unscoped.filter(job=job).values_list("take", flat=True), *missing_takes(job)}
    return tuple(take for take in range(job.song.takes) if take not in over)


def _song_of(job: Job, takes: tuple[int, ...]) -> SongRequest:
    """The order for these takes; with a seed of their own, or the first take would come again."""
    if not takes or takes[0] == 0:
        return replace(job.song, takes=len(takes))
    base = job.song.seed if job.song.seed is not None else job.pk.int
    return replace(job.song, takes=len(takes), seed=(base + takes[0]) % HIGHEST_SEED)


def _work(job: Job, attempt: Attempt, way: Way, earlier: Attempt | None) -> Work:
    upstream, mapping, now = way.upstream, way.mapping, timezone.now()
    is_resumed = earlier is not None and attempt.state == AttemptState.SUBMITTING
    takes = tuple(range(job.song.takes)) if attempt.number == 1 else _takes_to_make(job)
    return Work(
        job_id=job.pk,
        token=attempt.token,
        attempt_id=attempt.pk,
        number=attempt.number,
        provider=upstream.provider if upstream else REHEARSAL,
        access=UpstreamAccess(
            base_url=upstream.base_url if upstream else "",
            credential=upstream.credential if upstream else "",
            model=mapping.llm.upstream_model,
            endpoint=mapping.upstream_endpoint,
            shape=mapping.upstream_shape,
            connect_seconds=upstream.connect_seconds if upstream else 10,
            deadline_seconds=_seconds_left(job, upstream.deadline_seconds if upstream else 900, now),
            poll_seconds=mapping.poll_seconds,
            reference=str(attempt.reference),
            http=OUTBOUND,
        ),
        song=_song_of(job, takes),
        takes=takes,
        deadline=job.deadline,
        is_received=attempt.state == AttemptState.RECEIVED,
        mapping_id=mapping.pk,
        upstream_id=upstream.pk if upstream else None,
        is_on_trial=way.is_on_trial,
        tickets=tuple(attempt.tickets) if is_resumed else None,
    )


def _with_texts(work: Work, job: Job) -> Work:
    """What is to be written in this attempt, and what an earlier one had written."""
    writing = writing_of(job, work.provider, work.access)
    return replace(work, song=with_written(job, work.song), text=job.text, writing=writing)


def _seconds_left(job: Job, at_most: float, now: datetime) -> float:
    """How long an upstream may take: its own limit, inside the job's deadline."""
    return min(at_most, (job.deadline - now).total_seconds())
