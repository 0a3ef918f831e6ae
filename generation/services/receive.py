"""What an upstream gave is kept raw before anything else is done with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from generation import faults
from generation.audio.bad_audio import BadAudio
from generation.audio.decode import probe
from generation.contract import Delivery, MissingTake, Tokens, sections_as_json
from generation.models import Attempt, Job, Track
from generation.services.claim import Work
from generation.services.due import legs_due
from generation.services.health import vouch_for
from generation.services.missing import rows_of
from generation.services.note import note_lyrics
from generation.services.parking import call_next
from generation.services.raw_files import discard_raw, keep_raw, read_raw
from generation.states import AttemptState
from generation.tokens import Made, shares_of

Raw = list[dict[str, Any]]


def store_raw(work: Work, delivery: Delivery) -> Raw:
    """Write each take's bytes as they came; only files, no row."""
    faults.reach("answered")
    shares = shares_of(delivery.tokens, len(delivery.takes))
    return [
        {
            "take": take,
            "file": keep_raw(work.job_id, attempt=work.number, take=take, audio=came.audio),
            "sections": sections_as_json(came.sections),
            "seed": came.seed,
            "upstream_id": came.upstream_id,
            "tokens": dataclasses.asdict(tokens) if tokens is not None else None,
            "is_watermarked": came.is_watermarked,
        }
        for take, came, tokens in zip(work.takes, delivery.takes, shares, strict=False)
    ]


def receive(work: Work, raw: Raw, *, lyrics: str | None, missing: Sequence[MissingTake] = ()) -> bool:
    """Note that the upstream has answered; from here on it is never called again for these takes.

    The delivered takes have the first numbers of those that were ordered, the `missing` ones the following.
    False when the job ended meanwhile: the result is kept out, and its cost is noted on the attempt.
    """
    now = timezone.now()
    with transaction.atomic():
        # The hint to the audio worker counts from now.
        is_held = Job.unscoped.filter(pk=work.job_id).held_by(work.token).update(sent_at=now, sent_count=1)
        if is_held:
            gone = rows_of(missing, work.takes[len(raw) :])
            came = {"raw": raw, "missing": gone, "received_at": now}
            Attempt.unscoped.filter(pk=work.attempt_id).update(state=AttemptState.RECEIVED, **came)
            if lyrics:
                note_lyrics(work, lyrics)
            call_next(work.upstream_id)
    vouch_for(work)
    if not is_held:
        _keep_out(work, raw)
        return False
    faults.reach("received")
    return True


def _keep_out(work: Work, raw: Raw) -> None:
    """Note what a result that came too late will cost, and let it go."""
    job = Job.unscoped.get(pk=work.job_id)
    sold = set(Track.unscoped.filter(job=job).values_list("take", flat=True))
    legs = legs_due(job, [_made(came, work.mapping_id) for came in raw if came["take"] not in sold])
    cost = sum(leg.amount_micro for leg in legs if leg.kind == "cost")
    now = timezone.now()
    Attempt.unscoped.filter(pk=work.attempt_id).update(
        state=AttemptState.LATE, cost_micro=cost, received_at=now, ended_at=now
    )
    # Its own files alone: another attempt of the job may be under way.
    discard_raw(came["file"] for came in raw)


def _made(came: dict[str, Any], route: int | None) -> Made:
    tokens = Tokens(**came["tokens"]) if came.get("tokens") else None
    try:
        return Made(probe(read_raw(came["file"])).duration_ms, tokens, route)
    except BadAudio:
        return Made(0, tokens, route)
