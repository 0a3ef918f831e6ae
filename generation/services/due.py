"""What is due for the takes of a job that were delivered."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.quotes import Due, Quote
from generation.models import Job
from generation.tokens import Made, tokens_of


def legs_due(job: Job, takes: Sequence[Made]) -> list[Due]:
    """Every leg of the job's quote with its amount for these delivered takes.

    What is owed below the customer goes to the mappings that made them.
    """
    quote = Quote.from_json(job.quote)
    legs = quote.own_dues(**_amounts(job, takes))
    for route in dict.fromkeys(take.route for take in takes) or [None]:
        legs += quote.dues_below(route, **_amounts(job, [take for take in takes if take.route == route]))
    return legs


def charge_of_next(job: Job, before: Sequence[Made], take: Made) -> int:
    """The micro-credits that one more take adds to those delivered `before`."""
    return _charge(job, [*before, take]) - _charge(job, before)


def _charge(job: Job, takes: Sequence[Made]) -> int:
    return Quote.from_json(job.quote).charge_for(**_amounts(job, takes))


def _amounts(job: Job, takes: Sequence[Made]) -> dict[str, int]:
    milliseconds = sum(take.milliseconds for take in takes)
    return {"takes": len(takes), "milliseconds": milliseconds, "tokens": _tokens(job, takes)}


def _tokens(job: Job, takes: Sequence[Made]) -> int:
    song = job.song
    tokens = tokens_of(song, job.lyrics or song.lyrics, takes)
    return tokens.prompt + tokens.candidates
