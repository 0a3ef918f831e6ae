"""What an order for a model may hold: what its row allows and the wire of its upstream carries."""

from __future__ import annotations

from catalog.capabilities import Capabilities, least
from catalog.models import LlmMapping
from generation.contract import SongRequest
from generation.providers.conveys import ceiling_of
from generation.services.asked import asked_of, lacks


def carried_by(mapping: LlmMapping) -> Capabilities:
    """The capabilities of the model as they are through this mapping: live, on test keys and in the demo alike."""
    row = Capabilities.from_json(mapping.llm.capabilities)
    ceiling = ceiling_of(mapping.upstream.provider, mapping.upstream_shape)
    return row if ceiling is None else row.within(Capabilities.from_json(ceiling))


def takes_as_well(mapping: LlmMapping, song: SongRequest, ordered: Capabilities) -> bool:
    """Whether the order may go this way instead: no field of it would be taken less exactly than was promised."""
    here = carried_by(mapping)
    if lacks(song, here) is not None:
        return False
    return all(ordered.conveys(field) == least(ordered.conveys(field), here.conveys(field)) for field in asked_of(song))
