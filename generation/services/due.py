"""What is due for the takes of a job that were delivered."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.quotes import Due, Quote
from generation.models import Job
from generation.tokens import audio_tokens, prompt_tokens


def legs_due(job: Job, milliseconds: Sequence[int]) -> list[Due]:
    """Every leg of the job's quote with its amount; `milliseconds` is the length of each delivered take."""
    return Quote.from_json(job.quote).legs_for(
        takes=len(milliseconds), milliseconds=sum(milliseconds), tokens=_tokens(job, milliseconds)
    )


def charge_of_next(job: Job, before: Sequence[int], milliseconds: int) -> int:
    """The micro-credits that one more take of this length adds to those delivered `before`."""
    after = [*before, milliseconds]
    return _charge(job, after) - _charge(job, before)


def _charge(job: Job, milliseconds: Sequence[int]) -> int:
    return Quote.from_json(job.quote).charge_for(
        takes=len(milliseconds), milliseconds=sum(milliseconds), tokens=_tokens(job, milliseconds)
    )


def _tokens(job: Job, milliseconds: Sequence[int]) -> int:
    song = job.song
    return prompt_tokens(song) + audio_tokens(milliseconds, job.lyrics or song.lyrics)
