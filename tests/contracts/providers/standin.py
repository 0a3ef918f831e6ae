"""A scripted upstream: a process of its own on loopback that speaks a documented wire and keeps what it was sent.

    python -m tests.contracts.providers.standin WIRE

It prints its port, plays what `POST /_play {"scene": …}` names, tells with `GET /_record` what it was sent, and ends
with its standard input. A wire is a module in `wires` with a function `answer(stage, request)`. Standard library only.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

LONGEST_BODY = 2_000_000
LONGEST_SILENCE_SECONDS = 60


@dataclass(frozen=True)
class Request:
    """What was sent. Header names are lower case; `body` is the JSON, or None, or what is known of a form's parts."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True)
class Said:
    """An answer. `is_cut`: half of the body, then the line is closed. `is_held`: nothing at all, for long.

    `pieces`, where there are some, are the body, sent one by one; `is_cut` then leaves out the second half of them,
    `is_held` the end. `after_seconds` and `is_kept_back` (until the scene is released) delay the answer. `stream` is a
    body that is made while it is sent; `is_cut` then leaves out the chunk that says it was all.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    is_cut: bool = False
    is_held: bool = False
    pieces: tuple[bytes, ...] = ()
    stream: Iterator[bytes] | None = None
    after_seconds: float = 0.0
    is_kept_back: bool = False


def as_json(value: Any, status: int = 200, **headers: str) -> Said:
    return Said(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


def body_of(raw: bytes, content_type: str) -> Any:
    """The JSON; of a form each part by its name: a text, or what tells one file from another."""
    if not raw:
        return None
    boundary = re.fullmatch("multipart/form-data; *boundary=(.+)", content_type)
    if boundary is None:
        return json.loads(raw)
    line = b"--" + boundary[1].encode()
    opening, *parts, closing = raw.split(line)
    assert (opening, closing) == (b"", b"--\r\n"), "a form begins and ends with its boundary"
    return dict(_part(part.removeprefix(b"\r\n").removesuffix(b"\r\n")) for part in parts)


def _part(part: bytes) -> tuple[str, Any]:
    head, _, content = part.partition(b"\r\n\r\n")
    told = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    given = dict(re.findall(r'(name|filename)="([^"]*)"', told["Content-Disposition"]))
    if "filename" not in given:
        return given["name"], content.decode()
    return given["name"], {
        "file_name": given["filename"],
        "content_type": told["Content-Type"],
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


@dataclass
class Stage:
    """One scene as it is played: what was sent so far. `is_released` lets a waiting song be ready."""

    url: str
    scene: str = "good"
    options: dict[str, Any] = field(default_factory=dict)
    orders: list[Request] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    uploads: list[Request] = field(default_factory=list)
    fetched: int = 0
    left: int = 0
    """How often a client left before its answer was whole."""
    is_released: bool = False

    @property
    def songs(self) -> int:
        """How many songs were begun: an order that is repeated under its key is the same song."""
        keys = [order.headers.get("idempotency-key", str(number)) for number, order in enumerate(self.orders)]
        return len(set(keys))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = LONGEST_SILENCE_SECONDS

    def __init__(self, theatre: Theatre, *args: Any) -> None:
        self.theatre = theatre
        super().__init__(*args)

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, *args: Any) -> None: ...

    def _serve(self) -> None:
        said = self.theatre.answer(self._request())
        self._wait(said)
        if said.stream is not None:
            self._stream(said, said.stream)
            return
        if said.is_held and not said.pieces:
            time.sleep(LONGEST_SILENCE_SECONDS)
        self.send_response(said.status)
        length = {"Transfer-Encoding": "chunked"} if said.pieces else {"Content-Length": str(len(said.body))}
        for name, value in {**said.headers, **length}.items():
            self.send_header(name, value)
        self.end_headers()
        if said.pieces:
            self._send_pieces(said)
        else:
            self.wfile.write(said.body[: len(said.body) // 2] if said.is_cut else said.body)
        self.close_connection = self.close_connection or said.is_cut or said.is_held

    def _wait(self, said: Said) -> None:
        time.sleep(said.after_seconds)
        latest = time.monotonic() + LONGEST_SILENCE_SECONDS
        while said.is_kept_back and not self.theatre.is_released and time.monotonic() < latest:
            time.sleep(0.01)

    def _send_pieces(self, said: Said) -> None:
        for piece in said.pieces[: len(said.pieces) // 2] if said.is_cut else said.pieces:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.wfile.flush()
        if said.is_held:
            time.sleep(LONGEST_SILENCE_SECONDS)
        if not said.is_cut:
            self.wfile.write(b"0\r\n\r\n")

    def _stream(self, said: Said, pieces: Iterator[bytes]) -> None:
        self.send_response(said.status)
        for name, value in {**said.headers, "Transfer-Encoding": "chunked"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        try:
            for piece in pieces:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            if not said.is_cut:
                self.wfile.write(b"0\r\n\r\n")
        except ConnectionError:
            self.theatre.note_left()

    def _request(self) -> Request:
        length = min(int(self.headers.get("content-length") or 0), LONGEST_BODY)
        body = self.rfile.read(length)
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        read = body_of(body, headers.get("content-type", ""))
        return Request(self.command, parts.path, parse_qs(parts.query), headers, read)


class Theatre:
    """The one stage of the process, and the back door by which a test directs it."""

    def __init__(self, wire: str) -> None:
        self._wire = importlib.import_module(f"tests.contracts.providers.wires.{wire}")
        self._lock = threading.Lock()
        self.url = ""
        self._stage = Stage("")

    @property
    def is_released(self) -> bool:
        return self._stage.is_released

    def note_left(self) -> None:
        with self._lock:
            self._stage.left += 1

    def answer(self, request: Request) -> Said:
        with self._lock:
            match request.path:
                case "/_play":
                    self._stage = Stage(self.url, request.body["scene"], request.body.get("options", {}))
                    return as_json({})
                case "/_release":
                    self._stage.is_released = True
                    return as_json({})
                case "/_record":
                    return as_json(asdict(self._stage) | {"songs": self._stage.songs})
            said: Said = self._wire.answer(self._stage, request)
            return said


def main(wire: str) -> None:
    theatre = Theatre(wire)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, theatre))
    server.daemon_threads = True
    theatre.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    # The wires import this module by its name, and must meet the same classes.
    importlib.import_module("tests.contracts.providers.standin").main(sys.argv[1])
