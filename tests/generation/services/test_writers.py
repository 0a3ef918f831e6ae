"""Songs whose lyrics are written first, inside the same job, hold and price."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organization
from billing.models import Hold, Transfer
from billing.services.books import check_books
from billing.services.credits import balance_of
from catalog.models import CircuitReason, LlmMapping, Unit
from catalog.services.circuits import open_circuit
from generation.contract import Delivery, LyricsRequest, RawTake, Refusal, WrittenLyrics
from generation.models import Job, Track
from generation.providers.base import ProviderError, UpstreamAccess
from generation.providers.rehearsal import Rehearsal
from generation.services import write as writing_service
from generation.services.claim import Work
from generation.services.finish import finish
from generation.services.keep_text import keep_written
from generation.services.queries import job_view
from generation.services.quoting import quote_order
from generation.services.receive import receive, store_raw
from generation.services.retry import retry_or_fail
from generation.services.settle import settle
from generation.services.write import within, write, write_first
from generation.states import JobState
from tests.generation.services.test_routes import due_now
from tests.generation.texts import TEXT, TEXT_COST, TEXT_PRICE, sell_texts
from tests.generation.worlds import (
    SONG_COST,
    SONG_PRICE,
    World,
    caller_of,
    claimed,
    log_of,
    order,
    submitted,
    wav,
)

pytestmark = pytest.mark.both_databases


@pytest.fixture
def world(world: World) -> World:
    """Its model needs lyrics and cannot do without; its mapping has them written."""
    sell_texts(world)
    world.mapping.write_lyrics = True
    world.mapping.save()
    world.mapping.llm.capabilities = {"prompt": "optional", "lyrics": "required", "instrumental": "exact"}
    world.mapping.llm.save()
    return world


def spent(world: World) -> tuple[int, int]:
    now = balance_of(world.customer.pk, live=True)
    return 10 * SONG_PRICE - now.available_micro - now.held_micro, now.held_micro


def sung(work: Work, *takes: bytes) -> Job:
    """The job after its song has come."""
    delivery = Delivery(takes=tuple(RawTake(audio=take) for take in takes or (wav(),)))
    assert receive(work, store_raw(work, delivery), lyrics=None)
    finish(work.token)
    return Job.unscoped.get(pk=work.job_id)


def test_order_without_lyrics_is_quoted_with_those_that_are_written(world: World) -> None:
    offer = quote_order(order(), caller=world.caller)

    assert offer.quote.amount_micro == SONG_PRICE + TEXT_PRICE
    assert offer.writer is not None
    assert offer.writer.llm.public_name == "test-words"


@pytest.mark.parametrize(
    "song", [{"lyrics": "[Verse]\nla"}, {"instrumental": True}], ids=["with lyrics", "instrumental"]
)
def test_order_that_needs_no_lyrics_has_none_written(world: World, song: dict[str, Any]) -> None:
    offer = quote_order(order(**song), caller=world.caller)

    assert (offer.writer, offer.quote.amount_micro) == (None, SONG_PRICE)


def test_model_that_writes_itself_is_left_to_it(world: World) -> None:
    world.mapping.llm.capabilities |= {"lyrics_optimizer": True}
    world.mapping.llm.save()

    assert quote_order(order(write_lyrics=True), caller=world.caller).writer is None


def test_wish_for_lyrics_is_met_before_the_model_is_asked(world: World) -> None:
    offer = quote_order(order(write_lyrics=True), caller=world.caller)

    assert (offer.writer is None, offer.song.write_lyrics) == (False, False)


@pytest.mark.parametrize("reason", ["the mapping does not say so", "nobody writes", "nothing is said to write of"])
def test_order_without_lyrics_is_refused_where_none_are_written(world: World, reason: str) -> None:
    if reason == "the mapping does not say so":
        world.mapping.write_lyrics = False
        world.mapping.save()
    elif reason == "nobody writes":
        LlmMapping.objects.filter(operation="lyrics").update(is_enabled=False)
    prompt = "" if reason == "nothing is said to write of" else "a quiet song"

    with pytest.raises(Refusal) as refusal:
        quote_order(order(prompt), caller=world.caller)

    assert (refusal.value.code, refusal.value.param) == ("missing_parameter", "lyrics")


def test_prompt_too_long_for_the_writer_is_refused_by_name(world: World) -> None:
    world.mapping.llm.limits = {"prompt": [1, 1000]}
    world.mapping.llm.save()

    with pytest.raises(Refusal) as refusal:
        quote_order(order("x" * 201), caller=world.caller)

    assert (refusal.value.param, refusal.value.message) == (
        "prompt",
        "'prompt' must be 0-200 characters for test-words, which writes the lyrics. This one is 201.",
    )


def test_order_whose_writer_fails_at_the_moment_is_refused_before_any_hold(world: World) -> None:
    writer = LlmMapping.objects.get(operation="lyrics")
    open_circuit(writer.upstream_id, reason=CircuitReason.FAILURES)

    with pytest.raises(Refusal) as refused:
        submitted(world)

    assert (refused.value.code, refused.value.retry_after) == ("busy", 15)
    assert (Job.unscoped.count(), Hold.unscoped.count(), spent(world)) == (0, 0, (0, 0))
    assert submitted(world, lyrics="[Verse]\nla").writer is None


def test_order_whose_writer_and_song_both_fail_is_told_to_wait_for_the_later(world: World) -> None:
    open_circuit(LlmMapping.objects.get(operation="lyrics").upstream_id, reason=CircuitReason.FAILURES)
    open_circuit(world.mapping.upstream_id, reason=CircuitReason.ACCOUNT)

    with pytest.raises(Refusal) as refused:
        submitted(world)

    assert (refused.value.code, refused.value.retry_after) == ("busy", 300)


def test_song_is_made_from_what_was_written_and_both_are_charged(world: World) -> None:
    job = submitted(world)
    work = claimed(job)
    assert work.writing is not None
    assert (work.writing.request, work.writing.access.model) == (LyricsRequest(prompt="a quiet song"), "test-words-1")
    assert work.writing.access.reference != work.access.reference

    async def story() -> Work:
        return await write_first(work, work.writing, kept)  # type: ignore[arg-type]

    async def kept(of: Work, text: WrittenLyrics) -> bool:
        found.append(text)
        return True

    found: list[WrittenLyrics] = []
    ready = asyncio.run(story())
    assert keep_written(work, found[0])
    ended = sung(ready)

    assert ready.song.lyrics == found[0].lyrics == ended.lyrics
    assert (ready.writing, "song" in (ready.song.lyrics or "")) == (None, True)
    assert (ended.state, ended.charged_micro) == (JobState.SUCCEEDED, SONG_PRICE + TEXT_PRICE)
    assert log_of(ended) == ["queued", "started", "lyrics", "take", "succeeded"]
    assert spent(world) == (SONG_PRICE + TEXT_PRICE, 0)
    assert sorted(Transfer.objects.filter(kind="cost").values_list("amount", flat=True)) == [TEXT_COST, SONG_COST]
    assert Track.unscoped.get().charged_micro == SONG_PRICE + TEXT_PRICE
    assert job_view(ended.pk, base_url="").lyrics == ended.lyrics
    assert check_books() == []


@pytest.mark.parametrize(("own_seconds", "least", "most"), [(900, 20, 30), (10, 10, 10)])
def test_song_has_no_more_time_than_its_writer_left(world: World, own_seconds: int, least: int, most: int) -> None:
    world.mapping.upstream.deadline_seconds = own_seconds
    world.mapping.upstream.save()
    work = replace(claimed(submitted(world)), deadline=timezone.now() + timedelta(seconds=30))

    async def kept(of: Work, text: WrittenLyrics) -> bool:
        return True

    async def story() -> Work:
        return await write_first(work, work.writing, kept)  # type: ignore[arg-type]

    ready = asyncio.run(story())

    assert least <= ready.access.deadline_seconds <= most


def test_text_is_charged_once_for_several_takes(world: World) -> None:
    job = submitted(world, takes=3)
    work = claimed(job)
    assert keep_written(work, TEXT)

    ended = sung(work, wav(1), wav(2), wav(3))

    assert ended.charged_micro == 3 * SONG_PRICE + TEXT_PRICE
    assert [track.charged_micro for track in Track.unscoped.all()] == [SONG_PRICE + TEXT_PRICE, SONG_PRICE, SONG_PRICE]


def test_retry_finds_the_text_and_does_not_have_it_written_again(world: World) -> None:
    job = submitted(world)
    first = claimed(job)
    assert keep_written(first, TEXT)
    retry_or_fail(first, ProviderError("upstream_error", "Wait.", seen="not_made", retryable=True, retry_after=0))

    again = claimed(due_now(job))

    assert (again.writing, again.song.lyrics) == (None, TEXT.lyrics)
    assert sung(again).charged_micro == SONG_PRICE + TEXT_PRICE
    assert log_of(job).count("lyrics") == 1


def test_song_that_fails_costs_nothing_not_for_its_text_either(world: World) -> None:
    work = claimed(submitted(world))
    assert keep_written(work, TEXT)

    retry_or_fail(work, ProviderError("content_policy", "No.", seen="not_made"))

    assert (Job.unscoped.get().charged_micro, spent(world)) == (0, (0, 0))


def test_text_of_a_job_that_has_ended_orders_no_song(world: World) -> None:
    work = claimed(submitted(world))
    assert settle(work.job_id, token=work.token)
    assert not keep_written(work, TEXT)

    async def gone(of: Work, text: WrittenLyrics) -> bool:
        return False

    async def story() -> None:
        await write_first(work, work.writing, gone)  # type: ignore[arg-type]

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(story())


def test_test_key_is_written_for_by_rehearsal(world: World) -> None:
    from catalog.models import Upstream

    Upstream.unscoped.filter(slug="desk").update(provider="minimax", base_url="https://paid.example.org")
    job = submitted(world)
    Job.unscoped.update(live=False, upstream=None)

    work = claimed(job)

    assert work.writing is not None
    assert (work.writing.provider, work.writing.access.base_url) == ("rehearsal", "")


def test_text_by_tokens_is_counted_by_itself(world: World) -> None:
    LlmMapping.objects.get(operation="lyrics").sale_prices.prices.update(unit=Unit.THOUSAND_TOKENS)
    work = claimed(submitted(world, prompt="x" * 40, takes=2))
    assert keep_written(work, TEXT)

    assert sung(work, wav(), wav()).charged_micro == 2 * SONG_PRICE + 16 * TEXT_PRICE // 1000


def test_own_model_of_an_organization_pays_for_the_text_alone(world: World) -> None:
    own = Organization.objects.create(name="Own", slug="own", parent=world.seller, is_reseller=True)
    world.mapping.llm.owner = own
    world.mapping.llm.save()
    world.mapping.upstream.organization = own
    world.mapping.upstream.save()
    quote = quote_order(order(), caller=replace(caller_of(own))).quote

    assert (quote.amount_micro, quote.charges) == (TEXT_PRICE, 1)
    assert [(leg.kind, leg.is_for_text) for leg in quote.legs] == [("sale", True), ("cost", False), ("cost", True)]


def test_text_longer_than_the_song_takes_is_cut_at_a_line() -> None:
    assert within("one\ntwo\nthree", 9) == "one\ntwo"
    assert within("one\ntwo", 7) == "one\ntwo"


class Mute(Rehearsal):
    async def write(self, request: LyricsRequest, upstream: UpstreamAccess) -> WrittenLyrics:
        return WrittenLyrics(lyrics=" \n")


class Musician:
    """Makes songs alone."""


@pytest.mark.parametrize(("writer", "seen"), [(Mute(), "unknown"), (Musician(), "not_made")])
def test_writer_that_gives_no_text_has_failed(monkeypatch: pytest.MonkeyPatch, writer: object, seen: str) -> None:
    monkeypatch.setattr(writing_service, "provider_named", lambda slug: writer)

    with pytest.raises(ProviderError) as error:
        asyncio.run(write(LyricsRequest(prompt="x"), "any", None))  # type: ignore[arg-type]

    assert (error.value.code, error.value.seen) == ("upstream_error", seen)
