"""Hundreds of spoilt bodies on every route that orders: each is answered in its wire's words, and none moves a credit.

Whatever is an order after all is cancelled as soon as somebody would wait for it.
"""

from __future__ import annotations

import copy
import json
import logging
import random
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from accounts.tenancy import system_scope
from billing.services.books import check_books
from billing.services.credits import balance_of, top_up
from generation.api.awaited import Waiting
from generation.models import Attempt, Event, IdempotencyKey, Job, Track, Upload
from generation.services.cancel import cancel_job
from tests.generation.shops import Shop
from tests.generation.worlds import SONG_PRICE

SEED = 20
BODIES_EACH = 100
LYRICS = "[Verse]\nla la la la la"
MODEL = "test-song"
AT_CORNER = "/v1/ai/corner"

ROUTES: dict[str, tuple[str, dict[str, Any]]] = {
    "openai_music": (
        "/v1/music/generations",
        {
            "model": MODEL,
            "catelogid": "music_gen",
            "prompt": "a quiet song",
            "lyrics": LYRICS,
            "output_format": "url",
            "audio_setting": {"sample_rate": 44100, "bitrate": 256000, "format": "mp3"},
            "transno": "one",
        },
    ),
    "quotes": (
        "/v1/music/quotes",
        {"model": MODEL, "catelogid": "music_gen", "prompt": "a quiet song", "lyrics": LYRICS},
    ),
    "minimax": (
        "/v1/music_generation",
        {
            "model": MODEL,
            "prompt": "a quiet song",
            "lyrics": LYRICS,
            "stream": False,
            "output_format": "hex",
            "audio_setting": {"sample_rate": 44100, "bitrate": 256000, "format": "mp3"},
            "aigc_watermark": False,
        },
    ),
    "lyria": (
        f"{AT_CORNER}/music/generateContent",
        {
            "contents": [{"role": "user", "parts": [{"text": f"a quiet song\n{LYRICS}"}]}],
            "generationConfig": {"responseModalities": ["AUDIO", "TEXT"]},
        },
    ),
    "chat": (
        "/v1/music/chat/completions",
        {
            "model": MODEL,
            "messages": [{"role": "user", "content": [{"type": "text", "text": f"a quiet song\n{LYRICS}"}]}],
            "modalities": ["audio", "text"],
            "stream": False,
        },
    ),
    "musicgen": (
        "/api/v1/generate_music",
        {"description": LYRICS, "duration": 15, "mbd": False, "top_k": 250, "top_p": 0.0, "temperature": 1.0},
    ),
    "mureka": (f"{AT_CORNER}/mureka/song/generate", {"lyrics": LYRICS, "prompt": "a quiet song", "n": 2}),
    "mureka_extend": (
        f"{AT_CORNER}/mureka/song/extend",
        {"lyrics": LYRICS, "extend_at": "12234", "song_id": "2061467185153"},
    ),
    "official": ("/v1/song/generate", {"lyrics": LYRICS, "model": "auto", "prompt": "a quiet song", "n": 1}),
    "official_extend": ("/v1/song/extend", {"lyrics": LYRICS, "extend_at": 8000, "upload_audio_id": "20614671"}),
    "official_instrumental": ("/v1/instrumental/generate", {"model": "auto", "prompt": "a quiet song"}),
    "minimax_lyrics": ("/v1/lyrics_generation", {"mode": "write_full_song", "prompt": "a song of the sea"}),
    "mureka_lyrics": ("/v1/lyrics/generate", {"prompt": "a song of the sea"}),
    "files": ("/v1/files", {"url": "http://127.0.0.1/song.mp3", "purpose": "voice", "filename": "song.mp3"}),
}

