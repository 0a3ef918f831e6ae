from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from jsonschema import Draft202012Validator

from accounts.models import Organization
from billing.money import micro
from catalog.models import Llm, LlmCatalog, LlmMapping, LlmStatus, Price, Unit
from tests.generation.shops import Shop
from tests.generation.worlds import program


async def test_a_model_is_shown_with_what_it_can_do_and_costs(shop: Shop) -> None:
    body = (await shop.get("/v1/models/test-song")).json()

    assert {name: body[name] for name in ("id", "object", "created", "owned_by", "catelogs", "price", "currency")} == {
        "id": "test-song",
        "object": "model",
        "created": 0,
        "owned_by": "studio",
        "catelogs": ["music_gen"],
        "price": [{"unit": "song", "price": "2.50", "filters": {}}],
        "currency": "credits",
    }
    assert (body["capabilities"]["lyrics"], body["limits"]["takes_max"]) == ("optional", 3)
    assert body["input_schema"]["properties"]["n"]["maximum"] == 3


async def test_models_are_listed(shop: Shop) -> None:
    body = (await shop.get("/v1/models")).json()

    assert (body["object"], [model["id"] for model in body["data"]]) == ("list", ["test-song"])


async def test_a_model_in_two_kinds_of_work_is_one_model(shop: Shop) -> None:
    def put_into_another_catalog() -> None:
        mapping = shop.world.mapping
        other = LlmCatalog.objects.create(id="music_extend", name="Extend")
        LlmMapping.objects.create(
            llm=mapping.llm, catalog=other, upstream=mapping.upstream, sale_prices=mapping.sale_prices
        )

    await shop.behind(put_into_another_catalog)

    assert [model["catelogs"] for model in (await shop.get("/v1/models")).json()["data"]] == [
        ["music_gen", "music_extend"]
    ]


async def test_a_model_is_found_by_an_alias(shop: Shop) -> None:
    shop.world.mapping.llm.aliases = ["song-latest"]
    await shop.behind(shop.world.mapping.llm.save)

    assert (await shop.get("/v1/models/song-latest")).json()["id"] == "test-song"


async def test_models_of_strangers_are_not_shown(shop: Shop) -> None:
    def strangers_offer() -> None:
        stranger = Organization.objects.create(name="Stranger", slug="stranger", is_platform=True)
        llm = Llm.objects.create(
            owner=stranger,
            provider=stranger,
            public_name="secret-song",
            upstream_model="s",
            status=LlmStatus.PUBLISHED,
        )
        mapping = shop.world.mapping
        LlmMapping.objects.create(
            llm=llm, catalog=mapping.catalog, upstream=mapping.upstream, sale_prices=program(stranger, "secret", 1)
        )

    await shop.behind(strangers_offer)

    assert [model["id"] for model in (await shop.get("/v1/models")).json()["data"]] == ["test-song"]
    assert (await shop.get("/v1/models/secret-song")).status_code == 404
    assert len((await shop.get("/v1/pricing")).json()["data"]) == 1


async def test_kinds_of_work_are_listed(shop: Shop) -> None:
    assert (await shop.get("/v1/models/catelog")).json()["data"] == [
        {"id": "music_gen", "object": "catelog", "name": "Music generation", "description": ""}
    ]


async def test_prices_in_force_are_listed(shop: Shop) -> None:
    now = timezone.now()
    prices = shop.world.mapping.sale_prices

    def more_prices() -> None:
        Price.objects.create(
            program=prices, unit=Unit.SECOND, amount_micro=micro("0.01"), filters={"format": "wav"}, valid_from=now
        )
        Price.objects.create(program=prices, unit=Unit.SONG, amount_micro=1, valid_from=now + timedelta(days=1))

    await shop.behind(more_prices)

    assert (await shop.get("/v1/pricing?model=test-song&catelogid=music_gen")).json()["data"] == [
        {
            "ppid": "test-song",
            "name": "test-song",
            "pricing_type": "combined",
            "display_text": "2.50 credits per song; 0.01 credits per second",
            "models": ["test-song"],
            "items": [
                {"unit": "song", "price": "2.50", "filters": {}},
                {"unit": "second", "price": "0.01", "filters": {"format": "wav"}},
            ],
        }
    ]


async def test_prices_are_listed_for_one_model_or_kind_of_work(shop: Shop) -> None:
    assert (await shop.get("/v1/pricing?model=other")).json()["data"] == []
    assert (await shop.get("/v1/pricing?catelogid=other")).json()["data"] == []
    assert len((await shop.get("/v1/pricing?catelogid=Music generation")).json()["data"]) == 1


async def test_what_the_upstream_cannot_carry_is_not_offered(shop: Shop) -> None:
    def move_to_minimax() -> None:
        mapping = shop.world.mapping
        mapping.upstream.provider = "minimax"
        mapping.upstream.save()
        mapping.llm.capabilities |= {"extend": True, "sampling": ["top_k"], "timings": "words"}
        mapping.llm.save()

    await shop.behind(move_to_minimax)
    body = (await shop.get("/v1/models/test-song")).json()

    shown = {name: body["capabilities"][name] for name in ("instrumental", "duration", "seed", "sampling", "extend")}
    assert shown == {"instrumental": "exact", "duration": "none", "seed": False, "sampling": [], "extend": False}
    assert {"duration", "seed", "top_k"} & set(body["input_schema"]["properties"]) == set()
    assert "instrumental" in body["input_schema"]["properties"]


async def test_a_song_can_be_continued_where_that_is_on_offer(shop: Shop) -> None:
    def sell_continuations() -> None:
        mapping = shop.world.mapping
        mapping.llm.capabilities |= {"extend": True}
        mapping.llm.save()

    def put_into_its_catalog() -> None:
        mapping = shop.world.mapping
        other = LlmCatalog.objects.create(id="music_extend", name="Extend")
        LlmMapping.objects.create(
            llm=mapping.llm,
            catalog=other,
            operation="extend",
            upstream=mapping.upstream,
            sale_prices=mapping.sale_prices,
        )

    shown = []
    for step in (sell_continuations, put_into_its_catalog):
        await shop.behind(step)
        shown.append((await shop.get("/v1/models/test-song")).json()["capabilities"]["extend"])

    assert shown == [False, True]


async def test_a_model_that_writes_is_shown_with_the_inputs_of_its_call(shop: Shop) -> None:
    def sell_texts() -> None:
        mapping = shop.world.mapping
        mapping.operation, mapping.default_for_wires = "lyrics", ["minimax"]
        mapping.save()

    await shop.behind(sell_texts)
    schema = (await shop.get("/v1/models/test-song")).json()["input_schema"]

    assert (set(schema["properties"]), schema["required"]) == (
        {"mode", "prompt", "title", "lyrics"},
        ["prompt", "mode"],
    )
    assert [is_valid(schema, order) for order in TEXTS] == [True, False, True, False, False]


TEXTS = (
    {"mode": "write_full_song", "prompt": "the sea"},
    {"mode": "edit", "prompt": "the sea"},
    {"mode": "edit", "prompt": "the sea", "lyrics": "[Verse]"},
    {"mode": "sing", "prompt": "the sea"},
    {"mode": "write_full_song"},
)


def is_valid(schema: dict[str, Any], order: dict[str, Any]) -> bool:
    return bool(Draft202012Validator(schema).is_valid(order))
