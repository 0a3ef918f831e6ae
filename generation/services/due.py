"""What is due for the takes of a job that were delivered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from catalog.quotes import Due, Quote
from generation.models import Job, Track
from generation.tokens import Made, text_tokens, tokens_of

ONE_TEXT: Final = Made(0)
"""What a text comes to: one thing, and nothing to hear."""


def legs_due(job: Job, made: Sequence[Made]) -> list[Due]:
    """Every leg of the job's quote with its amount for what was delivered.

    What is owed below the customer goes to the mappings that made it, and once to who wrote its lyrics.
    """
    quote = Quote.from_json(job.quote)
    legs = quote.own_dues(**_amounts(job, made))
    for route in dict.fromkeys(one.route for one in made) or [None]:
        legs += quote.dues_below(route, **_amounts(job, [one for one in made if one.route == route]))
    return legs + quote.dues_below_for_text(**_amounts(job, made))


def delivered_by(job: Job) -> list[Made]:
    """Each thing that was delivered: takes, or the one text, which has no length."""
    if job.is_text:
        return [] if job.lyrics is None else [ONE_TEXT]
    return [track.made for track in Track.unscoped.filter(job=job)]


def charge_of_next(job: Job, before: Sequence[Made], take: Made) -> int:
    """The micro-credits that one more take adds to those delivered `before`."""
    return _charge(job, [*before, take]) - _charge(job, before)


def _charge(job: Job, made: Sequence[Made]) -> int:
    return Quote.from_json(job.quote).charge_for(**_amounts(job, made))


def _amounts(job: Job, made: Sequence[Made]) -> dict[str, int]:
    song = job.song
    tokens = tokens_of(song, job.lyrics or song.lyrics, made)
    return {
        "takes": len(made),
        "milliseconds": sum(one.milliseconds for one in made),
        "tokens": tokens.prompt + tokens.candidates,
        "text_tokens": text_tokens(song.prompt, job.lyrics or ""),
    }