INFINITE = "<1e999>"
NASTY: list[Any] = [
    *(None, "", " ", True, False, 0, -1, 1.5, 2, 3, 4, 30, 2**31, 2**63, 10**400, -(10**400), 1e308, INFINITE),
    *(
        "\x00",
        "\ud800",
        "a\ud800b",
        "\u202egnos",
        "x" * 5000,
        "[" * 2000,
        "[Verse]" * 300,
        "9" * 4500,
        "1",
        "-0",
        "1e5",
    ),
    *("auto", "mp3", "pcm", "hex", "url", MODEL, "music_gen", "' OR 1=1 --", "%s{0}", "../../etc/passwd", "<script>"),
    *([], {}, [[]], [None], [{}], ["x"] * 50, {"x": {"y": []}}, {"text": 5}, [{"text": None}], [{"parts": [[]]}]),
]
NAMES = sorted(
    {name for _, body in ROUTES.values() for name in body} | {"seed", "title", "instrumental", "webhook", "n"}
)


def mutated(body: dict[str, Any], chance: random.Random) -> bytes:
    """The body with one to three things spoilt; now and then its bytes as well."""
    spoilt = copy.deepcopy(body)
    for _ in range(chance.randint(1, 3)):
        _spoil(spoilt, chance)
    text = json.dumps(spoilt).replace(f'"{INFINITE}"', "1e999").encode()
    return _spoilt_bytes(text, chance) if chance.random() < 0.1 else text


def _spoil(body: dict[str, Any], chance: random.Random) -> None:
    inside = _somewhere(body, chance)
    name = chance.choice([*inside, *NAMES]) if isinstance(inside, dict) else chance.randrange(len(inside))
    match chance.randrange(4):
        case 0 if isinstance(inside, dict):
            inside.pop(name, None)
        case 1:
            inside[name] = _nested(chance.randint(2, 300), chance)
        case _:
            inside[name] = copy.deepcopy(chance.choice(NASTY))


def _somewhere(value: Any, chance: random.Random) -> Any:
    """An object or a filled list, at any depth."""
    below = [
        one for one in (value.values() if isinstance(value, dict) else value) if isinstance(one, dict | list) and one
    ]
    return _somewhere(chance.choice(below), chance) if below and chance.random() < 0.6 else value


def _nested(depth: int, chance: random.Random) -> Any:
    value = chance.choice(NASTY)
    for _ in range(depth):
        value = [value] if chance.random() < 0.5 else {"parts": value}
    return value


def _spoilt_bytes(text: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(text))
    return chance.choice(
        [
            text[:place],
            text[:place] + b"\xff\xfe" + text[place:],
            text + text,
            b"\xef\xbb\xbf" + text,
            text[place:],
            b"",
        ]
    )


# --- What a refusal looks like, by wire ---------------------------------------------------------------------------


def _openai(status: int, body: Any) -> bool:
    error = body["error"]
    return status < 500 and {"message", "type", "param", "code", "request_id"} <= set(error)


def _lyria(status: int, body: Any) -> bool:
    error = body["error"]
    if "type" in error:
        # A chat that is sent to this address is answered as such.
        return _openai(status, body)
    return status < 500 and error["code"] == status and set(error) == {"code", "message", "status", "details"}


def _minimax(status: int, body: Any) -> bool:
    return status == 200 and body["base_resp"]["status_code"] not in (0, 1033) and bool(body["base_resp"]["status_msg"])


def _maas(status: int, body: Any) -> bool:
    return status < 500 and body["code"] == status and set(body) == {"code", "data", "code_msg", "trace_id"}


def _official(status: int, body: Any) -> bool:
    return status < 500 and set(body) == {"error", "trace_id"} and set(body["error"]) == {"message"}


def _musicgen(status: int, body: Any) -> bool:
    return status < 500 and set(body["error"]) == {"message", "code", "request_id"}


FORMS: dict[str, Callable[[int, Any], bool]] = {
    **dict.fromkeys(("openai_music", "quotes", "chat", "files"), _openai),
    **dict.fromkeys(("minimax", "minimax_lyrics"), _minimax),
    **dict.fromkeys(("mureka", "mureka_extend"), _maas),
    **dict.fromkeys(("official", "official_extend", "official_instrumental", "mureka_lyrics"), _official),
    "lyria": _lyria,
    "musicgen": _musicgen,
}


