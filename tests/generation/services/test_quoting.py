from __future__ import annotations

from dataclasses import replace

import pytest

from catalog.models import Llm, LlmCatalog, LlmMapping, LlmStatus, Upstream
from generation.contract import Extend, Order, Refusal, Sampling, SongRequest
from generation.dialects.chat import Chat
from generation.dialects.musicgen import MusicGen
from generation.models import Job
from generation.services.quoting import quote_order
from tests.generation.worlds import SONG_PRICE, World, order

pytestmark = pytest.mark.both_databases


def refusal(world: World, **song) -> tuple[str, str | None, str]:
    with pytest.raises(Refusal) as refused:
        quote_order(order(**song), caller=world.caller)
    return refused.value.code, refused.value.param, refused.value.message


def test_quote_is_the_price_of_all_takes_and_has_no_side_effect(world: World) -> None:
    offer = quote_order(order(takes=3), caller=world.caller)

    assert offer.quote.amount_micro == 3 * SONG_PRICE
    assert Job.unscoped.count() == 0


def test_quote_of_an_unknown_model_is_refused_by_name(world: World) -> None:
    assert refusal(world, model="nobody") == (
        "model_not_found",
        "model",
        "There is no model 'nobody' in the catalog 'music_gen'.",
    )


def test_quote_in_an_unknown_catalog_is_refused_by_name(world: World) -> None:
    assert refusal(world, catalog="nowhere")[:2] == ("model_not_found", "catelogid")


def at_endpoint(world: World, *, model: str = "", catalog: str = "music_gen") -> Order:
    world.mapping.endpoint_slug = "corner"
    world.mapping.llm.aliases = ["tune"]
    world.mapping.save()
    world.mapping.llm.save()
    return Order(song=SongRequest(prompt="a tune"), model=model, catalog=catalog, endpoint="corner")


@pytest.mark.parametrize(
    ("model", "name"),
    [("", "test-song"), ("test-song", "test-song"), ("tune", "tune"), ("test-song-1", "test-song-1")],
)
def test_quote_at_an_endpoint_is_for_its_model_by_the_name_that_was_given(world: World, model: str, name: str) -> None:
    offer = quote_order(at_endpoint(world, model=model), caller=world.caller)

    assert (offer.mapping, offer.model) == (world.mapping, name)


def test_quote_at_an_endpoint_for_another_model_is_refused(world: World) -> None:
    with pytest.raises(Refusal) as refused:
        quote_order(at_endpoint(world, model="other"), caller=world.caller)

    assert (refused.value.code, refused.value.param, refused.value.message) == (
        "invalid_parameter",
        "model",
        "The endpoint 'corner' is for test-song, not for 'other'.",
    )


def test_quote_at_an_endpoint_that_is_not_there_is_refused(world: World) -> None:
    with pytest.raises(Refusal) as refused:
        quote_order(order(endpoint="nowhere"), caller=world.caller)

    assert (refused.value.code, refused.value.message) == ("not_found", "There is no endpoint 'nowhere'.")


def test_quote_at_an_endpoint_for_another_kind_of_work_is_for_the_same_model_there(world: World) -> None:
    given = at_endpoint(world, catalog="music_two")
    with pytest.raises(Refusal) as refused:
        quote_order(given, caller=world.caller)
    there = LlmMapping.objects.create(
        llm=world.mapping.llm,
        catalog=LlmCatalog.objects.create(id="music_two", name="Two"),
        upstream=world.mapping.upstream,
        sale_prices=world.mapping.sale_prices,
    )

    assert refused.value.code == "model_not_found"
    assert quote_order(given, caller=world.caller).mapping == there


def test_message_about_a_model_that_was_not_named_names_it(world: World) -> None:
    world.mapping.llm.limits = {"prompt": [1, 3]}

    with pytest.raises(Refusal) as refused:
        quote_order(at_endpoint(world), caller=world.caller)

    assert refused.value.message == "'prompt' must be 1-3 characters for test-song; this one is 6."


def test_quote_for_a_model_with_a_length_of_its_own_is_for_that_length(world: World) -> None:
    world.mapping.llm.limits = {"prompt": [1, 100], "default_duration_seconds": 12}
    world.mapping.llm.save()

    assert quote_order(order(), caller=world.caller).song.duration_seconds == 12.0


def test_quote_of_a_continuation_without_its_song_is_refused(world: World) -> None:
    world.mapping.operation = "extend"
    world.mapping.save()

    assert refusal(world)[:2] == ("missing_parameter", "extend")


def test_quote_of_a_field_the_model_cannot_convey_names_the_field_and_who_could(world: World) -> None:
    assert refusal(world, sampling=Sampling(top_k=50)) == (
        "unsupported_parameter",
        "top_k",
        "test-song does not take 'top_k'. No model on offer takes it.",
    )


