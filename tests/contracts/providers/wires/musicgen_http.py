"""The wire `musicgen` as a service serves it, scene by scene; a Tutti (shape `tutti`) knows an order by its key."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator

from tests.contracts.providers.sounds import PICTURE, given, sound
from tests.contracts.providers.standin import Request, Said, Stage, as_json

GENERATE = "/api/v1/generate_music"
STEP_SECONDS = 0.02
AFTER_RELEASE = 50
"""How many steps a song takes whose client has left meanwhile."""

Play = Callable[[Stage], Said]


def answer(stage: Stage, request: Request) -> Said:
    if (request.method, request.path) == ("POST", GENERATE):
        stage.orders.append(request)
        return ordered(stage)
    return refusal(404, "not_found", "There is no such thing.")


def ordered(stage: Stage) -> Said:
    is_first = len(stage.orders) == 1
    play = ALWAYS.get(stage.scene, song)
    if stage.scene in BREAKING:
        # A song that is known by its key is answered for when its order comes again.
        play = song if stage.options["shape"] == "tutti" and not is_first else BREAKING[stage.scene]
    elif is_first:
        play = FIRST.get(stage.scene, play)
    return play(stage)


# --- Streams ------------------------------------------------------------------------------------------------------


def event(name: str, **fields: object) -> bytes:
    return b"data: %b\n\n" % json.dumps({"event": name, **fields}, ensure_ascii=False).encode()


def completed(audio: bytes) -> bytes:
    return event("completed", audio=base64.b64encode(audio).decode())


def stream(*pieces: bytes, is_cut: bool = False) -> Said:
    return streamed(iter(pieces), is_cut=is_cut)


def streamed(pieces: Iterator[bytes], *, is_cut: bool = False) -> Said:
    return Said(200, headers={"Content-Type": "text/event-stream"}, is_cut=is_cut, stream=pieces)


def song(stage: Stage) -> Said:
    return stream(event("start"), event("progress", progress=25.5), completed(given(stage.options, "wav")))


def slowly(stage: Stage) -> Iterator[bytes]:
    yield event("start")
    for percent in range(-10, 120, 10):
        yield event("progress", progress=percent)
        time.sleep(STEP_SECONDS)
    yield completed(sound())


def endless(stage: Stage) -> Iterator[bytes]:
    yield event("start")
    while True:
        yield b": ping\n\n"
        time.sleep(STEP_SECONDS)


def after_its_client_left(stage: Stage) -> Iterator[bytes]:
    yield event("start")
    released = 0
    while released < AFTER_RELEASE:
        yield b": ping\n\n"
        time.sleep(STEP_SECONDS)
        released += stage.is_released
    yield completed(sound())


def loose(stage: Stage) -> Said:
    """Returns, comments, other fields, no space, a line in two."""
    audio = base64.b64encode(sound())
    return stream(
        b": hello\r\n\r\nevent: message\r\nid: 1\r\ndata:",
        b'{"event":"start"}\r',
        b'\n\r\n: ping\r\n\r\ndata: {"event": "progress",\r\ndata: "progress": 50}\r\n\r\n',
        b'data: no json\r\n\r\ndata: [1]\r\n\r\ndata: {"event": "progress", "progress": "half"}\r\n\r\n',
        b'data:{"event":"completed","audio":"data:audio/wav;base64,%b"}\r\n' % audio,
    )


_slot = threading.Lock()


def with_one_slot(stage: Stage) -> Said:
    """One song at a time; whoever comes meanwhile is sent away."""
    return streamed(and_free(slowly(stage))) if _slot.acquire(blocking=False) else FIRST["busy"](stage)


def and_free(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    finally:
        _slot.release()


# --- Answers in place of a stream ---------------------------------------------------------------------------------


def refusal(status: int, code: str, message: str, **headers: str) -> Said:
    return as_json({"error": {"message": message, "code": code, "request_id": "req_1"}}, status, **headers)


def unknown_key(stage: Stage) -> Said:
    return refusal(401, "invalid_api_key", f"Not a key: {stage.orders[-1].headers['authorization']}.")


ALWAYS: dict[str, Play] = {
    "slow": lambda stage: streamed(slowly(stage)),
    "one_slot": with_one_slot,
    "never_finishing": lambda stage: streamed(endless(stage)),
    "late_result": lambda stage: streamed(after_its_client_left(stage)),
    "loose": loose,
    "no_answer": lambda stage: Said(is_held=True),
    "wrong_type": lambda stage: stream(event("start"), completed(PICTURE)),
    "empty_audio": lambda stage: stream(event("start"), completed(b"")),
    "silent_audio": lambda stage: stream(event("start"), completed(sound(loudness=0.0))),
    "refused_content": lambda stage: refusal(400, "content_policy", "Not this song."),
    "no_balance": lambda stage: refusal(429, "insufficient_quota", "Top up first."),
    "wrong_key": unknown_key,
}
BREAKING: dict[str, Play] = {
    "cut": lambda stage: stream(event("start"), completed(sound())[:2000], is_cut=True),
    "html": lambda stage: Said(200, b"<!doctype html><title>Welcome</title>", {"Content-Type": "text/html"}),
    "unknown_word": lambda stage: stream(event("start"), event("simmering")),
}
FIRST: dict[str, Play] = {
    "rate_limited": lambda stage: refusal(429, "rate_limit_exceeded", "Slow down.", **{"Retry-After": "0"}),
    "busy": lambda stage: Said(503, b"busy", {"Retry-After": "0"}),
    "error_then_good": lambda stage: refusal(500, "internal_error", "The model stumbled."),
    "bare_error_then_good": lambda stage: Said(500),
    "error_event": lambda stage: stream(event("start"), event("error", message="错误")),
    "stopped_then_good": lambda stage: stream(event("start"), event("progress", progress=10)),
}
