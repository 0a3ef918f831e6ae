"""A world that also sells texts, and the way of a text job by hand."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts.models import Organization
from billing.money import micro
from catalog.models import Llm, LlmCatalog, LlmMapping, LlmStatus, Price, PriceProgram, Unit, Upstream
from generation.contract import LyricsRequest, Order, SongRequest, WrittenLyrics
from generation.models import Job
from generation.services.deliver_text import deliver_text
from generation.services.submit import submit
from tests.generation.worlds import World, claimed

TEXT_PRICE = micro("0.20")
TEXT_COST = micro("0.05")
TEXT = WrittenLyrics(lyrics="[Verse]\nThe tide is low", title="Low Tide", style_tags="folk, calm")


def sell_texts(world: World, *, unit: str = Unit.REQUEST, owner: Organization | None = None) -> LlmMapping:
    """A writer of the seller's, the default of both wires that order texts, and its price for a text."""
    seller = owner or world.seller
    catalog, _ = LlmCatalog.objects.get_or_create(id="lyrics", defaults={"name": "Lyrics"})
    upstream, _ = Upstream.unscoped.get_or_create(
        slug="desk", defaults={"organization": seller, "name": "Desk", "provider": "rehearsal"}
    )
    llm = Llm.objects.create(
        owner=seller,
        provider=world.provider,
        public_name="test-words",
        upstream_model="test-words-1",
        status=LlmStatus.PUBLISHED,
        capabilities={"prompt": "optional"},
        limits={"prompt": [0, 200], "lyrics": [1, 500]},
    )
    return LlmMapping.objects.create(
        llm=llm,
        catalog=catalog,
        upstream=upstream,
        operation="lyrics",
        sale_prices=priced(seller, "words", unit, TEXT_PRICE),
        cost_prices=priced(world.provider, "words-cost", unit, TEXT_COST),
        default_for_wires=["minimax", "mureka"],
    )


def priced(owner: Organization, slug: str, unit: str, amount_micro: int) -> PriceProgram:
    program = PriceProgram.objects.create(owner=owner, slug=slug, name=slug)
    begins = timezone.now() - timedelta(days=1)
    Price.objects.create(program=program, unit=unit, amount_micro=amount_micro, valid_from=begins)
    return program


def text_order(prompt: str = "the harbour", **text: object) -> Order:
    request = LyricsRequest(prompt=prompt, **text)  # type: ignore[arg-type]
    return Order(song=SongRequest(), text=request, model="", catalog="lyrics", wire_default="minimax")


def ordered_text(world: World, *, key: str | None = None, **text: object) -> Job:
    """A text job as an order leaves it."""
    given = text_order(**text)  # type: ignore[arg-type]
    assert given.text is not None
    taken = submit(given, caller=world.caller, dialect="minimax_lyrics", idempotency_key=key, body=given.text.as_json())
    return Job.unscoped.get(pk=taken.job_id)


def delivered(job: Job, text: WrittenLyrics = TEXT) -> Job:
    """The job after its text has come."""
    assert deliver_text(claimed(job), text)
    return Job.unscoped.get(pk=job.pk)