@pytest.fixture
def ordered(muse: Shop, monkeypatch: pytest.MonkeyPatch) -> list[uuid.UUID]:
    """The jobs that somebody waited for: each is cancelled then."""
    waited_for: list[uuid.UUID] = []
    with system_scope():
        amount = 4 * BODIES_EACH * SONG_PRICE
        top_up(organization_id=muse.world.customer.pk, live=True, amount_micro=amount, key="grant:many", reason="test")

    async def over(self: Waiting) -> None:
        waited_for.append(self.job_id)
        await muse.behind(cancel_job, self.job_id, caller=muse.world.caller)

    monkeypatch.setattr(Waiting, "over", over)
    return waited_for


def cancel_everything(shop: Shop) -> tuple[int, int]:
    """How many jobs there are, and what is still held once all are cancelled."""
    for job_id in Job.unscoped.filter(finished_at__isnull=True).values_list("pk", flat=True):
        cancel_job(job_id, caller=shop.world.caller)
    return Job.unscoped.count(), balance_of(shop.world.customer.pk, live=True).held_micro


@pytest.mark.parametrize("route", ROUTES)
async def test_spoilt_bodies_are_answered_in_the_words_of_their_wire(
    muse: Shop, ordered: list[uuid.UUID], route: str
) -> None:
    path, body = ROUTES[route]
    chance, jobs = random.Random(f"{SEED} {route}"), 0

    for _ in range(BODIES_EACH):
        given = mutated(body, chance)
        waited = len(ordered)
        answer = await muse.call("POST", path, data=given, content_type="application/json")
        if answer.streaming:
            answer.close()
            jobs += 1
            continue
        told = json.loads(answer.content)
        is_refused = "error" in told or told.get("code", 0) != 0 or told.get("base_resp", {}).get("status_code", 0) != 0
        assert answer.status_code < 500, (given, told)
        assert not is_refused or FORMS[route](answer.status_code, told), (given, told)
        # A quote and a file are no orders; they are answered well all the same.
        jobs += len(ordered) > waited or (not is_refused and route not in ("quotes", "files"))

    assert len(ordered) <= jobs < BODIES_EACH
    count, held = await muse.behind(cancel_everything, muse)
    # The same order under the same key is one job.
    assert (count <= jobs, held) == (True, 0)
    assert await muse.behind(check_books) == []


# --- The caller's own key -----------------------------------------------------------------------------------------


def written(shop: Shop) -> str:
    """Every row an order leaves, as text."""
    kinds = (Job, Event, Attempt, IdempotencyKey, Track, Upload)
    return repr([list(kind.unscoped.values()) for kind in kinds])


SPELLINGS: list[Callable[[str], dict[str, str]]] = [
    lambda key: {"authorization": f"Bearer {key}"},
    lambda key: {"authorization": "", "x-api-key": key},
    lambda key: {"authorization": "", "x-goog-api-key": key},
    lambda key: {"authorization": f"Bearer {key}x"},
    lambda key: {"authorization": key},
]


@pytest.mark.parametrize("route", ROUTES)
async def test_key_of_the_caller_is_told_nowhere(
    muse: Shop, ordered: list[uuid.UUID], route: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("", "tutti", "tutti.access", "tutti.jobs", "tutti.outbound"):
        caplog.set_level(logging.DEBUG, logger=name)
    path, body = ROUTES[route]
    told = []

    for place, spelt in enumerate(SPELLINGS):
        headers = {**spelt(muse.secret), "idempotency-key": str(place)}
        for target in (path, f"{path}?key={muse.secret}", f"{path}/{muse.secret}"):
            answer = await muse.call(
                "POST", target, data=json.dumps(body), content_type="application/json", headers=headers
            )
            told.append(f"{dict(answer.headers)} {b'' if answer.streaming else answer.content!r}")
            if answer.streaming:
                answer.close()
    await muse.behind(cancel_everything, muse)

    assert muse.secret not in "".join(told)
    assert muse.secret not in caplog.text
    assert muse.secret not in await muse.behind(written, muse)
