"""Failures on request: what the first word of a prompt may ask a rehearsal to act out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from generation.providers.base import ProviderError, Seen

LONGEST_SECONDS = 600.0
Failure = Literal["timeout", "rate_limit", "bad_audio", "refused", "cut", "empty"]

# A word ends at a space, at the end, or at a comma of either script; anything else makes it an ordinary word.
_end = r"(?=[\s,，。;；]|$)[\s,，。;；]*"
SLOW = re.compile(rf"\s*slow:(\d{{1,6}}(?:\.\d+)?){_end}", re.IGNORECASE)
FAIL = re.compile(rf"\s*fail:(timeout|rate_limit|bad_audio|refused|cut|empty){_end}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Acting:
    """What to act out before and instead of the song; `prompt` is what remains for the composer."""

    prompt: str
    wait_seconds: float = 0.0
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class _Ending:
    code: str
    message: str
    seen: Seen
    retryable: bool = False
    retry_after: float | None = None


ENDINGS = {
    "timeout": _Ending(
        "upstream_error",
        "The rehearsal acted out a timeout: the request was sent and no answer came in time.",
        "unknown",
    ),
    "rate_limit": _Ending(
        "upstream_error",
        "The rehearsal acted out a rate limit: the model takes no more songs at the moment.",
        "not_made",
        retryable=True,
        retry_after=1.0,
    ),
    "refused": _Ending(
        "content_policy",
        "The rehearsal acted out a refusal: the model does not make songs of this content.",
        "not_made",
    ),
    "cut": _Ending(
        "upstream_error",
        "The rehearsal acted out a cut connection: the answer broke off in the middle.",
        "unknown",
    ),
    "empty": _Ending(
        "upstream_error",
        "The rehearsal acted out an empty answer: the model reported success and sent no audio.",
        "not_made",
        retryable=True,
    ),
}


def read_acting(prompt: str) -> Acting:
    """Take `slow:N` and then a `fail:` word off the start of a prompt; longer waits than 600 s are cut to that."""
    wait_seconds = 0.0
    failure: Failure | None = None
    if slow := SLOW.match(prompt):
        wait_seconds = min(float(slow[1]), LONGEST_SECONDS)
        prompt = prompt[slow.end() :]
    if fail := FAIL.match(prompt):
        failure = cast(Failure, fail[1].lower())
        prompt = prompt[fail.end() :]
    return Acting(prompt, wait_seconds, failure)


def acted_error(failure: Failure) -> ProviderError:
    """The error of a failure that delivers nothing; `bad_audio` delivers and has none (KeyError)."""
    ending = ENDINGS[failure]
    return ProviderError(
        ending.code, ending.message, seen=ending.seen, retryable=ending.retryable, retry_after=ending.retry_after
    )
