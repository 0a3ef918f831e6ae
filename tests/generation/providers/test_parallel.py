"""Several calls of one order: what some deliver, what became of the rest, and which error speaks for all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from generation.contract import Delivery, Fault, MissingTake, RawTake, Tokens
from generation.providers.base import NO_AUDIO, ProviderError, UpstreamAccess
from generation.providers.parallel import BROKEN, in_parallel
from tests.generation.providers.wayside import access, as_json

Call = Callable[[UpstreamAccess], Awaitable[Delivery]]


def delivers(audio: bytes, **more: Any) -> Call:
    async def one(upstream: UpstreamAccess) -> Delivery:
        return Delivery(takes=(RawTake(audio=audio),), lyrics=audio.decode() or None, **more)

    return one


def fails(error: Exception) -> Call:
    async def one(upstream: UpstreamAccess) -> Delivery:
        raise error

    return one


def not_made(**more: Any) -> ProviderError:
    return ProviderError("upstream_error", "no", seen="not_made", **more)


async def delivered(*calls: Call) -> Delivery:
    upstream, _ = access(as_json({}))
    return await in_parallel(upstream, calls)


async def test_takes_of_parallel_calls_keep_their_order() -> None:
    delivery = await delivered(delivers(b"1"), fails(not_made()), delivers(b"3"))

    assert ([take.audio for take in delivery.takes], delivery.lyrics) == ([b"1", b"3"], "1")


async def test_what_became_of_each_failed_call_is_told() -> None:
    refused = ProviderError("content_policy", "not this", seen="not_made", param="audio")
    lost = ProviderError("upstream_error", "who knows", seen="unknown")

    delivery = await delivered(fails(refused), delivers(b"2"), fails(lost))

    assert delivery.missing == (
        MissingTake(Fault("content_policy", "not this", "audio")),
        MissingTake(Fault("upstream_error", "who knows"), is_unknown=True),
    )


async def test_call_that_breaks_on_our_side_is_of_unknown_fate(caplog: pytest.LogCaptureFixture) -> None:
    delivery = await delivered(delivers(b"1"), fails(ZeroDivisionError("oh")))

    assert delivery.missing == (MissingTake(BROKEN, is_unknown=True),)
    assert "ZeroDivisionError" in caplog.text


async def test_call_without_audio_is_no_bad_take_but_one_of_unknown_fate() -> None:
    delivery = await delivered(delivers(b""), delivers(b"2"))

    assert [take.audio for take in delivery.takes] == [b"2"]
    assert delivery.missing == (MissingTake(Fault("upstream_error", NO_AUDIO), is_unknown=True),)


async def test_what_a_call_tells_beside_its_takes_is_kept() -> None:
    gone = MissingTake(Fault("upstream_error", "one of two"))

    delivery = await delivered(
        delivers(b"1", missing=(gone,), tokens=Tokens(3, 50)),
        delivers(b"2", tokens=Tokens(1, 5)),
        delivers(b"3", tokens=Tokens(4, 25)),
    )

    assert (delivery.missing, delivery.tokens) == ((gone,), Tokens(8, 80))


async def test_takes_of_calls_that_fail_are_missing_and_those_that_lack_stay_so() -> None:
    lacking = MissingTake(Fault("upstream_error", "It gave one less."))
    lost = ProviderError("upstream_error", "Nobody knows.", seen="unknown")
    upstream, _ = access(as_json({}))

    delivery = await in_parallel(upstream, [fails(lost), delivers(b"1", missing=(lacking,))], takes_of=[3, 2])

    assert [(take.fault.message, take.is_unknown) for take in delivery.missing] == [
        *[("Nobody knows.", True)] * 3,
        ("It gave one less.", False),
    ]


@pytest.mark.parametrize(
    ("counts", "sum_of_them"),
    [((Tokens(1, 10), Tokens(2, 20)), Tokens(3, 30)), ((Tokens(1, 10), None), None), ((None, None), None)],
)
async def test_tokens_are_summed_where_all_were_counted(
    counts: tuple[Tokens | None, ...], sum_of_them: Tokens | None
) -> None:
    delivery = await delivered(*(delivers(b"1", tokens=tokens) for tokens in counts))

    assert delivery.tokens == sum_of_them


async def test_calls_that_all_fail_raise_the_weightiest() -> None:
    soon, later = not_made(retryable=True, retry_after=1.0), not_made(retryable=True, retry_after=9.0)
    vain, lost = not_made(), ProviderError("upstream_error", "?", seen="unknown", retryable=True)

    for failing, weightiest in (([soon, later], later), ([later, vain], vain), ([vain, lost, soon], lost)):
        with pytest.raises(ProviderError) as failed:
            await delivered(*(fails(error) for error in failing))
        assert failed.value is weightiest


async def test_calls_without_any_audio_raise() -> None:
    with pytest.raises(ProviderError) as failed:
        await delivered(delivers(b""), fails(not_made()))

    assert (failed.value.message, failed.value.seen) == (NO_AUDIO, "unknown")


async def test_parallel_calls_end_before_the_whole_does() -> None:
    upstream, _ = access(as_json({}), deadline_seconds=100.0)
    given: list[float] = []

    async def one(hurried: UpstreamAccess) -> Delivery:
        given.append(hurried.deadline_seconds)
        return Delivery(takes=(RawTake(audio=b"1"),))

    await in_parallel(upstream, [one, one])

    assert given == [90.0, 90.0]
