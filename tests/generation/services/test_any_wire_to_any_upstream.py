"""The documented example of each wire, ordered from a model behind each kind of upstream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from billing.models import Hold
from catalog.models import Llm, LlmCatalog, LlmMapping, LlmStatus, Upstream
from generation.contract import Order, Refusal
from generation.dialects.chat import Chat
from generation.dialects.digits import digits_of
from generation.dialects.lyria import Lyria
from generation.dialects.minimax import MiniMax
from generation.dialects.musicgen import MusicGen
from generation.dialects.openai_music import OpenAIMusic
from generation.dialects.registry import MUREKA_OFFICIAL
from generation.models import Job, Track
from generation.services.quoting import quote_order
from generation.services.submit import submit
from tests.generation.worlds import World, finished, submitted

DELIVERS: Final = "delivers"
LYRICS: Final = "[Verse 1]\nYouth blooms like a flower\n[Chorus]\nYouth and dreams"


@dataclass(frozen=True)
class Kind:
    """A kind of upstream, and what the model behind it promises."""

    provider: str
    shape: str = ""
    capabilities: dict[str, Any] = field(default_factory=dict)
    continues: bool = False


MUREKA: Final = {"prompt": "optional", "lyrics": "required", "extend": True, "references": ["reference", "vocal"]}
MUSICGEN: Final = {
    "instrumental": "always",
    "duration": "exact",
    "seed": True,
    "sampling": ["top_k", "top_p", "temperature", "cfg_coef"],
    "enhance": True,
    "extend": True,
}
SINGER: Final = {"lyrics": "required", "instrumental": "exact", "duration": "exact", "seed": True}
EVERYTHING: Final = {
    "prompt": "optional",
    "lyrics": "optional",
    "instrumental": "exact",
    "lyrics_optimizer": True,
    "duration": "exact",
    "extend": True,
    "streaming": "live",
}

KINDS: Final = {
    "minimax 2.5": Kind("minimax", capabilities={"prompt": "optional", "lyrics": "required", "streaming": "live"}),
    "minimax 2.6": Kind(
        "minimax",
        capabilities={
            "prompt": "optional",
            "lyrics": "required",
            "instrumental": "exact",
            "lyrics_optimizer": True,
            "streaming": "live",
        },
    ),
    "lyria": Kind(
        "lyria",
        capabilities={"prompt": "optional", "lyrics": "optional", "instrumental": "wish", "duration": "wish"},
    ),
    "mureka": Kind("mureka", "maas", MUREKA, continues=True),
    "mureka official": Kind("mureka", "official", {**MUREKA, "instrumental": "exact"}, continues=True),
    "musicgen": Kind("musicgen", capabilities=MUSICGEN, continues=True),
    "musicgen_http": Kind("musicgen_http", capabilities=MUSICGEN),
    "openai_music": Kind("openai_music", capabilities=SINGER),
    "openai_music, a Tutti": Kind("openai_music", "tutti", SINGER),
    "rehearsal": Kind("rehearsal", capabilities=EVERYTHING, continues=True),
}

MESSAGE: Final = "Upbeat pop song about a summer road trip, catchy chorus, female vocal"


def openai_music() -> Order:
    body = {"model": "m", "catelogid": "music_gen", "prompt": "A bright pop song", "lyrics": LYRICS}
    audio = {"sample_rate": 44100, "bitrate": 256000, "format": "mp3"}
    return OpenAIMusic().parse({**body, "output_format": "url", "audio_setting": audio}, {})


def openai_music_instrumental() -> Order:
    body = {"model": "m", "catelogid": "music_gen", "prompt": "A bright pop song", "instrumental": True}
    return OpenAIMusic().parse(body, {})


def lyria() -> Order:
    body = {
        "contents": [{"role": "user", "parts": [{"text": MESSAGE}]}],
        "generationConfig": {"responseModalities": ["AUDIO", "TEXT"]},
    }
    return Lyria().parse(body, {"model": "m"})


def chat() -> Order:
    messages = [{"role": "user", "content": MESSAGE}]
    return Chat().parse({"model": "m", "stream": False, "messages": messages, "modalities": ["audio", "text"]}, {})


def musicgen(duration: int | None = None) -> Order:
    sampling = {"mbd": False, "top_k": 250, "top_p": 0.0, "temperature": 1.0, "cfg_coef": 3.0}
    return MusicGen().parse({"model": "m", "description": "Bright synthesizers", "duration": duration, **sampling}, {})


def musicgen_of_fifteen_seconds() -> Order:
    return musicgen(15)


def minimax() -> Order:
    audio = {"sample_rate": 44100, "bitrate": 256000, "format": "mp3"}
    body = {"model": "m", "prompt": "Indie folk, melancholic", "lyrics": LYRICS, "audio_setting": audio}
    return MiniMax().parse(body, {})


def mureka() -> Order:
    body = {"model": "m", "lyrics": LYRICS, "n": 1, "stream": True, "prompt": "A song of youth"}
    return MUREKA_OFFICIAL.parse(body, {"call": "song/generate"})


def mureka_extend() -> Order:
    """Of the one song that there is."""
    body = {"model": "m", "song_id": digits_of(str(Track.unscoped.get().pk)), "extend_at": "8000", "lyrics": LYRICS}
    return MUREKA_OFFICIAL.parse(body, {"call": "song/extend"})


ORDERS: Final = {
    order.__name__: order
    for order in (
        openai_music,
        openai_music_instrumental,
        lyria,
        chat,
        musicgen_of_fifteen_seconds,
        musicgen,
        minimax,
        mureka,
        mureka_extend,
    )
}
NO_LYRICS: Final = dict.fromkeys(("minimax 2.5", "mureka", "mureka official", "openai_music"), "lyrics") | {
    "openai_music, a Tutti": "lyrics"
}
NO_VOICE: Final = dict.fromkeys(("musicgen", "musicgen_http"), "lyrics")
REFUSED: Final[dict[str, dict[str, str]]] = {
    "openai_music": NO_VOICE,
    "openai_music_instrumental": dict.fromkeys(("minimax 2.5", "mureka", "openai_music"), "instrumental"),
    "lyria": NO_LYRICS,
    "chat": NO_LYRICS,
    "musicgen_of_fifteen_seconds": dict.fromkeys(
        ("minimax 2.5", "minimax 2.6", "mureka", "mureka official", "openai_music"), "duration"
    ),
    "musicgen": dict.fromkeys(("minimax 2.5", "mureka", "openai_music"), "lyrics"),
    "minimax": NO_VOICE,
    "mureka": NO_VOICE,
    "mureka_extend": NO_VOICE
    | dict.fromkeys(("minimax 2.5", "minimax 2.6", "lyria", "openai_music", "openai_music, a Tutti"), "song_id"),
}
"""The field that is named; every other pair delivers."""


def put_on_sale(world: World, kind: Kind) -> None:
    slug = "behind"
    upstream = Upstream.unscoped.create(organization=world.seller, slug=slug, name=slug, provider=kind.provider)
    llm = Llm.objects.create(
        owner=world.seller,
        provider=world.provider,
        public_name="m",
        upstream_model="m-1",
        status=LlmStatus.PUBLISHED,
        capabilities=kind.capabilities,
        limits={"prompt": [0, 2000], "takes_max": 3},
    )
    kinds = {"music_gen": "generate"} | ({"music_extend": "extend"} if kind.continues else {})
    for catalog, operation in kinds.items():
        LlmMapping.objects.create(
            llm=llm,
            catalog=LlmCatalog.objects.get_or_create(id=catalog, defaults={"name": catalog})[0],
            upstream=upstream,
            operation=operation,
            upstream_shape=kind.shape,
            sale_prices=world.mapping.sale_prices,
        )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wire", ORDERS)
def test_example_of_a_wire_is_delivered_or_refused_by_name(world: World, wire: str, kind: str) -> None:
    LlmCatalog.objects.create(id="music_extend", name="Extension")
    put_on_sale(world, KINDS[kind])
    finished(submitted(world))
    order = ORDERS[wire]()

    try:
        submit(order, caller=world.caller, dialect=wire, idempotency_key=None, body={})
        outcome = DELIVERS
    except Refusal as refusal:
        outcome = str(refusal.param)

    assert outcome == REFUSED[wire].get(kind, DELIVERS)
    is_taken = outcome == DELIVERS
    assert (Job.unscoped.count(), Hold.unscoped.count()) == (1 + is_taken, 1 + is_taken)


def test_every_wire_has_its_line() -> None:
    assert set(REFUSED) == set(ORDERS)


def test_words_that_are_missing_are_left_to_the_model_that_writes_its_own(world: World) -> None:
    put_on_sale(world, KINDS["minimax 2.6"])

    assert quote_order(chat(), caller=world.caller).song.write_lyrics
    assert not quote_order(musicgen(), caller=world.caller).song.write_lyrics


def test_wishes_are_said(world: World) -> None:
    put_on_sale(world, KINDS["lyria"])

    assert quote_order(musicgen(15), caller=world.caller).approximated == ("instrumental", "duration")


def test_refusal_names_the_models_whose_upstream_carries_the_field(world: World) -> None:
    put_on_sale(world, KINDS["openai_music"])
    promising = world.mapping.llm  # on rehearsal, which carries everything
    promising.capabilities = {"duration": "exact"}
    promising.save()

    with pytest.raises(Refusal) as refused:
        quote_order(musicgen(15), caller=world.caller)

    assert refused.value.message == "m does not take 'duration'. Models that take it: test-song."
