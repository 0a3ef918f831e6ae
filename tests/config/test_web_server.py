"""What a client may cost that does not read, or that sends without end: asked of a whole server."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.scenarios.servers import TuttiServer

SECONDS = 30
MIB = 1024 * 1024
CLOSE = 8
SONG = {"model": "rehearsal", "catelogid": "music_gen", "prompt": "a song", "lyrics": "[Verse]\nLa", "duration": 1}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuttiServer]:
    tutti = TuttiServer(tmp_path_factory.mktemp("var"))
    tutti.demo  # noqa: B018 - migrates and writes the data
    try:
        tutti.start()
        yield tutti
    finally:
        tutti.close()


@contextmanager
def connected(server: TuttiServer, *, receive_bytes: int | None = None) -> Iterator[socket.socket]:
    with socket.socket() as client:
        if receive_bytes is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        client.settimeout(SECONDS)
        client.connect(("127.0.0.1", server.port))
        yield client


def head(server: TuttiServer, line: str, **headers: str) -> bytes:
    given = {
        "Host": f"127.0.0.1:{server.port}",
        "Authorization": f"Bearer {server.demo['keys']['funded']}",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"{line} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
    return "\r\n".join(lines).encode()


def read_head(client: socket.socket) -> tuple[bytes, bytes]:
    """An answer's head, and what has come behind it."""
    read = b""
    while b"\r\n\r\n" not in read:
        piece = client.recv(4096)
        assert piece, read
        read += piece
    top, _, rest = read.partition(b"\r\n\r\n")
    return top, rest


def answer_of(client: socket.socket) -> tuple[int, dict[str, Any]]:
    top, body = read_head(client)
    length = int(re.findall(rb"(?i)content-length: (\d+)", top)[0])
    while len(body) < length:
        body += client.recv(4096)
    return int(top.split()[1]), json.loads(body)


def memory_mib(server: TuttiServer) -> float:
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


def settled_memory_mib(server: TuttiServer) -> float:
    """The memory once it has stood still for a second."""
    seen = [memory_mib(server)]
    while len(seen) < 10 or max(seen[-10:]) - min(seen[-10:]) > 0.5:
        time.sleep(0.1)
        seen.append(memory_mib(server))
    return seen[-1]


# --- Those who do not read ------------------------------------------------------------------------------------------


def long_audio(server: TuttiServer, size: int) -> str:
    """The path of a link to a WAV of that size."""
    song = server.order("funded", SONG | {"audio_setting": {"format": "wav"}}).json()
    server.manage(
        "shell",
        "--verbosity",
        "0",
        "--command",
        "import os\nfrom django.core.files.storage import default_storage\nfrom generation.models import Track\n"
        f"track = Track.unscoped.get(job_id={song['id']!r})\nos.truncate(default_storage.path(track.file), {size})\n"
        f"Track.unscoped.filter(pk=track.pk).update(size={size})",
    )
    return urlsplit(song["audio"]).path


def test_a_player_that_pauses_does_not_pull_the_file_into_memory(server: TuttiServer) -> None:
    size = 100 * MIB
    path = long_audio(server, size)
    before = settled_memory_mib(server)
    with connected(server, receive_bytes=64 * 1024) as client:
        client.sendall(head(server, f"GET {path}"))
        top, rest = read_head(client)
        grown = settled_memory_mib(server) - before
        left = size - len(rest)
        while left:
            left -= len(client.recv(MIB))
        client.sendall(head(server, "GET /healthz"))
        follows = answer_of(client)

    print(f"memory: {grown:.1f} MiB more while a file of 100 MiB waits")
    assert top.startswith(b"HTTP/1.1 200 ")
    assert grown < 10
    assert follows == (200, {"status": "ok"})


def opened_socket(server: TuttiServer, client: socket.socket) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": key}
    client.sendall(head(server, "GET /ws/v1/jobs", **upgrade))
    assert read_head(client)[0].startswith(b"HTTP/1.1 101 ")


def say(client: socket.socket, message: dict[str, Any]) -> None:
    """One text frame, masked with zeros."""
    text = json.dumps(message).encode()
    client.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)


