"""The net under every lost hint and every lost runner. Runs in each runner; a conditional UPDATE lets one do it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from generation.contract import Fault
from generation.dispatch import send_finish, send_run_on_commit
from generation.models import Attempt, Clock, IdempotencyKey, Job, Runner
from generation.providers.registry import is_repeatable
from generation.services.claim import REHEARSAL
from generation.services.retry import put_back
from generation.services.settle import settle
from generation.states import FINAL, AttemptState, JobState

CHORE = "sweep"
IDEMPOTENCY_LIFE = timedelta(hours=24)
LATE_GRACE = timedelta(seconds=30)
"""How long past its deadline a job may be with a living runner, which ends it itself."""
FIRST_RESEND = timedelta(seconds=10)
LONGEST_RESEND = timedelta(minutes=10)
BATCH = 1000

LOST = Fault("upstream_error", "The worker that made this song went away, and the song with it. Nothing was charged.")
EXPIRED = Fault("deadline_exceeded", "The song was not ready before its deadline. Nothing was charged for it.")


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found."""

    lost: int = 0
    expired: int = 0
    sent_again: int = 0
    forgotten_keys: int = 0


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
    return Swept(_take_from_dead_runners(now), _expire(now), _send_again(now, resend_all), _forget_keys(now))


def _take_from_dead_runners(now: datetime) -> int:
    lost = Job.unscoped.filter(state=JobState.RUNNING).filter(Q(runner__isnull=True) | Q(runner__lease_until__lt=now))
    taken = sum(_recover(job) for job in lost.select_related("upstream")[:BATCH])
    held = Job.unscoped.filter(runner__isnull=False).values("runner")
    Runner.objects.filter(lease_until__lt=now - timedelta(days=1)).exclude(pk__in=held).delete()
    return taken


def _recover(job: Job) -> bool:
    """Decide what becomes of a job whose runner is gone. True when this sweep decided it."""
    attempt = Attempt.unscoped.get(job=job, number=job.attempt)
    if attempt.state == AttemptState.RECEIVED:
        return put_back(job.pk, attempt.token, error=LOST, after_seconds=0, keeps_raw=True)
    may_repeat = is_repeatable(job.upstream.provider if job.upstream else REHEARSAL)
    if may_repeat and job.attempt < settings.TUTTI_MAX_ATTEMPTS:
        return put_back(job.pk, attempt.token, error=LOST, after_seconds=0, attempt_state=AttemptState.LOST)
    # The upstream was called and cannot be asked: a second order might be a second bill.
    return settle(job.pk, token=job.token, fault=LOST, is_flagged=not may_repeat)


def _expire(now: datetime) -> int:
    due = Job.unscoped.exclude(state__in=FINAL).filter(
        Q(state=JobState.QUEUED, deadline__lte=now) | Q(deadline__lte=now - LATE_GRACE)
    )
    return sum(
        settle(job.pk, token=job.token, fault=EXPIRED, state=JobState.EXPIRED)
        for job in due.only("pk", "token")[:BATCH]
    )


def _send_again(now: datetime, resend_all: bool) -> int:
    queued = Job.unscoped.waiting_at(now)
    received = Job.unscoped.filter(
        state=JobState.RUNNING, attempts__token=F("token"), attempts__state=AttemptState.RECEIVED
    )
    again = 0
    for job in [*queued.order_by("run_after")[: None if resend_all else BATCH], *received[:BATCH]]:
        if resend_all or job.sent_at is None or now - job.sent_at >= _resend_pause(job.sent_count):
            again += _send(job, now)
    return again


def _send(job: Job, now: datetime) -> bool:
    with transaction.atomic():
        is_unchanged = Job.unscoped.filter(pk=job.pk, state=job.state, token=job.token).update(
            sent_at=now, sent_count=F("sent_count") + 1
        )
        if not is_unchanged:
            return False
        if job.token is None:
            send_run_on_commit(job.pk)
        else:
            send_finish(job.pk, job.token)
    return True


def _resend_pause(sent_count: int) -> timedelta:
    """A growing pause: a thousand waiting jobs must not become a thousand messages at each sweep."""
    doublings = min(max(sent_count - 1, 0), 10)
    return min(FIRST_RESEND * (1 << doublings), LONGEST_RESEND)


def _forget_keys(now: datetime) -> int:
    old = IdempotencyKey.unscoped.filter(job__finished_at__lt=now - IDEMPOTENCY_LIFE)
    return old.delete()[0]
