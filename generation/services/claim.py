"""A runner takes a job: one conditional UPDATE decides who has it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from generation import faults
from generation.contract import LyricsRequest, SongRequest
from generation.models import Attempt, Job, Track
from generation.providers.base import UpstreamAccess
from generation.services.events import Entry, record
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
    """Which takes this attempt makes: those that no earlier one delivered."""
    deadline: datetime
    is_received: bool
    """The upstream has answered in an earlier attempt; it is not called again."""
    text: LyricsRequest | None = None
    """What is to be written, where a text alone was ordered."""
    writing: Writing | None = None
    """Who writes the lyrics of the song before it is made; None once they are written."""


def claim(job_id: uuid.UUID, *, runner_id: uuid.UUID) -> Work | None:
    """Take a waiting job; None when another has it, it is not yet due, or it has ended."""
    now, token = timezone.now(), uuid.uuid4()
    with transaction.atomic():
        is_mine = (
            Job.unscoped.waiting_at(now)
            .filter(pk=job_id, deadline__gt=now)
            .update(
                state=JobState.RUNNING,
                attempt=F("attempt") + 1,
                token=token,
                runner=runner_id,
                started_at=Coalesce("started_at", now),
            )
        )
        if not is_mine:
            return None
        job = Job.unscoped.select_related("mapping__llm", "upstream", "writer__llm", "writer__upstream").get(pk=job_id)
        attempt = _begin_attempt(job, token, now)
        record(job.pk, Entry("started", {"attempt": attempt.number, "model": job.model}))
    faults.reach("claimed")
    return _with_texts(_work(job, attempt), job)


def _begin_attempt(job: Job, token: uuid.UUID, now: datetime) -> Attempt:
    """Write the attempt before any upstream hears of it; keep what an earlier one received."""
    earlier = Attempt.unscoped.filter(job=job, state=AttemptState.RECEIVED).last()
    attempt = Attempt(
        organization_id=job.organization_id,
        job=job,
        number=job.attempt,
        token=token,
        upstream_id=job.upstream_id,
        started_at=now,
    )
    if earlier is not None:
        attempt.state, attempt.raw, attempt.received_at = AttemptState.RECEIVED, earlier.raw, earlier.received_at
        earlier.state, earlier.ended_at = AttemptState.LOST, now
        earlier.save(update_fields=["state", "ended_at"])
    attempt.save(force_insert=True)
    return attempt


def _song_of(job: Job, missing: tuple[int, ...]) -> SongRequest:
    """The order for the takes that are missing; with a seed of their own, or the first take would come again."""
    if not missing or missing[0] == 0:
        return replace(job.song, takes=len(missing))
    base = job.song.seed if job.song.seed is not None else job.pk.int
    return replace(job.song, takes=len(missing), seed=(base + missing[0]) % HIGHEST_SEED)


def _work(job: Job, attempt: Attempt) -> Work:
    upstream, mapping, now = job.upstream, job.mapping, timezone.now()
    delivered = set(Track.unscoped.filter(job=job).values_list("take", flat=True))
    missing = tuple(take for take in range(job.song.takes) if take not in delivered)
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
        song=_song_of(job, missing),
        takes=missing,
        deadline=job.deadline,
        is_received=attempt.state == AttemptState.RECEIVED,
    )


def _with_texts(work: Work, job: Job) -> Work:
    """What is to be written in this attempt, and what an earlier one had written."""
    writing = writing_of(job, work.provider, work.access)
    return replace(work, song=with_written(job, work.song), text=job.text, writing=writing)


def _seconds_left(job: Job, at_most: float, now: datetime) -> float:
    """How long an upstream may take: its own limit, inside the job's deadline."""
    return min(at_most, (job.deadline - now).total_seconds())
