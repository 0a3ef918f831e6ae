"""Who writes lyrics for an order that brought none: found when it is quoted, and called before its song is made."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Final

from django.utils import timezone

from accounts.models import Organization
from catalog.capabilities import Bounds, Capabilities, Limits, code_points
from catalog.models import LlmMapping
from catalog.models.llm import LYRICS
from catalog.quotes import Quote
from catalog.services.lookup import ModelNotFound, find_default, find_offer
from catalog.services.quote import NotForSale, quote
from generation.contract import LyricsRequest, Order, Refusal, SongRequest
from generation.models import Job
from generation.providers.base import UpstreamAccess

_OWN_REFERENCE: Final = "lyrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What is to be written before a song, and by whom. `longest` is what the song's model takes, in characters."""

    provider: str
    access: UpstreamAccess
    request: LyricsRequest
    longest: int


def refuse_texts(order: Order, mapping: LlmMapping) -> None:
    """A model that writes texts makes no song. Raises Refusal."""
    if mapping.sells_texts:
        name = order.names.get("model", "model")
        raise Refusal(
            "invalid_parameter",
            f"{order.model} writes lyrics and makes no songs: order them at /v1/lyrics_generation.",
            param=name,
        )


def with_writer(
    order: Order, mapping: LlmMapping, capabilities: Capabilities, organization: Organization
) -> tuple[Order, Capabilities, LlmMapping | None]:
    """The order as its model is asked, and who writes its lyrics; None where it has some, or nobody has to.

    A mapping says `write_lyrics` for a model that needs lyrics and cannot write them itself. Raises Refusal.
    """
    song = order.song
    is_left_to_us = mapping.write_lyrics and not capabilities.lyrics_optimizer
    is_wanted = capabilities.lyrics == "required" or (song.write_lyrics and capabilities.lyrics != "none")
    if not is_left_to_us or not is_wanted or song.lyrics or song.instrumental:
        return order, capabilities, None
    writer = find_default(organization=organization, catalog=LYRICS, operation=LYRICS)
    if writer is None or not (song.prompt or song.title):
        return order, capabilities, None
    refuse_long_prompt(order, Limits.from_json(writer.llm.limits), writer.llm.public_name)
    # What is written before it is made is no concern of the model any more.
    return replace(order, song=replace(song, write_lyrics=False)), replace(capabilities, lyrics="optional"), writer


def refuse_long_prompt(order: Order, limits: Limits, writer: str) -> None:
    """Raises Refusal naming field and limit; a writer may be given fewer words than the song's own model."""
    length, most = code_points(order.song.prompt), limits.prompt.maximum
    if length > most:
        name = order.names.get("prompt", "prompt")
        rule = f"'{name}' must be {Bounds(0, most)} characters for {writer}, which writes the lyrics."
        raise Refusal("invalid_parameter", f"{rule} This one is {length}.", param=name)


def with_text_price(song: Quote, writer: LlmMapping | None, organization: Organization) -> Quote:
    """The quote with the price of the text added, where one is written. Raises Refusal."""
    return song if writer is None else song.with_text(text_quote(writer, organization))


def text_quote(writer: LlmMapping, organization: Organization) -> Quote:
    """What one text costs at most. Raises Refusal."""
    try:
        return quote(
            writer,
            organization=organization,
            takes=1,
            duration_seconds=None,
            format="",
            instrumental=False,
            at=timezone.now(),
        )
    except NotForSale as no_price:
        raise Refusal("model_not_found", str(no_price), param="model") from None


def find_text_offer(*, organization: Organization, model: str, wire: str) -> LlmMapping:
    """The offer that an order for a text means: by name, else the wire's default. Raises Refusal."""
    try:
        offer = find_offer(organization=organization, catalog=LYRICS, model=model, wire=wire)
    except ModelNotFound as missing:
        message = missing.message if model else "No model writes lyrics here: the offer names none for this call."
        raise Refusal("model_not_found", message, param="model") from None
    if not offer.sells_texts:
        raise Refusal("model_not_found", f"{offer.llm.public_name} writes no lyrics.", param="model")
    return offer


def writing_of(job: Job, provider: str, access: UpstreamAccess) -> Writing | None:
    """What is to be written before this job's song is made; None where nothing is, or where it has been written.

    `provider` and `access` are those of the song.
    """
    if job.writer is None or job.lyrics is not None:
        return None
    song = job.song
    # Another order than the song's, perhaps at the same upstream.
    access = replace(access, reference=str(uuid.uuid5(uuid.UUID(access.reference), _OWN_REFERENCE)))
    if job.live:
        # A test key never reaches a paid upstream: who plays its songs writes their lyrics too.
        provider, access = job.writer.upstream.provider, _at(job.writer, access)
    return Writing(
        provider=provider,
        access=access,
        request=LyricsRequest(prompt=song.prompt or song.title or "", title=song.title, seed=song.seed),
        longest=int(Limits.from_json(job.mapping.llm.limits).lyrics.maximum),
    )


def _at(writer: LlmMapping, access: UpstreamAccess) -> UpstreamAccess:
    upstream = writer.upstream
    return replace(
        access,
        base_url=upstream.base_url,
        credential=upstream.credential,
        model=writer.llm.upstream_model,
        endpoint=writer.upstream_endpoint,
        shape=writer.upstream_shape,
        connect_seconds=upstream.connect_seconds,
        deadline_seconds=min(access.deadline_seconds, upstream.deadline_seconds),
        poll_seconds=writer.poll_seconds,
    )


def with_written(job: Job, song: SongRequest) -> SongRequest:
    """The song with the lyrics that an earlier attempt had written for it."""
    return song if job.writer_id is None or job.lyrics is None else replace(song, lyrics=job.lyrics)
