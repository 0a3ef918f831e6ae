"""The table: what each upstream is asked for each example, or the field for which it is not asked at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.contracts.matrix import examples
from tests.contracts.matrix.examples import BEATS, LANTERNS, MESSAGE, STORM, SUNNY

ORDER: Final = "the reference of the attempt"
"""Stands for it where a body holds it."""
SONG: Final = "the id that the upstream gave the song before"


@dataclass(frozen=True)
class Asked:
    """The one order that the upstream is sent, and the kind of file that it gives for it."""

    path: str
    body: Mapping[str, Any]
    gives: str = "mp3"


@dataclass(frozen=True)
class Plays:
    """Delivered without any call."""


@dataclass(frozen=True)
class Refuses:
    """Nothing is sent: the answer names this field."""

    field: str


Cell = Asked | Plays | Refuses

PLAYS: Final = Plays()
YOUTH: Final = "[Verse 1]\n青春如花绽放\n梦想在心中飞翔\n\n[Chorus]\n青春与梦想\n永远在心中"
"""As every vendor spells it."""
SUNNY_PROMPT: Final = "Pop music, happy, suitable for a sunny day"
LANTERNS_PROMPT: Final = "独立民谣,忧郁,内省,渴望,独自漫步,咖啡馆"
SUNG_LANTERNS: Final = LANTERNS.replace("[verse]", "[Verse]").replace("[chorus]", "[Chorus]")
YOUTH_PROMPT: Final = "创作一首关于青春梦想的流行歌曲"
MODEL: Final = "their-song-1"
MP3: Final = {"sample_rate": 44_100, "bitrate": 256_000, "format": "mp3"}
STEREO: Final = MP3 | {"channel": 2}
"""What the wire `minimax` means where an order leaves the channels out."""
USUALLY_MP3: Final = {"sample_rate": 44_100, "bitrate": 256_000}


def minimax(**fields: Any) -> Asked:
    usual = {"model": MODEL, "output_format": "hex", "audio_setting": MP3}
    return Asked("/v1/music_generation", usual | fields, str((fields.get("audio_setting") or MP3)["format"]))


def lyria(text: str) -> Asked:
    body = {
        "contents": [{"role": "user", "parts": [{"text": text}]}],
        "generationConfig": {"responseModalities": ["AUDIO", "TEXT"]},
    }
    return Asked("/v1/ai/corner/music/generateContent", body)


def maas(call: str = "song/generate", **fields: Any) -> Asked:
    return Asked(f"/v1/ai/their-mureka/mureka/{call}", fields)


def official(call: str = "song/generate", *, gives: str = "mp3", **fields: Any) -> Asked:
    return Asked(f"/v1/{call}", {"model": MODEL, **fields}, gives)


def musicgen(**fields: Any) -> Asked:
    return Asked("/api/v1/generate_music", fields, "wav")


def openai(**fields: Any) -> Asked:
    usual = {"model": MODEL, "catelogid": "music_gen", "output_format": "url", "transno": ORDER}
    return Asked("/v1/music/generations", usual | fields, fields.get("audio_setting", MP3).get("format", "mp3"))


BRIGHT: Final = {"prompt": SUNNY_PROMPT, "lyrics": SUNNY}
FOLK: Final = {"prompt": LANTERNS_PROMPT, "lyrics": SUNG_LANTERNS}
FOLK_AS_WRITTEN: Final = {"prompt": LANTERNS_PROMPT, "lyrics": LANTERNS}
YOUNG: Final = {"prompt": YOUTH_PROMPT, "lyrics": YOUTH}
WAVE: Final = {"sample_rate": 32_000, "format": "wav"}
MINIMAX_WAVE: Final = {"sample_rate": 32_000, "bitrate": 256_000, "format": "wav"}

TABLE: Final[dict[str, Mapping[str, Cell]]] = {
    "openai_music": {
        "minimax 2.5": minimax(**BRIGHT),
        "minimax 2.6": minimax(**BRIGHT),
        "lyria": lyria(f"{SUNNY_PROMPT}\n\n{SUNNY}"),
        "mureka": maas(**BRIGHT, n=1),
        "mureka, official": official(**BRIGHT, n=1),
        "musicgen_http": Refuses("lyrics"),
        "openai_music": openai(**BRIGHT),
        "openai_music, a Tutti": openai(**BRIGHT),
        "rehearsal": PLAYS,
    },
    "openai_music, instrumental": {
        "minimax 2.5": Refuses("instrumental"),
        "minimax 2.6": minimax(prompt=SUNNY_PROMPT, is_instrumental=True),
        "lyria": lyria(f"{SUNNY_PROMPT}\n\nInstrumental, no vocals."),
        "mureka": Refuses("instrumental"),
        "mureka, official": official("instrumental/generate", prompt=SUNNY_PROMPT, n=1),
        "musicgen_http": musicgen(description=SUNNY_PROMPT, duration=30),
        "openai_music": Refuses("instrumental"),
        "openai_music, a Tutti": openai(prompt=SUNNY_PROMPT, instrumental=True),
        "rehearsal": PLAYS,
    },
    "generateContent": {
        "minimax 2.5": Refuses("lyrics"),
        "minimax 2.6": minimax(prompt=MESSAGE, lyrics_optimizer=True),
        "lyria": lyria(MESSAGE),
        "mureka": Refuses("lyrics"),
        "mureka, official": Refuses("lyrics"),
        "musicgen_http": musicgen(description=MESSAGE, duration=30),
        "openai_music": Refuses("lyrics"),
        "openai_music, a Tutti": Refuses("lyrics"),
        "rehearsal": PLAYS,
    },
    "musicgen, 15 s": {
        "minimax 2.5": Refuses("duration"),
        "minimax 2.6": Refuses("duration"),
        "lyria": lyria(f"{BEATS}\n\n纯音乐，没有人声。时长约15秒。"),
        "mureka": Refuses("duration"),
        "mureka, official": Refuses("duration"),
        "musicgen_http": musicgen(description=BEATS, duration=15),
        "openai_music": Refuses("duration"),
        "openai_music, a Tutti": openai(prompt=BEATS, instrumental=True, duration=15, audio_setting=WAVE),
        "rehearsal": PLAYS,
    },
    "musicgen": {
        "minimax 2.5": Refuses("lyrics"),
        "minimax 2.6": minimax(prompt=BEATS, is_instrumental=True, output_format="url", audio_setting=MINIMAX_WAVE),
        "lyria": lyria(f"{BEATS}\n\n纯音乐，没有人声。"),
        "mureka": Refuses("lyrics"),
        "mureka, official": official("instrumental/generate", gives="wav", prompt=BEATS, n=1),
        "musicgen_http": musicgen(description=BEATS, duration=30),
        "openai_music": Refuses("lyrics"),
        "openai_music, a Tutti": openai(prompt=BEATS, instrumental=True, audio_setting=WAVE),
        "rehearsal": PLAYS,
    },
    "minimax": {
        "minimax 2.5": minimax(**FOLK, audio_setting=STEREO),
        "minimax 2.6": minimax(**FOLK, audio_setting=STEREO),
        "lyria": lyria(f"{LANTERNS_PROMPT}\n\n{SUNG_LANTERNS}"),
        "mureka": maas(**FOLK, n=1),
        "mureka, official": official(**FOLK, n=1),
        "musicgen_http": Refuses("lyrics"),
        "openai_music": openai(**FOLK_AS_WRITTEN, audio_setting=USUALLY_MP3),
        "openai_music, a Tutti": openai(**FOLK_AS_WRITTEN, audio_setting=STEREO),
        "rehearsal": PLAYS,
    },
    "mureka": {
        "minimax 2.5": minimax(**YOUNG, stream=True),
        "minimax 2.6": minimax(**YOUNG, stream=True),
        "lyria": lyria(f"{YOUTH_PROMPT}\n\n{YOUTH}"),
        "mureka": maas(**YOUNG, n=1, stream=True),
        "mureka, official": official(**YOUNG, n=1, stream=True),
        "musicgen_http": Refuses("lyrics"),
        "openai_music": openai(prompt=YOUTH_PROMPT, lyrics=examples.YOUTH),
        "openai_music, a Tutti": openai(prompt=YOUTH_PROMPT, lyrics=examples.YOUTH),
        "rehearsal": PLAYS,
    },
    "mureka, extend": {
        "minimax 2.5": Refuses("song_id"),
        "minimax 2.6": Refuses("song_id"),
        "lyria": Refuses("song_id"),
        "mureka": maas("song/extend", song_id=SONG, extend_at="8000", lyrics=STORM),
        "mureka, official": official("song/extend", song_id=SONG, extend_at=8000, lyrics=STORM),
        "musicgen_http": Refuses("lyrics"),
        "openai_music": Refuses("song_id"),
        "openai_music, a Tutti": Refuses("song_id"),
        "rehearsal": PLAYS,
    },
}
TABLE["chat"] = TABLE["generateContent"]
