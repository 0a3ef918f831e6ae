"""The wire `openai_music` as a vendor serves it, scene by scene."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.contracts.providers.sounds import PICTURE, given, sound
from tests.contracts.providers.standin import Request, Said, Stage, as_json

SONG_ID = "song_42"
GENERATIONS = "/v1/music/generations"


def answer(stage: Stage, request: Request) -> Said:
    if request.method == "POST" and request.path == GENERATIONS:
        stage.orders.append(request)
        return ordered(stage)
    if request.path.startswith("/files/"):
        stage.fetched += 1
        return file(stage)
    stage.asked.append(request)
    if request.path == f"{GENERATIONS}/{SONG_ID}":
        return Said(404) if stage.scene == "asked_by_taskid" else as_json(asked(stage))
    if request.path == "/v1/tasks" and request.query == {"taskid": [SONG_ID]}:
        return as_json({"status": "ok", "data": asked(stage)})
    return refusal(404, "not_found", "There is no such thing.")


# --- The order ----------------------------------------------------------------------------------------------------


Play = Callable[[Stage], Said]


def ordered(stage: Stage) -> Said:
    is_first = len(stage.orders) == 1
    play = ALWAYS.get(stage.scene)
    if stage.scene in BREAKING:
        # A song that is known by its key is answered for when its order comes again.
        play = None if stage.options["shape"] == "tutti" and not is_first else BREAKING[stage.scene]
    elif is_first:
        play = FIRST.get(stage.scene, play)
    elif len(stage.orders) == 2:
        play = SECOND.get(stage.scene, play)
    return play(stage) if play else as_json(job(stage))


def accepted(stage: Stage) -> Said:
    return as_json({"id": SONG_ID, "status": "PENDING", "audio": None}, 202)


def unknown_key(stage: Stage) -> Said:
    key = stage.orders[-1].headers["authorization"]
    return refusal(401, "invalid_api_key", f"Incorrect API key provided: {key}.")


def refusal(status: int, code: str, message: str, **headers: str) -> Said:
    error = {"message": message, "type": "some_error", "param": None, "code": code}
    return as_json({"error": error}, status, **headers)


ALWAYS: dict[str, Play] = {
    **dict.fromkeys(("slow", "asked_by_taskid", "never_finishing", "late_result", "failed_task"), accepted),
    "no_answer": lambda stage: Said(is_held=True),
    "refused_content": lambda stage: refusal(400, "content_policy", "Not this song."),
    "no_balance": lambda stage: refusal(429, "insufficient_quota", "Top up first."),
    "wrong_key": unknown_key,
}
BREAKING: dict[str, Play] = {
    "cut": lambda stage: Said(200, as_json(job(stage)).body, is_cut=True),
    "html": lambda stage: Said(200, b"<!doctype html><title>Welcome</title>", {"Content-Type": "text/html"}),
}
FIRST: dict[str, Play] = {
    "rate_limited": lambda stage: refusal(429, "rate_limit_exceeded", "Slow down.", **{"Retry-After": "0"}),
    "error_then_good": lambda stage: refusal(500, "internal_error", "The model stumbled."),
    "bare_error_then_good": lambda stage: Said(500),
    "lost_in_its_answer": lambda stage: Said(is_held=True),
    "failed_in_200": lambda stage: as_json({"id": SONG_ID, "status": "SUCCEEDED", "error": {"message": "No."}}),
}
SECOND: dict[str, Play] = {"second_refused": lambda stage: refusal(400, "content_policy", "Not this one.")}

# --- What became of it --------------------------------------------------------------------------------------------


def asked(stage: Stage) -> dict[str, Any]:
    under_way = {"id": SONG_ID, "status": "RUNNING", "progress": 10.0 * len(stage.asked)}
    match stage.scene:
        case "never_finishing":
            return under_way
        case "late_result" if not stage.is_released:
            return under_way
        case "failed_task":
            return {"id": SONG_ID, "status": "FAILED", "error": {"code": "bad_audio", "message": "It was silent."}}
    return job(stage) if len(stage.asked) > 3 or stage.is_released else under_way


def job(stage: Stage) -> dict[str, Any]:
    link = f"{stage.url}/files/song.wav"
    found: dict[str, Any] = {"id": SONG_ID, "object": "music.generation", "status": "SUCCEEDED", "audio": link}
    match stage.scene:
        case "hex":
            return found | {"audio": sound().hex()}
        case "empty_audio":
            return found | {"audio": ""}
        case "unknown_word":
            return found | {"status": "SIMMERING"}
        case "several_takes" if stage.options["shape"] == "tutti":
            takes = stage.orders[-1].body["n"]
            return found | {"audios": [{"take": take, "audio": link, "seed": 7 + take} for take in range(takes)]}
    return found


# --- The result ---------------------------------------------------------------------------------------------------


def file(stage: Stage) -> Said:
    match stage.scene:
        case "wrong_type":
            return Said(200, PICTURE, {"Content-Type": "audio/wav"})
        case "silent_audio":
            return Said(200, sound(loudness=0.0))
        case "stumbling_download" if stage.fetched == 1:
            return Said(503)
        case "stumbling_download" if stage.fetched == 2:
            return Said(200, b"<html>Please wait</html>", {"Content-Type": "audio/wav"})
        case "stumbling_download" if stage.fetched == 3:
            return Said(200, sound(), is_cut=True)
    kind = stage.orders[-1].body.get("audio_setting", {}).get("format", "mp3")
    return Said(200, given(stage.options, kind), {"Content-Type": "application/octet-stream"})
