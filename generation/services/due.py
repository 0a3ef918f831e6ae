"""What is due for the takes of a job that were delivered."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.quotes import Due, Quote
from generation.models import Job
from generation.tokens import audio_tokens, prompt_tokens


def legs_due(job: Job, milliseconds: Sequence[int], *, routes: Sequence[int | None] = ()) -> list[Due]:
    """Every leg of the job's quote with its amount; `milliseconds` is the length of each delivered take.

    `routes` are the mappings that made them, in the same order: what is owed below the customer goes their ways.
    """
    quote = Quote.from_json(job.quote)
    legs = quote.own_dues(**_amounts(job, milliseconds))
    made_by = list(zip(milliseconds, routes or [None] * len(milliseconds), strict=True))
    for route in dict.fromkeys(route for _, route in made_by) or [None]:
        legs += quote.dues_below(route, **_amounts(job, [length for length, maker in made_by if maker == route]))
    return legs


def charge_of_next(job: Job, before: Sequence[int], milliseconds: int) -> int:
    """The micro-credits that one more take of this length adds to those delivered `before`."""
    after = [*before, milliseconds]
    return _charge(job, after) - _charge(job, before)


def _charge(job: Job, milliseconds: Sequence[int]) -> int:
    return Quote.from_json(job.quote).charge_for(**_amounts(job, milliseconds))


def _amounts(job: Job, milliseconds: Sequence[int]) -> dict[str, int]:
    tokens = _tokens(job, milliseconds)
    return {"takes": len(milliseconds), "milliseconds": sum(milliseconds), "tokens": tokens}


def _tokens(job: Job, milliseconds: Sequence[int]) -> int:
    song = job.song
    return prompt_tokens(song) + audio_tokens(milliseconds, job.lyrics or song.lyrics)