def frames(client: socket.socket) -> Iterator[tuple[int, bytes]]:
    """Opcode and payload of each frame, the one that closes last."""
    opcode = 0
    with client.makefile("rb") as stream:
        while opcode != CLOSE and (start := stream.read(2)):
            length = start[1] & 0x7F
            if length == 126:
                (length,) = struct.unpack("!H", stream.read(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", stream.read(8))
            opcode = start[0] & 0x0F
            yield opcode, stream.read(length)


def long_log(server: TuttiServer, count: int) -> str:
    """A song whose log has so many events of 16 kB."""
    song = server.order("funded", SONG).json()
    server.manage(
        "shell",
        "--verbosity",
        "0",
        "--command",
        "from django.utils import timezone\nfrom generation.models import Event, Job\n"
        f"job = Job.unscoped.get(pk={song['id']!r})\n"
        "Event.unscoped.bulk_create(Event(organization_id=job.organization_id, job=job, seq=job.last_seq + 1 + number,"
        f" type='progress', data={{'phase': 'x' * 16_000}}, at=timezone.now()) for number in range({count}))",
    )
    return str(song["id"])


def test_a_socket_that_is_not_read_is_closed_with_4408(server: TuttiServer) -> None:
    job_id = long_log(server, 3_000)
    before = settled_memory_mib(server)
    with connected(server, receive_bytes=64 * 1024) as client:
        opened_socket(server, client)
        say(client, {"type": "subscribe", "id": job_id})
        time.sleep(12.5)  # as long as a send may take, and what it takes to fill the pipe
        grown = memory_mib(server) - before
        last = list(frames(client))[-1]

    print(f"memory: {grown:.1f} MiB more while a log of 48 MB waits")
    assert last == (CLOSE, struct.pack("!H", 4408))
    assert grown < 40


# --- Those who send too much ----------------------------------------------------------------------------------------

TOO_LARGE = "The body of a call may have at most 1 MiB."


def told(answer: tuple[int, dict[str, Any]]) -> tuple[int, str, str]:
    return answer[0], answer[1]["error"]["code"], answer[1]["error"]["message"]


def test_a_body_that_is_announced_too_long_is_refused_before_it_is_sent(server: TuttiServer) -> None:
    with connected(server) as client:
        client.sendall(head(server, "POST /v1/music/generations", Content_Length=str(10**12)))

        assert told(answer_of(client)) == (413, "body_too_large", TOO_LARGE)


def test_one_who_waits_for_leave_to_send_a_body_that_is_too_long_gets_none(server: TuttiServer) -> None:
    with connected(server) as client:
        client.sendall(head(server, "POST /v1/music/generations", Content_Length=str(2 * MIB), Expect="100-continue"))

        assert told(answer_of(client)) == (413, "body_too_large", TOO_LARGE)


def test_a_body_of_chunks_without_end_is_refused_while_it_comes(server: TuttiServer) -> None:
    before = settled_memory_mib(server)
    with connected(server) as client:
        client.sendall(head(server, "POST /v1/music/generations", Transfer_Encoding="chunked"))
        for _ in range(100):
            client.sendall(b"100000\r\n" + bytes(MIB) + b"\r\n")

        assert told(answer_of(client)) == (413, "body_too_large", TOO_LARGE)
        assert settled_memory_mib(server) - before < 20


def test_a_client_that_sends_all_before_it_reads_gets_its_answer(server: TuttiServer) -> None:
    with connected(server) as client:
        client.sendall(head(server, "POST /v1/music/generations", Content_Length=str(20 * MIB)))
        client.sendall(bytes(20 * MIB))

        assert told(answer_of(client)) == (413, "body_too_large", TOO_LARGE)
        assert client.recv(1) == b""


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_of_just_the_limit_is_read(server: TuttiServer, is_chunked: bool) -> None:
    order = json.dumps({"prompt": ""}).encode()
    body = order + b" " * (MIB - len(order))
    content = iter([body]) if is_chunked else body

    answers = [
        httpx.post(
            f"{server.url}/v1/music/generations",
            content=given,
            headers={"Authorization": f"Bearer {server.demo['keys']['funded']}"},
            timeout=SECONDS,
        )
        for given in (content, iter([body, b" "]) if is_chunked else body + b" ")
    ]

    assert [answer.status_code for answer in answers] == [400, 413]
    assert "Traceback" not in server.log
