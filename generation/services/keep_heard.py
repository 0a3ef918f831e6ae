"""A cancelled song of which the customer has heard the greater part: that part is delivered, and charged.

A take counts as delivered when more seconds of it could be heard than half of the length that was ordered (or that its
model always makes). A take of no known length never counts. This is for the customer's own cancel alone: a song that
its upstream or its deadline ends is not charged.

What was heard becomes an answer of an attempt of its own, which calls nobody; the audio step makes it into a track like
any other, and then ends the job as cancelled. Meanwhile the job goes on running, and nothing turns it back.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from generation.audio.growing import growing_format, joined
from generation.audio.wav_heads import Shape
from generation.contract import Fault
from generation.dispatch import send_finish
from generation.models import Attempt, Event, Job, Track
from generation.models.job import new_id
from generation.services.pieces import read_piece
from generation.services.raw_files import keep_raw
from generation.states import AttemptState, JobState

logger = logging.getLogger("tutti.jobs")

ENOUGH: Final = 0.5
AT_LEAST: Final = timedelta(minutes=5)
"""How long the audio step has, however near the deadline is."""


@dataclass(slots=True)
class _Heard:
    seconds: float = 0.0
    files: list[str] = field(default_factory=list)
    shape: Shape = field(default_factory=lambda: Shape(0, 0))

    def add(self, data: Mapping[str, Any]) -> None:
        self.seconds += data["duration_seconds"]
        self.files.append(data["file"])
        self.shape = Shape(data["sample_rate"], data["channels"])


def keep_heard(job: Job, *, fault: Fault) -> bool:
    """Have what was heard enough of delivered, and the job then ended as cancelled; in the caller's transaction.

    The job's row is locked by the caller. False: nothing was heard enough of, and nothing is changed.
    """
    heard = _heard_enough(job)
    if not heard:
        return False
    now, token, number = timezone.now(), uuid.uuid4(), job.attempt + 1
    attempt = Attempt.unscoped.get(job=job, number=job.attempt)
    try:
        raw = _whole(attempt, heard, fault) or [
            _raw(job, number, take, what, fault) for take, what in sorted(heard.items())
        ]
    except OSError:
        logger.exception("What was heard of job %s cannot be read; it is cancelled without a charge for it.", job.pk)
        return False
    _end_call(attempt, fault)
    _begin_anew(attempt, number=number, token=token, raw=raw)
    Job.unscoped.filter(pk=job.pk).update(
        attempt=number,
        token=token,
        streaming=False,
        sent_at=now,
        sent_count=1,
        deadline=max(job.deadline, now + AT_LEAST),
    )
    transaction.on_commit(partial(send_finish, token))
    return True


def is_kept(job: Job) -> bool:
    """Whether the job is ending by what was heard of it."""
    if not job.song.partial_audio:
        return False
    received = Attempt.unscoped.filter(job=job, state=AttemptState.RECEIVED).last()
    return received is not None and ending_of(received.raw) is not None


def ending_of(raw: Sequence[Mapping[str, Any]]) -> Fault | None:
    """Why a job was cancelled, where its takes are what was heard before that."""
    ending = raw[0].get("cancelled") if raw else None
    return Fault(**ending) if ending else None


def _heard_enough(job: Job) -> dict[int, _Heard]:
    """By the number of the take. What an earlier attempt gave is void."""
    length = job.song.duration_seconds
    if not job.streaming or job.state != JobState.RUNNING or length is None:
        return {}
    delivered = set(Track.unscoped.filter(job=job).values_list("take", flat=True))
    heard: dict[int, _Heard] = defaultdict(_Heard)
    for data in Event.unscoped.filter(job=job, type="audio").order_by("seq").values_list("data", flat=True):
        if data["attempt"] == job.attempt and data["take"] not in delivered:
            heard[data["take"]].add(data)
    return {take: what for take, what in heard.items() if what.seconds > ENOUGH * length}


def _whole(attempt: Attempt, heard: Mapping[int, _Heard], fault: Fault) -> list[dict[str, Any]]:
    """The takes themselves, where they have come already and are only being encoded."""
    return [{**came, "cancelled": _as_json(fault)} for came in attempt.raw if came["take"] in heard]


def _as_json(fault: Fault) -> dict[str, Any]:
    return {"code": fault.code, "message": fault.message, "param": fault.param}


def _raw(job: Job, number: int, take: int, heard: _Heard, fault: Fault) -> dict[str, Any]:
    pieces = [read_piece(file) for file in heard.files]
    audio = joined(pieces, growing_format(job.song.format), heard.shape)
    return {
        "take": take,
        "file": keep_raw(job.pk, attempt=number, take=take, audio=audio),
        "sections": [],
        "seed": None,
        "upstream_id": "",
        "tokens": None,
        "is_watermarked": False,
        "cancelled": _as_json(fault),
    }


def _end_call(attempt: Attempt, fault: Fault) -> None:
    """The call goes on where it is billed anyway, and changes the attempt once more then, to `late`."""
    Attempt.unscoped.filter(pk=attempt.pk).update(
        state=AttemptState.FAILED,
        raw=[],
        ended_at=timezone.now(),
        error_code=fault.code,
        error_message=fault.message,
    )


def _begin_anew(attempt: Attempt, *, number: int, token: uuid.UUID, raw: list[dict[str, Any]]) -> None:
    """The same attempt again, as far as its upstream goes; `attempt` is that from now on."""
    attempt.pk, attempt._state.adding = None, True  # noqa: SLF001 - Django's own way to copy a row
    attempt.number, attempt.token, attempt.reference, attempt.state = number, token, new_id(), AttemptState.RECEIVED
    attempt.tickets, attempt.raw, attempt.missing = [], raw, []
    attempt.started_at = attempt.received_at = timezone.now()
    attempt.finishing_until = attempt.ended_at = None
    attempt.save(force_insert=True)
