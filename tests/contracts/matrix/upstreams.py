"""Every kind of upstream, with a model behind it as the demo's offer describes that vendor's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import yaml

from catalog.models import Llm, LlmCatalog, LlmMapping, LlmStatus, Upstream
from generation.services.demo import OFFER
from tests.contracts.matrix.examples import ENDPOINT, EXAMPLES
from tests.contracts.providers.upstreams import CREDENTIAL
from tests.generation.worlds import World


@dataclass(frozen=True)
class Kind:
    """A kind of upstream. `model` is a name of the demo's offer, `more` what that row has in this form of the wire."""

    provider: str
    shape: str = ""
    model: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)
    endpoint: str = ""


SINGER: Final = {
    "prompt": "required",
    "lyrics": "required",
    "instrumental": "exact",
    "duration": "exact",
    "seed": True,
}
"""A model at a service that only its owner has described."""

KINDS: Final[Mapping[str, Kind]] = {
    "minimax 2.5": Kind("minimax", model="music-2.5"),
    "minimax 2.6": Kind("minimax", model="music-2.6"),
    "lyria": Kind("lyria", "endpoint", "MaaS_Lyria_3_pro_preview", endpoint="corner"),
    "mureka": Kind("mureka", "maas", "MaaS_Mureka_v7.6", endpoint="their-mureka"),
    "mureka, official": Kind("mureka", "official", "MaaS_Mureka_v7.6", {"instrumental": "exact"}),
    "musicgen_http": Kind("musicgen_http", model="musicgen-small"),
    "openai_music": Kind("openai_music", more=SINGER),
    "openai_music, a Tutti": Kind("openai_music", "tutti", more=SINGER),
    "rehearsal": Kind("rehearsal", model="rehearsal"),
}


@cache
def described() -> dict[str, dict[str, Any]]:
    """The rows of the demo's offer by the model's name."""
    return {model["name"]: model for model in yaml.safe_load(OFFER.read_text())["models"]}


def put_on_sale(world: World, kind: Kind, base_url: str) -> LlmMapping:
    """The model, under every name by which an example orders one; it continues songs where its row says so."""
    row = described().get(kind.model, {"capabilities": {}, "limits": {"prompt": [1, 2000], "takes_max": 3}})
    capabilities = {**row["capabilities"], **kind.more}
    upstream = Upstream.unscoped.create(
        organization=world.seller,
        slug="behind",
        name="behind",
        provider=kind.provider,
        base_url=base_url,
        credential=CREDENTIAL,
    )
    ordered_as = {str(example.body["model"]) for example in EXAMPLES.values() if "model" in example.body}
    llm = Llm.objects.create(
        owner=world.seller,
        provider=world.provider,
        public_name="song-of-theirs",
        aliases=sorted(ordered_as),
        upstream_model="their-song-1",
        status=LlmStatus.PUBLISHED,
        capabilities=capabilities,
        limits=row["limits"],
    )
    LlmCatalog.objects.get_or_create(id="music_extend", defaults={"name": "Music extension"})
    works = [("music_gen", "generate")] + [("music_extend", "extend")] * bool(capabilities.get("extend"))
    mappings = [
        LlmMapping.objects.create(
            llm=llm,
            catalog_id=catalog,
            upstream=upstream,
            operation=operation,
            upstream_shape=kind.shape,
            upstream_endpoint=kind.endpoint,
            endpoint_slug=ENDPOINT if operation == "generate" else None,
            default_for_wires=["musicgen"] if operation == "generate" else [],
            poll_seconds=0.02,
            sale_prices=world.mapping.sale_prices,
            cost_prices=world.mapping.cost_prices,
        )
        for catalog, operation in works
    ]
    return mappings[0]
