"""What is due for the takes of a job that were delivered."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.quotes import Due, Quote
from generation.models import Job, Track
from generation.tokens import audio_tokens, prompt_tokens, text_tokens


def legs_due(job: Job, milliseconds: Sequence[int]) -> list[Due]:
    """Every leg of the job's quote with its amount; `milliseconds` are the lengths of what was delivered."""
    return Quote.from_json(job.quote).legs_for(**_delivered(job, milliseconds))


def lengths_delivered(job: Job) -> list[int]:
    """The milliseconds of each thing that was delivered: takes, or the one text, which has no length."""
    if job.is_text:
        return [] if job.lyrics is None else [0]
    return list(Track.unscoped.filter(job=job).values_list("duration_ms", flat=True))


def charge_of_next(job: Job, before: Sequence[int], milliseconds: int) -> int:
    """The micro-credits that one more take of this length adds to those delivered `before`."""
    after = [*before, milliseconds]
    return _charge(job, after) - _charge(job, before)


def _charge(job: Job, milliseconds: Sequence[int]) -> int:
    return Quote.from_json(job.quote).charge_for(**_delivered(job, milliseconds))


def _delivered(job: Job, milliseconds: Sequence[int]) -> dict[str, int]:
    song = job.song
    return {
        "takes": len(milliseconds),
        "milliseconds": sum(milliseconds),
        "tokens": prompt_tokens(song) + audio_tokens(milliseconds, job.lyrics or song.lyrics),
        "text_tokens": text_tokens(song.prompt, job.lyrics or ""),
    }
