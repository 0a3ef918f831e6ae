"""The net under every lost hint and every lost runner. Runs in each runner; a conditional UPDATE lets one do it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from generation.contract import Fault
from generation.dispatch import send_finish, send_run_on_commit
from generation.models import Attempt, Clock, IdempotencyKey, Job, Runner
from generation.providers.registry import is_repeatable, is_resumable
from generation.services.claim import REHEARSAL
from generation.services.pieces import PIECES_LIFE, discard_pieces
from generation.services.retry import put_back
from generation.services.settle import settle
from generation.states import AttemptState, JobState

logger = logging.getLogger("tutti.jobs")
Row = TypeVar("Row")

CHORE = "sweep"
FORGOTTEN_RUNNER = timedelta(days=1)
IDEMPOTENCY_LIFE = timedelta(hours=24)
LATE_GRACE = timedelta(seconds=30)
"""How long past its deadline a job may be with a living runner, which ends it itself."""
FIRST_RESEND = timedelta(seconds=10)
LONGEST_RESEND = timedelta(minutes=10)
BATCH = 1000

LOST = Fault("upstream_error", "The worker that made this song went away, and the song with it. Nothing was charged.")
TAKEN_UP = Fault("upstream_error", "The worker that made this song went away. Another one asks for it.")
EXPIRED = Fault("deadline_exceeded", "The song was not ready before its deadline. Nothing was charged for it.")


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found."""

    lost: int = 0
    expired: int = 0
    sent_again: int = 0
    forgotten_keys: int = 0
    discarded_pieces: int = 0


def sweep_if_due() -> Swept | None:
    """Sweep, unless another runner has done so within the last `TUTTI_SWEEP_SECONDS`."""
    now = timezone.now()
    Clock.objects.get_or_create(chore=CHORE, defaults={"due_at": now})
    following = now + timedelta(seconds=settings.TUTTI_SWEEP_SECONDS)
    if not Clock.objects.filter(chore=CHORE, due_at__lte=now).update(due_at=following):
        return None
    return sweep()


def sweep(*, resend_all: bool = False) -> Swept:
    """Take jobs from dead runners, end what is overdue, send lost hints again, forget old idempotency keys.

    `resend_all` sends a hint for every waiting job: for the start of a process whose queue did not outlive it.
    """
    now = timezone.now()
    return Swept(
        lost=_take_from_dead_runners(now),
        expired=_expire(now),
        sent_again=_send_waiting(now, resend_all=resend_all) + _send_received(now),
        forgotten_keys=_forget_keys(now),
        discarded_pieces=_discard_pieces(now),
    )


def recover(token: uuid.UUID) -> bool:
    """Decide what becomes of a running job that nobody carries any more. True when this call decided it."""
    attempt = Attempt.unscoped.select_related("job__upstream", "job__mapping", "mapping", "upstream").get(token=token)
    job = attempt.job
    if attempt.state == AttemptState.RECEIVED:
        return put_back(job.pk, token, error=LOST, after_seconds=0, keeps_attempt=True)
    if not is_unwritten(job) and _can_be_taken_up(attempt):
        return put_back(job.pk, token, error=TAKEN_UP, after_seconds=0, keeps_attempt=True)
    may_repeat = is_repeatable(_called_by(job))
    if may_repeat and job.attempt < settings.TUTTI_MAX_ATTEMPTS:
        return put_back(job.pk, token, error=LOST, after_seconds=0, attempt_state=AttemptState.LOST)
    # The upstream was called and cannot be asked: a second order might be a second bill.
    return settle(job.pk, token=token, fault=LOST, is_flagged=not may_repeat)


def is_unwritten(job: Job) -> bool:
    """Whether the lyrics of the song are still with their writer: nobody was asked for the song yet."""
    return job.writer_id is not None and job.lyrics is None


def _called_by(job: Job) -> str:
    """The provider that an attempt of this job is with."""
    if job.upstream is None:
        return REHEARSAL
    return job.writer.upstream.provider if job.writer is not None and is_unwritten(job) else job.upstream.provider


def _can_be_taken_up(attempt: Attempt) -> bool:
    """Whether the upstream can be asked for what this attempt ordered, so that nothing is ordered twice."""
    if attempt.state != AttemptState.SUBMITTING or attempt.upstream is None:
        return False
    shape = (attempt.mapping or attempt.job.mapping).upstream_shape
    return is_resumable(attempt.upstream.provider, shape=shape, tickets=attempt.tickets)


