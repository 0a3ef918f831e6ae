"""The wire `lyria` as an upstream, beyond what every provider plays: what is sent, takes, lyrics, tokens, secrets."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from typing import Any, Final

import pytest

from generation.contract import Line, Section, sections_from_json
from generation.models import Attempt, Job, Track
from generation.providers.lyria import SHAPES
from generation.services.queries import job_view
from tests.contracts.providers.cells.lyria import COLUMNS
from tests.contracts.providers.conftest import Standin, live_through
from tests.contracts.providers.sounds import sound
from tests.contracts.providers.upstreams import CREDENTIAL, assert_paid, at_upstream, audio_of, song_of
from tests.contracts.providers.wires.lyria import ADDRESSES, LYRICS, MADE_TOKENS, PROMPT_TOKENS, RESPONSE_ID
from tests.generation.worlds import SONG_PRICE, World, submitted

SLUG: Final = "lyria"
ORDER: Final[dict[str, Any]] = {"prompt": "a song", "lyrics": "[Verse]\nla la", "duration_seconds": 1.0}
TEXT: Final = "a song\n\nAbout 1 seconds long.\n\n[Verse]\nla la"

CONTENT: Final = {
    "contents": [{"role": "user", "parts": [{"text": TEXT}]}],
    "generationConfig": {"responseModalities": ["AUDIO", "TEXT"]},
}
CHAT: Final = {
    "model": "test-song-1",
    "stream": False,
    "messages": [{"role": "user", "content": TEXT}],
    "modalities": ["audio", "text"],
}


def at_lyria(house: World, standin: Standin, scene: str, shape: str = "endpoint") -> None:
    at_upstream(house, standin, scene, provider=SLUG, shape=shape, endpoint=COLUMNS[f"lyria/{shape}"].endpoint)


# --- What was sent ------------------------------------------------------------------------------------------------


def test_every_shape_is_played() -> None:
    assert set(COLUMNS) == {f"lyria/{shape}" for shape in SHAPES}
    assert set(ADDRESSES) == set(SHAPES)


@pytest.mark.parametrize("shape", SHAPES)
def test_order_is_sent_in_the_words_of_its_shape(
    house: World, standin_of: Callable[[str], Standin], shape: str
) -> None:
    standin = standin_of(SLUG)
    at_lyria(house, standin, "good", shape)

    live_through(submitted(house, **ORDER, title="Home", format="flac"))

    [order] = standin.record["orders"]
    assert (order["method"], order["path"], order["query"]) == ("POST", ADDRESSES[shape], {})
    assert order["body"] == (CHAT if shape.endswith("chat") else CONTENT)
    key = {"x-goog-api-key": CREDENTIAL} if shape == "google" else {"authorization": f"Bearer {CREDENTIAL}"}
    signs = {name: order["headers"][name] for name in ("authorization", "x-goog-api-key") if name in order["headers"]}
    assert signs == key
    assert (order["headers"]["content-type"], order["headers"]["accept"]) == ("application/json",) * 2


def test_mapping_without_a_shape_is_at_an_endpoint(house: World, standin_of: Callable[[str], Standin]) -> None:
    standin = standin_of(SLUG)
    at_upstream(house, standin, "good", provider=SLUG, endpoint="corner")

    ended = live_through(submitted(house, **ORDER))

    assert (ended.state, standin.record["orders"][0]["path"]) == ("succeeded", ADDRESSES["endpoint"])


# --- What came of it ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["endpoint", "chat"])
def test_samples_are_the_upstreams_where_nothing_is_transcoded(
    house: World, standin_of: Callable[[str], Standin], shape: str
) -> None:
    at_lyria(house, standin_of(SLUG), "good", shape)
    job = submitted(house, format="wav")

    live_through(job)

    with wave.open(io.BytesIO(audio_of(job))) as delivered, wave.open(io.BytesIO(sound())) as given:
        assert delivered.getparams() == given.getparams()
        assert delivered.readframes(-1) == given.readframes(-1)
    assert song_of(job).upstream_id == RESPONSE_ID


@pytest.mark.parametrize("shape", ["endpoint", "chat"])
@pytest.mark.parametrize("scene", ["good", "pieces_of_text"])
def test_lyrics_that_were_written_are_told(
    house: World, standin_of: Callable[[str], Standin], scene: str, shape: str
) -> None:
    at_lyria(house, standin_of(SLUG), scene, shape)

    ended = live_through(submitted(house))

    assert ended.lyrics == LYRICS


@pytest.mark.parametrize("shape", ["endpoint", "chat"])
def test_times_in_the_text_are_those_of_the_track(
    house: World, standin_of: Callable[[str], Standin], shape: str
) -> None:
    at_lyria(house, standin_of(SLUG), "time_marks", shape)
    job = submitted(house)

    ended = live_through(job)

    assert ended.lyrics == LYRICS
    assert sections_from_json(song_of(job).sections) == (
        Section("verse", 0, 500, (Line(200, 500, "la la"),)),
        Section("chorus", 500, 800, (Line(500, 800, "lo lo"),)),
    )


# --- Several takes ------------------------------------------------------------------------------------------------


def test_takes_are_ordered_side_by_side_and_paid_each(house: World, standin_of: Callable[[str], Standin]) -> None:
    standin = standin_of(SLUG)
    at_lyria(house, standin, "good")

    ended = live_through(submitted(house, **ORDER, takes=3))

    assert [order["body"] for order in standin.record["orders"]] == [CONTENT] * 3
    assert_paid(house, ended, 3)


def test_take_that_was_blocked_is_not_paid(house: World, standin_of: Callable[[str], Standin]) -> None:
    at_lyria(house, standin_of(SLUG), "second_blocked")
    job = submitted(house, takes=2)

    ended = live_through(job)

    assert (ended.state, Track.unscoped.filter(job=job).count()) == ("succeeded", 1)
    assert_paid(house, ended, 1)


# --- Tokens -------------------------------------------------------------------------------------------------------


def priced_by_tokens(house: World, micro_per_thousand: int) -> None:
    house.mapping.sale_prices.prices.update(unit="1k tokens", amount_micro=micro_per_thousand)
    house.mapping.llm.limits |= {"max_seconds": 600}
    house.mapping.llm.save()


def told(job: Job) -> tuple[int, int]:
    tokens = job_view(job.pk, base_url="https://music.example.org").tokens
    assert tokens is not None
    return tokens.prompt, tokens.candidates


@pytest.mark.parametrize("shape", ["endpoint", "chat"])
def test_song_is_charged_by_the_tokens_its_upstream_counted(
    house: World, standin_of: Callable[[str], Standin], shape: str
) -> None:
    at_lyria(house, standin_of(SLUG), "good", shape)
    priced_by_tokens(house, 1000)
    job = submitted(house)

    ended = live_through(job)

    assert ended.charged_micro == song_of(job).charged_micro == PROMPT_TOKENS + MADE_TOKENS
    assert told(job) == (PROMPT_TOKENS, MADE_TOKENS)


def test_tokens_of_several_takes_are_summed_and_each_take_has_its_share(
    house: World, standin_of: Callable[[str], Standin]
) -> None:
    at_lyria(house, standin_of(SLUG), "good")
    priced_by_tokens(house, 1000)
    job = submitted(house, takes=3)

    ended = live_through(job)

    assert ended.charged_micro == 3 * (PROMPT_TOKENS + MADE_TOKENS)
    assert (
        list(Track.unscoped.filter(job=job).values_list("charged_micro", flat=True))
        == [PROMPT_TOKENS + MADE_TOKENS] * 3
    )
    assert told(job) == (3 * PROMPT_TOKENS, 3 * MADE_TOKENS)


def test_charge_stays_within_the_hold_however_many_tokens_are_counted(
    house: World, standin_of: Callable[[str], Standin]
) -> None:
    at_lyria(house, standin_of(SLUG), "good")
    house.mapping.sale_prices.prices.update(unit="1k tokens", amount_micro=SONG_PRICE)
    # Two seconds at most: fewer tokens than the upstream counts.
    house.mapping.llm.limits |= {"max_seconds": 2, "lyrics": [1, 10]}
    house.mapping.llm.save()
    job = submitted(house)
    held = job_view(job.pk, base_url="").price_micro

    ended = live_through(job)

    assert 0 < held < SONG_PRICE * (PROMPT_TOKENS + MADE_TOKENS) // 1000
    assert ended.charged_micro == held


# --- What is told -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["endpoint", "chat", "google"])
def test_our_key_is_told_to_nobody(
    house: World, standin_of: Callable[[str], Standin], caplog: pytest.LogCaptureFixture, shape: str
) -> None:
    at_lyria(house, standin_of(SLUG), "wrong_key", shape)
    caplog.set_level("DEBUG")

    job = submitted(house)
    ended = live_through(job)

    attempt: Any = Attempt.unscoped.get(job=job)
    assert "API key not valid: [redacted]" in caplog.text
    assert CREDENTIAL not in caplog.text + ended.error_message + attempt.error_message