@pytest.mark.parametrize(
    ("song", "param", "limit"),
    [
        ({"prompt": "x" * 101}, "prompt", "'prompt' must be 1-100 characters for test-song; this one is 101."),
        ({"lyrics": "la " * 101}, "lyrics", "'lyrics' must be 1-300 characters for test-song; this one is 303."),
        ({"takes": 4}, "takes", "'takes' must be 1-3 takes for test-song; this one is 4."),
        (
            {"duration_seconds": 301.0},
            "duration_seconds",
            "'duration_seconds' must be 1-300 seconds for test-song; this one is 301.",
        ),
    ],
)
def test_quote_beyond_a_limit_names_field_and_limit(world: World, song: dict, param: str, limit: str) -> None:
    assert refusal(world, **song) == ("invalid_parameter", param, limit)


def test_quote_counts_composed_characters_once(world: World) -> None:
    decomposed = "e\u0301" * 100

    assert quote_order(order(prompt=decomposed), caller=world.caller).quote.amount_micro == SONG_PRICE


def test_quote_without_lyrics_for_a_model_that_sings_is_refused(world: World) -> None:
    world.mapping.llm.capabilities = {"lyrics": "required"}
    world.mapping.llm.save()

    assert refusal(world) == ("missing_parameter", "lyrics", "Missing required parameter: lyrics")


def test_quote_of_lyrics_for_a_model_without_a_voice_is_refused(world: World) -> None:
    world.mapping.llm.capabilities = {"lyrics": "none"}
    world.mapping.llm.save()

    assert refusal(world, lyrics="la la")[:2] == ("unsupported_parameter", "lyrics")


def test_quote_says_which_fields_are_only_a_wish(world: World) -> None:
    world.mapping.llm.capabilities = {"lyrics": "optional", "duration": "wish"}
    world.mapping.llm.save()

    assert quote_order(order(duration_seconds=30.0), caller=world.caller).approximated == ("duration_seconds",)


def test_quote_without_a_model_is_for_the_default_of_the_wire(world: World) -> None:
    world.mapping.default_for_wires = ["mureka"]
    world.mapping.save()
    given = Order(song=SongRequest(prompt="a tune"), model="", catalog="music_gen", wire_default="mureka")

    offer = quote_order(given, caller=world.caller)

    assert (offer.mapping, offer.model) == (world.mapping, "test-song")


def test_quote_without_a_model_on_a_wire_without_a_default_is_refused(world: World) -> None:
    given = Order(song=SongRequest(prompt="a tune"), model="", catalog="music_gen", wire_default="mureka")

    with pytest.raises(Refusal) as refused:
        quote_order(given, caller=world.caller)

    assert (refused.value.code, refused.value.param) == ("model_not_found", "model")


def test_quote_to_continue_at_an_endpoint_that_continues_nothing_names_the_field(world: World) -> None:
    given = replace(
        at_endpoint(world, catalog="music_extend"),
        song=SongRequest(lyrics="la", extend=Extend(track="01890a5d-ac96-774b-bcce-b302099a8057", at_ms=8000)),
        names={"extend": "song_id"},
    )

    with pytest.raises(Refusal) as refused:
        quote_order(given, caller=world.caller)

    assert (refused.value.code, refused.value.param, refused.value.message) == (
        "unsupported_parameter",
        "song_id",
        "test-song does not take 'song_id'. No model on offer takes it.",
    )


# --- By what the upstream carries ---------------------------------------------------------------------------------


def put_on_sale(world: World, provider: str, **capabilities: str | bool) -> None:
    """The model "m", behind an upstream of another kind."""
    llm = Llm.objects.create(
        owner=world.seller,
        provider=world.provider,
        public_name="m",
        upstream_model="m-1",
        status=LlmStatus.PUBLISHED,
        capabilities=capabilities,
        limits={"prompt": [0, 2000]},
    )
    LlmMapping.objects.create(
        llm=llm,
        catalog=world.mapping.catalog,
        upstream=Upstream.unscoped.create(organization=world.seller, slug="behind", name="Behind", provider=provider),
        sale_prices=world.mapping.sale_prices,
    )


def chat() -> Order:
    return Chat().parse({"model": "m", "messages": [{"role": "user", "content": "A pop song"}]}, {})


def musicgen(duration: int | None = None) -> Order:
    return MusicGen().parse({"model": "m", "description": "Bright synthesizers", "duration": duration}, {})


def test_words_that_are_missing_are_left_to_the_model_that_writes_its_own(world: World) -> None:
    put_on_sale(world, "minimax", lyrics="required", instrumental="exact", lyrics_optimizer=True)

    assert quote_order(chat(), caller=world.caller).song.write_lyrics
    assert not quote_order(musicgen(), caller=world.caller).song.write_lyrics


def test_wishes_are_said(world: World) -> None:
    put_on_sale(world, "lyria", lyrics="optional", instrumental="wish", duration="wish")

    assert quote_order(musicgen(15), caller=world.caller).approximated == ("instrumental", "duration")


def test_refusal_names_the_models_whose_upstream_carries_the_field(world: World) -> None:
    put_on_sale(world, "openai_music", lyrics="required", instrumental="exact", duration="exact")
    promising = world.mapping.llm  # on rehearsal, which carries everything
    promising.capabilities = {"duration": "exact"}
    promising.save()

    with pytest.raises(Refusal) as refused:
        quote_order(musicgen(15), caller=world.caller)

    assert refused.value.message == "m does not take 'duration'. Models that take it: test-song."
