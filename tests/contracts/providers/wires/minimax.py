"""The wire `minimax` as a vendor serves it, scene by scene: one call, answered when the song is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.contracts.providers.sounds import PICTURE, given, sound
from tests.contracts.providers.standin import Request, Said, Stage, as_json

MUSIC = "/v1/music_generation"
TRACE_ID = "04ede0ab069fb1ba8be5156a24b1e081"
PIECES = 4

Play = Callable[[Stage], Said]


def answer(stage: Stage, request: Request) -> Said:
    if request.method == "POST" and request.path == MUSIC:
        stage.orders.append(request)
        return ordered(stage)
    if request.path.startswith("/files/"):
        stage.fetched += 1
        return file(stage)
    return Said(404)


def ordered(stage: Stage) -> Said:
    play = ALWAYS.get(stage.scene)
    if len(stage.orders) == 1:
        play = FIRST.get(stage.scene, play)
    elif len(stage.orders) == 2:
        play = SECOND.get(stage.scene, play)
    return play(stage) if play else song(stage)


# --- Songs --------------------------------------------------------------------------------------------------------


def song(stage: Stage, **said: Any) -> Said:
    """The song in the way it was ordered."""
    if stage.orders[-1].body.get("stream"):
        return streamed(stage, **said)
    return Said(200, dump(body(stage, heard(stage))), {"Content-Type": "application/json"}, **said)


def streamed(stage: Stage, **said: Any) -> Said:
    audio = audio_of(stage)
    size = -(-len(audio) // PIECES)
    parts = [audio[start : start + size] for start in range(0, len(audio), size)]
    events = [event(stage, {"audio": part.hex(), "status": 1}) for part in parts]
    if stage.scene == "only_whole":
        events = []
    if stage.scene == "refused_halfway":
        return stream([*events[: PIECES // 2], framed(refusal(1027, "Not this song."))])
    if stage.scene == "never_finishing":
        return stream(events, **said)
    status = 7 if stage.scene == "unknown_word" else 2
    return stream([*events, event(stage, {"audio": audio.hex(), "status": status})], **said)


def stream(events: list[bytes], **said: Any) -> Said:
    return Said(200, headers={"Content-Type": "text/event-stream"}, pieces=tuple(events), **said)


def event(stage: Stage, data: dict[str, Any]) -> bytes:
    return framed(body(stage, data))


def framed(value: Any) -> bytes:
    return b"data: " + dump(value) + b"\n\n"


def heard(stage: Stage) -> dict[str, Any]:
    """The `data` of an answer in one body."""
    if stage.scene == "unknown_word":
        return {"audio": audio_of(stage).hex(), "status": 7}
    if stage.scene in ("linked", "stumbling_download") or stage.orders[-1].body["output_format"] == "url":
        link = f"{stage.url}/files/song.wav"
        return {"audio": link, "audio_url": link, "status": 2}
    return {"audio": "no hex" if stage.scene == "no_hex" else audio_of(stage).hex(), "status": 2}


def audio_of(stage: Stage) -> bytes:
    match stage.scene:
        case "wrong_type":
            return PICTURE
        case "empty_audio":
            return b""
        case "silent_audio":
            return sound(loudness=0.0)
        case "second_lost_the_rest_silent" if len(stage.orders) <= 2:
            return sound(loudness=0.0)
    return bytes.fromhex(stage.options.get("audio", "")) or given(
        stage.options, stage.orders[-1].body["audio_setting"]["format"]
    )


def body(stage: Stage, data: dict[str, Any]) -> dict[str, Any]:
    """One form for all answers: an error beside the audio is a contradiction."""
    code = 4711 if stage.scene == "code_beside_audio" else 0
    return {
        "data": data,
        "trace_id": TRACE_ID,
        "extra_info": None,
        "analysis_info": None,
        "base_resp": {"status_code": code, "status_msg": "success" if code == 0 else "hm"},
    }


def file(stage: Stage) -> Said:
    match stage.fetched:
        case 1 if stage.scene == "stumbling_download":
            return Said(503)
        case 2 if stage.scene == "stumbling_download":
            return Said(200, b"<html>Please wait</html>", {"Content-Type": "audio/wav"})
        case 3 if stage.scene == "stumbling_download":
            return Said(200, sound(), is_cut=True)
    return Said(200, audio_of(stage), {"Content-Type": "text/plain"})


# --- What goes wrong ----------------------------------------------------------------------------------------------


def refusal(code: int, message: str) -> dict[str, Any]:
    return {"trace_id": TRACE_ID, "base_resp": {"status_code": code, "status_msg": message}}


def refuses(code: int, message: str, status: int = 200, **headers: str) -> Play:
    return lambda stage: as_json(refusal(code, message), status, **headers)


def unknown_key(stage: Stage) -> Said:
    return as_json(refusal(2049, f"invalid api key: {stage.orders[-1].headers['authorization']}"))


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


ALWAYS: dict[str, Play] = {
    "slow": lambda stage: song(stage, after_seconds=0.2),
    "cut": lambda stage: song(stage, is_cut=True),
    "html": lambda stage: Said(200, b"<!doctype html><title>Welcome</title>", {"Content-Type": "text/html"}),
    "no_answer": lambda stage: Said(is_held=True),
    "never_finishing": lambda stage: song(stage, is_held=True),
    "late_result": lambda stage: song(stage, is_kept_back=True),
    "refused_content": refuses(1026, "sensitive prompt"),
    "refused_output": refuses(1027, "sensitive song"),
    "refused_order": refuses(2013, "invalid params, lyrics too long"),
    "wrong_key": unknown_key,
    "no_balance": refuses(1008, "insufficient balance"),
    "always_broken": refuses(1000, "unknown error"),
}
FIRST: dict[str, Play] = {
    "rate_limited": refuses(1002, "rate limit", 429, **{"Retry-After": "0"}),
    "error_then_good": refuses(1033, "system error", 500),
    "bare_error_then_good": lambda stage: Said(500),
    "busy_in_200": refuses(1002, "rate limit"),
    "broken_in_200": refuses(1024, "internal error"),
    "unknown_code": refuses(4711, "hm"),
}
SECOND: dict[str, Play] = {
    "second_refused": refuses(1027, "sensitive song"),
    **dict.fromkeys(("second_lost", "second_lost_the_rest_silent"), lambda stage: Said(500)),
    "second_empty": lambda stage: as_json(body(stage, {"audio": "", "status": 2})),
}