def _take_from_dead_runners(now: datetime) -> int:
    is_dead = Q(runner__isnull=True) | Q(runner__lease_until__lt=now)
    lost = Job.unscoped.filter(is_dead, state=JobState.RUNNING).order_by("pk").values_list("token", flat=True)
    taken = sum(_one_by_one(recover, [token for token in lost[:BATCH] if token is not None]))
    held = Job.unscoped.filter(runner__isnull=False).values("runner")
    Runner.objects.filter(lease_until__lt=now - FORGOTTEN_RUNNER).exclude(pk__in=held).delete()
    return taken


def _expire(now: datetime) -> int:
    is_due = Q(state=JobState.QUEUED, deadline__lte=now) | Q(deadline__lte=now - LATE_GRACE)
    due = Job.unscoped.unfinished().filter(is_due).select_related("upstream").order_by("deadline")
    return sum(_one_by_one(_expire_one, list(due[:BATCH])))


def _expire_one(job: Job) -> bool:
    may_be_billed = is_left_with_upstream(job)
    return settle(job.pk, token=job.token, fault=EXPIRED, state=JobState.EXPIRED, is_flagged=may_be_billed)


def is_left_with_upstream(job: Job) -> bool:
    """Whether an upstream that bills has the order, and nobody will hear what became of it once the job ends."""
    at_upstream = Attempt.unscoped.filter(job=job, number=job.attempt, state=AttemptState.SUBMITTING)
    return at_upstream.exists() and not is_repeatable(_called_by(job))


def _send_waiting(now: datetime, *, resend_all: bool) -> int:
    waiting = Job.unscoped.waiting_at(now).order_by("run_after")
    if resend_all:
        due = list(waiting.values_list("pk", flat=True))
    else:
        rows = waiting.values_list("pk", "sent_at", "sent_count")[:BATCH]
        due = [job_id for job_id, sent_at, count in rows if sent_at is None or now - sent_at >= _resend_pause(count)]
    for first in range(0, len(due), BATCH):
        batch = due[first : first + BATCH]
        Job.unscoped.filter(pk__in=batch).update(sent_at=now, sent_count=F("sent_count") + 1)
        for job_id in batch:
            send_run_on_commit(job_id)
    return len(due)


def _send_received(now: datetime) -> int:
    """Hints to the audio workers for answers that nobody is working on."""
    received = Attempt.unscoped.filter(
        Q(finishing_until__isnull=True) | Q(finishing_until__lte=now),
        state=AttemptState.RECEIVED,
        job__state=JobState.RUNNING,
        job__token=F("token"),
    )
    rows = received.order_by("received_at").values_list("job_id", "token", "job__sent_at", "job__sent_count")[:BATCH]
    due = [
        (job_id, token)
        for job_id, token, sent_at, count in rows
        if sent_at is None or now - sent_at >= _resend_pause(count)
    ]
    Job.unscoped.filter(pk__in=[job_id for job_id, _ in due]).update(sent_at=now, sent_count=F("sent_count") + 1)
    for _, token in due:
        send_finish(token)
    return len(due)


def _one_by_one(work: Callable[[Row], bool], rows: Iterable[Row]) -> Iterator[bool]:
    """One job that cannot be helped must not keep the others from help."""
    for row in rows:
        try:
            yield work(row)
        except Exception:
            logger.exception("The sweep could not help %s; the next one tries again.", row)


def _discard_pieces(now: datetime) -> int:
    """Of jobs that ended long ago: whoever listens to a song has its file by then."""
    old = Job.unscoped.filter(has_pieces=True, finished_at__lt=now - PIECES_LIFE).order_by("finished_at")
    return sum(_one_by_one(discard_pieces, list(old.values_list("pk", flat=True)[:BATCH])))


def _resend_pause(sent_count: int) -> timedelta:
    """A growing pause: a thousand waiting jobs must not become a thousand messages at each sweep."""
    doublings = min(max(sent_count - 1, 0), 10)
    return min(FIRST_RESEND * (1 << doublings), LONGEST_RESEND)


def _forget_keys(now: datetime) -> int:
    old = IdempotencyKey.unscoped.filter(job__finished_at__lt=now - IDEMPOTENCY_LIFE)
    return old.delete()[0]
