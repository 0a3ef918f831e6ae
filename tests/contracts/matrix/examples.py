"""The documented example of each wire: where it goes, its body as it stands there, and how its answer is read."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.generation.shops import Shop

ENDPOINT: Final = "corner"
MESSAGE: Final = "Upbeat pop song about a summer road trip, catchy chorus, female vocal"
BEATS: Final = "电子音乐带有强烈的鼓点和节奏感"
YOUTH: Final = "【Verse 1】\n青春如花绽放\n梦想在心中飞翔\n\n【Chorus】\n青春与梦想\n永远在心中"
SUNNY: Final = (
    "[Intro]\n\n[Verse]\nWalking down the street\nFeeling the beat\n\n[Chorus]\nDancing in the sun\nHaving so much fun"
)
STORM: Final = (
    "[Verse]\nIn the stormy night, I wander alone\nLost in the rain, feeling like I have been thrown\n"
    "Memories of you, they flash before my eyes\nHoping for a moment, just to find some bliss"
)
LANTERNS: Final = (
    "[verse]\n街灯微亮晚风轻抚\n影子拉长独自漫步\n旧外套裹着深深忧郁\n不知去向渴望何处\n"
    "[chorus]\n推开木门香气弥漫\n熟悉的角落陌生人看"
)
AT_MUREKA: Final = f"/v1/ai/{ENDPOINT}/mureka/song"

Body = dict[str, Any]


@dataclass(frozen=True)
class Refused:
    """What a wire said: its status, its message, and the field at fault where the wire has a place for it."""

    status: int
    message: str
    param: str | None = None


@dataclass(frozen=True)
class Example:
    """`hear` gives the audio of a good answer and fails for any other; `refused` reads an answer that is none."""

    path: str
    body: Body
    hear: Callable[[Shop, Any], Awaitable[bytes]]
    refused: Callable[[Any], Refused]
    format: str = "mp3"
    seconds: int | None = None
    """The length that was ordered, where the wire has one."""


# --- Good answers -------------------------------------------------------------------------------------------------


async def opened(shop: Shop, link: str) -> bytes:
    """The file behind a link, by a plain GET."""
    answer = await shop.call("GET", link.removeprefix("http://127.0.0.1:8000"), headers={"authorization": ""})
    audio = b"".join([piece async for piece in answer.streaming_content])
    answer.close()
    assert answer.status_code == 200
    return audio


async def heard_openai(shop: Shop, answer: Any) -> bytes:
    body = answer.json()
    assert (answer.status_code, body.get("status"), body.get("object")) == (200, "SUCCEEDED", "music.generation"), body
    return await opened(shop, body["audio"])


async def heard_lyria(shop: Shop, answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    [candidate] = answer.json()["candidates"]
    inline = [part["inlineData"] for part in candidate["content"]["parts"] if "inlineData" in part]
    assert (candidate["finishReason"], [one["mimeType"] for one in inline]) == ("STOP", ["audio/mpeg"])
    return base64.b64decode(inline[0]["data"])


async def heard_chat(shop: Shop, answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    [choice] = answer.json()["choices"]
    assert (choice["finish_reason"], choice["message"]["role"]) == ("stop", "assistant")
    return base64.b64decode(choice["message"]["audio"]["data"])


async def heard_musicgen(shop: Shop, answer: Any) -> bytes:
    text = b"".join([piece async for piece in answer.streaming_content]).decode()
    answer.close()
    events = [json.loads(frame.removeprefix("data: ")) for frame in text.split("\n\n") if frame.startswith("data: ")]
    assert (events[0], events[-1]["event"]) == ({"event": "start"}, "completed"), events
    return base64.b64decode(events[-1]["audio"])


async def heard_minimax(shop: Shop, answer: Any) -> bytes:
    body = answer.json()
    assert (body["base_resp"], body["data"]["status"]) == ({"status_code": 0, "status_msg": "success"}, 2)
    return bytes.fromhex(body["data"]["audio"])


async def heard_mureka(shop: Shop, answer: Any) -> bytes:
    return await opened(shop, (await choice_of(shop, answer))["url"])


async def choice_of(shop: Shop, answer: Any) -> Body:
    """The one song of a task, once it has ended."""
    body = answer.json()
    assert (answer.status_code, body["code"], body["data"]["status"]) == (200, 0, "preparing"), body
    async with asyncio.timeout(60):
        while body["data"]["finished_at"] is None:
            await asyncio.sleep(0.05)
            body = (await shop.get(f"{AT_MUREKA}/query/{body['data']['taskId']}")).json()
    assert body["data"]["status"] == "succeeded", body
    [choice] = body["data"]["choices"]
    return choice


# --- Refusals -----------------------------------------------------------------------------------------------------


def refused_openai(answer: Any) -> Refused:
    error = answer.json()["error"]
    return Refused(answer.status_code, error["message"], error["param"])


def refused_plainly(answer: Any) -> Refused:
    return Refused(answer.status_code, answer.json()["error"]["message"])


def refused_minimax(answer: Any) -> Refused:
    told = answer.json()["base_resp"]
    assert told["status_code"] == 2013
    return Refused(answer.status_code, told["status_msg"])


def refused_mureka(answer: Any) -> Refused:
    body = answer.json()
    assert (body["code"], body["data"]) == (answer.status_code, None)
    return Refused(answer.status_code, body["code_msg"])


# --- The examples -------------------------------------------------------------------------------------------------


def openai_music(**more: Any) -> Example:
    body = {
        "model": "music-2.6",
        "catelogid": "music_gen",
        "prompt": "Pop music, happy, suitable for a sunny day",
        "lyrics": SUNNY,
    }
    body = {name: value for name, value in (body | more).items() if value is not None}
    return Example("/v1/music/generations", body, heard_openai, refused_openai)


def musicgen(**more: Any) -> Example:
    sampling = {"mbd": False, "top_k": 250, "top_p": 0.0, "temperature": 1.0, "cfg_coef": 3.0}
    return Example(
        "/api/v1/generate_music",
        {"description": BEATS, **more, **sampling},
        heard_musicgen,
        refused_plainly,
        format="wav",
        seconds=more.get("duration"),
    )


CONTENT: Final = {
    "contents": [{"role": "user", "parts": [{"text": MESSAGE}]}],
    "generationConfig": {"responseModalities": ["AUDIO", "TEXT"]},
}
CHAT: Final = {
    "model": "MaaS_Lyria_3_pro_preview",
    "stream": False,
    "messages": [{"role": "user", "content": MESSAGE}],
    "modalities": ["audio", "text"],
}
MINIMAX: Final = {
    "model": "music-2.5",
    "prompt": "独立民谣,忧郁,内省,渴望,独自漫步,咖啡馆",
    "lyrics": LANTERNS,
    "audio_setting": {"sample_rate": 44100, "bitrate": 256000, "format": "mp3"},
}
SONG: Final = {"lyrics": YOUTH, "n": 1, "stream": True, "prompt": "创作一首关于青春梦想的流行歌曲"}
EXTENSION: Final = {"extend_at": "8000", "lyrics": STORM}
"""With the id of a song made before, which every shop has another of."""

EXAMPLES: Final[Mapping[str, Example]] = {
    "openai_music": openai_music(),
    "openai_music, instrumental": openai_music(lyrics=None, instrumental=True),
    "generateContent": Example(f"/v1/ai/{ENDPOINT}/music/generateContent", CONTENT, heard_lyria, refused_plainly),
    "chat": Example(f"/v1/ai/{ENDPOINT}/music/google/chat/completions", CHAT, heard_chat, refused_openai),
    "musicgen, 15 s": musicgen(duration=15),
    "musicgen": musicgen(),
    "minimax": Example("/v1/music_generation", MINIMAX, heard_minimax, refused_minimax),
    "mureka": Example(f"{AT_MUREKA}/generate", SONG, heard_mureka, refused_mureka),
    "mureka, extend": Example(f"{AT_MUREKA}/extend", EXTENSION, heard_mureka, refused_mureka),
}
