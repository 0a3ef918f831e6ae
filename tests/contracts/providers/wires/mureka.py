"""The wire `mureka` as a vendor serves it in either envelope, scene by scene.

The shape `official` is one envelope, every other the MaaS one. `options["files"]` has the songs' bytes in hex by
extension, `options["choices"]` overwrites fields of the songs that are made, one object for each.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.contracts.providers.sounds import PICTURE, given, sound
from tests.contracts.providers.standin import Request, Said, Stage, as_json

TRACE = "eb174f86b6c59ba838ce4401b01678eb"
SECTIONS = [
    {
        "section_type": "verse",
        "start": 0,
        "end": 900,
        "lines": [
            {
                "start": 100,
                "end": 800,
                "text": "la la",
                "words": [{"start": 100, "end": 400, "text": "la "}, {"start": 400, "end": 800, "text": "la"}],
            }
        ],
    }
]


def answer(stage: Stage, request: Request) -> Said:
    if request.path.startswith("/files/"):
        stage.fetched += 1
        return file(stage, request.path)
    call = re.sub("^/v1/" if is_official(stage) else "^/v1/ai/[^/]*/mureka/", "", request.path)
    if request.method == "POST" and call == "files/upload":
        stage.uploads.append(request)
        return uploaded(stage)
    if request.method == "POST" and call == "lyrics/generate" and is_official(stage):
        stage.orders.append(request)
        return written(stage)
    if request.method == "POST" and call in ("song/generate", "song/extend", "instrumental/generate"):
        stage.orders.append(request)
        return ordered(stage)
    stage.asked.append(request)
    task = re.fullmatch(r"(song|instrumental)/query/(\d+)", call)
    return asked(stage, task[2]) if task else refusal(stage, 404, "There is no such thing.")


def is_official(stage: Stage) -> bool:
    return stage.options["shape"] == "official"


# --- Envelopes ----------------------------------------------------------------------------------------------------


def enveloped(stage: Stage, task: dict[str, Any]) -> Said:
    if is_official(stage):
        return as_json({"id": task.pop("taskId"), **task})
    return as_json({"code": 0, "data": task, "code_msg": "success", "trace_id": TRACE})


def refusal(stage: Stage, status: int, message: str, **headers: str) -> Said:
    if is_official(stage):
        return as_json({"error": {"message": message}, "trace_id": TRACE}, status, **headers)
    return as_json({"code": status, "data": None, "code_msg": message, "trace_id": TRACE}, status, **headers)


# --- The order ----------------------------------------------------------------------------------------------------


Play = Callable[[Stage], Said]


def ordered(stage: Stage) -> Said:
    play = ALWAYS.get(stage.scene)
    if len(stage.orders) == 1:
        play = FIRST.get(stage.scene, play)
    if len(stage.orders) == 2:
        play = SECOND.get(stage.scene, play)
    return play(stage) if play else accepted(stage)


def accepted(stage: Stage) -> Said:
    return enveloped(stage, task_of(stage, str(len(stage.orders)), "preparing"))


def unknown_key(stage: Stage) -> Said:
    return refusal(stage, 401, f"Incorrect API key provided: {stage.orders[-1].headers['authorization']}.")


def failed_in_200(stage: Stage) -> Said:
    failed = {"code": 500, "data": None, "code_msg": "The model stumbled.", "trace_id": TRACE}
    return as_json({"error": {"message": "The model stumbled."}} if is_official(stage) else failed)


ALWAYS: dict[str, Play] = {
    "cut": lambda stage: Said(200, accepted(stage).body, is_cut=True),
    "html": lambda stage: Said(200, b"<!doctype html><title>Welcome</title>", {"Content-Type": "text/html"}),
    "no_answer": lambda stage: Said(is_held=True),
    "refused_content": lambda stage: refusal(stage, 400, "The lyrics contain sensitive words."),
    "refused_order": lambda stage: refusal(stage, 400, "The lyrics are too long."),
    "no_balance": lambda stage: refusal(stage, 429, "You exceeded your current quota, please check your billing."),
    "wrong_key": unknown_key,
}
FIRST: dict[str, Play] = {
    "rate_limited": lambda stage: refusal(stage, 429, "Rate limit reached for requests.", **{"Retry-After": "0"}),
    "error_then_good": lambda stage: refusal(stage, 500, "The model stumbled."),
    "bare_error_then_good": lambda stage: Said(500),
    "gateway_gave_up": lambda stage: refusal(stage, 504, "Gateway timeout."),
    "failed_in_200": failed_in_200,
}
SECOND: dict[str, Play] = {"second_refused": lambda stage: refusal(stage, 400, "Not this one.")}


def uploaded(stage: Stage) -> Said:
    if stage.scene == "refused_upload":
        return refusal(stage, 400, "The audio is shorter than 15 seconds.")
    if stage.scene == "lost_upload":
        return Said(500)
    form = stage.uploads[-1].body
    told = {"purpose": form["purpose"], "bytes": form["file"]["size"], "filename": form["file"]["file_name"]}
    return as_json({"id": str(9000 + len(stage.uploads)), "created_at": 1767059534, "trace_id": TRACE, **told})


def written(stage: Stage) -> Said:
    if stage.scene == "wrong_key":
        return unknown_key(stage)
    return as_json({"title": "Harbour", "lyrics": "[Verse]\nThe harbour sleeps", "trace_id": TRACE})


# --- What became of it --------------------------------------------------------------------------------------------


def asked(stage: Stage, task_id: str) -> Said:
    times = sum(request.path.endswith(f"/{task_id}") for request in stage.asked)
    if stage.scene == "stumbling_poll" and times <= 4:
        return (
            Said(500),
            Said(200, b"<html>Please wait</html>"),
            refusal(stage, 429, "Rate limit reached.", **{"Retry-After": "0"}),
            Said(200, b'{"code": 0, "data": {', is_cut=True),
        )[times - 1]
    return enveloped(stage, task_of(stage, task_id, status_of(stage, times)))


UNDER_WAY = {
    "slow": ("queued", "running", "streaming"),
    "streaming": ("running", "streaming", "streaming", "streaming"),
}
ENDS = {
    **dict.fromkeys(("failed_task", "refused_task"), "failed"),
    "never_finishing": "running",
    "timeouted": "timeouted",
    "cancelled": "cancelled",
    "unknown_word": "simmering",
    "unknown_end": "dissolved",
}


def status_of(stage: Stage, times: int) -> str:
    """What is said of a task that is asked for so many times."""
    if stage.scene == "late_result" and not stage.is_released:
        return "running"
    words = UNDER_WAY.get(stage.scene, ())
    return words[times - 1] if times <= len(words) else ENDS.get(stage.scene, "succeeded")


def task_of(stage: Stage, task_id: str, status: str) -> dict[str, Any]:
    is_over = status not in ("preparing", "queued", "running", "streaming", "simmering")
    reasons = {"failed_task": "The model stumbled.", "refused_task": "The song breaks our content policy."}
    return {
        "taskId": task_id,
        "trace_id": TRACE,
        "created_at": 1767001167,
        "finished_at": 1767001190 if is_over else None,
        "model": "MaaS_Mureka_v7.6",
        "status": status,
        "failed_reason": reasons.get(stage.scene) if status == "failed" else None,
        "watermarked": None,
        "choices": choices(stage, task_id, status) if status in ("succeeded", "streaming") else None,
    }


def choices(stage: Stage, task_id: str, status: str) -> list[dict[str, Any]] | None:
    count = stage.orders[int(task_id) - 1].body.get("n", 1)
    if stage.scene == "one_too_few":
        count -= 1
    return [
        song(stage, f"{task_id}0{place}", status) | more
        for place, more in zip(range(count), stage.options.get("choices", [{}] * count), strict=False)
    ]


def song(stage: Stage, song_id: str, status: str) -> dict[str, Any]:
    is_made = status == "succeeded" and stage.scene != "empty_audio"
    files = f"{stage.url}/files/{song_id}"
    return {
        "index": None,
        "id": song_id,
        "url": f"{files}.mp3" if is_made else None,
        "wav_url": f"{files}.wav" if is_made else None,
        "flac_url": f"{files}.flac" if is_made else None,
        "stream_url": None if is_made else f"{stage.url}/files/{song_id}.stream",
        "duration": 1000,
        "lyrics_sections": SECTIONS if is_made else None,
    }


# --- The result ---------------------------------------------------------------------------------------------------


def file(stage: Stage, path: str) -> Said:
    kind = path.rpartition(".")[2]
    if kind in (files := stage.options.get("files", {})):
        return Said(200, bytes.fromhex(files[kind]), {"Content-Type": "audio/mpeg"})
    if stage.scene == "stumbling_download" and stage.fetched <= len(STUMBLES):
        return STUMBLES[stage.fetched - 1]
    songs = {"wrong_type": PICTURE, "silent_audio": sound(loudness=0.0)}
    body = songs.get(stage.scene) or given(stage.options, kind)
    return Said(200, body, {"Content-Type": "application/octet-stream"})


STUMBLES = (
    Said(503),
    Said(200, b"<html>Please wait</html>", {"Content-Type": "audio/mpeg"}),
    Said(200, sound(), is_cut=True),
)
