"""Cancel: the job ends now; whoever works on it finds out by its token."""

from __future__ import annotations

import uuid

from django.db import transaction

from accounts.caller import Caller
from accounts.tenancy import system_scope
from generation.contract import Fault, Refusal
from generation.models import Job
from generation.services.keep_heard import is_kept, keep_heard
from generation.services.settle import settle
from generation.services.sweep import is_left_with_upstream
from generation.states import JobState

CANCELLED = Fault(
    "cancelled", "The song was cancelled. Only takes delivered before, or heard more than half, were charged."
)
UNHEARD = Fault("cancelled", "The song was cancelled when its client left. Only takes delivered before were charged.")


def cancel_job(job_id: uuid.UUID, *, caller: Caller) -> None:
    """End a job of the caller's organization. Cancelling twice is no error; a job that ended otherwise is refused.

    A job of which much was heard already goes on for a moment, until that is delivered: see `keep_heard`.

    Raises Refusal: `not_found`, `permission_denied` (another member's job), `already_final`.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update(of=("self",)).filter(pk=job_id, live=caller.live).first()
        if job is None:
            raise Refusal("not_found", "There is no such song.")
        if not _may_cancel(job, caller):
            raise Refusal("permission_denied", "Only the member who ordered a song, or an admin, may cancel it.")
        if job.state == JobState.CANCELLED or is_kept(job) or keep_heard(job, fault=CANCELLED):
            return
        may_be_billed = job.token is None and is_left_with_upstream(job)
        if not settle(job.pk, token=job.token, fault=CANCELLED, state=JobState.CANCELLED, is_flagged=may_be_billed):
            raise Refusal("already_final", f"The song has {job.state} already; it can no longer be cancelled.")


def cancel_unheard(job_id: uuid.UUID) -> None:
    """End a job whose listeners have all left, whoever ordered it; one that has ended stays as it is."""
    with system_scope(), transaction.atomic():
        job = Job.unscoped.unfinished().select_for_update(of=("self",)).filter(pk=job_id).first()
        if job is not None:
            settle(job.pk, token=job.token, fault=UNHEARD, state=JobState.CANCELLED)


def _may_cancel(job: Job, caller: Caller) -> bool:
    is_own = caller.member is not None and job.member_id == caller.member.pk
    is_own_key = caller.api_key is not None and job.api_key_id == caller.api_key.pk
    return is_own or is_own_key or caller.may("generation.manage")
