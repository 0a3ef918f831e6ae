"""Two thousand spoilt files and two hundred sound ones, sent to a whole server."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from generation.audio.decode import probe
from generation.audio.midi import read_tune
from generation.audio.purposes import MOST_BYTES, RULES
from tests.generation.mutations import mutated
from tests.generation.songs_to_send import form, song, tune
from tests.scenarios.servers import TuttiServer

pytestmark = [pytest.mark.whole_server, pytest.mark.timeout(900)]

SPOILT = 2_000
SOUND = 200
AT_ONCE = 4
LONGEST_ANSWER_SECONDS = 10
LENGTHS = {"reference": (30, 31), "vocal": (15, 31), "melody": (5, 61), "instrumental": (30, 31), "voice": (5, 16)}
KINDS = [
    (purpose, kind, seconds)
    for purpose, rule in RULES.items()
    for kind in rule.formats
    for seconds in LENGTHS.get(purpose, (1, 10))
]


@dataclass(frozen=True, slots=True)
class Sent:
    """A file, what it was sent for, and how it was answered."""

    data: bytes
    purpose: str
    kind: str
    seconds: float
    answer: httpx.Response
    answered_after: float


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuttiServer]:
    tutti = TuttiServer(tmp_path_factory.mktemp("var"))
    tutti.demo  # noqa: B018 - migrates and writes the data
    try:
        tutti.start()
        yield tutti
    finally:
        tutti.close()


def paths_of(server: TuttiServer) -> tuple[str, ...]:
    return "/v1/files", "/v1/files/upload", f"/v1/ai/{server.demo['endpoints']['mureka']}/mureka/files/upload"


def send(server: TuttiServer, number: int, data: bytes, purpose: str, kind: str = "", seconds: float = 0) -> Sent:
    body, content_type = form(data, purpose)
    paths = paths_of(server)
    started = time.monotonic()
    answer = httpx.post(
        server.url + paths[number % len(paths)],
        content=iter([body]) if number % 2 else body,  # half of them in chunks, without a length
        headers={"Authorization": f"Bearer {server.demo['keys']['funded']}", "Content-Type": content_type},
        timeout=60,
    )
    return Sent(data, purpose, kind, seconds, answer, time.monotonic() - started)


def kept(server: TuttiServer) -> dict[str, str]:
    """The hash of each stored file, by its name in the storage."""
    found: dict[str, str] = server.ask_database("dict(Upload.objects.values_list('file', 'sha256'))")
    return found


def stored(server: TuttiServer) -> list[Path]:
    return list((server.var / "media" / "uploads").glob("*"))


def test_spoilt_files_are_all_answered_and_kept_only_when_made_anew(server: TuttiServer) -> None:
    sources = {"mp3": song("mp3", 6), "m4a": song("m4a", 6), "mid": tune(8)}
    before = set(kept(server))
    started = time.monotonic()

    def one(number: int) -> Sent:
        kind, data = mutated(sources, number)
        return send(server, number, data, "melody" if kind == "mid" else "voice")

    with ThreadPoolExecutor(AT_ONCE) as senders:
        sent = list(senders.map(one, range(SPOILT)))

    took = time.monotonic() - started
    slowest = max(one.answered_after for one in sent)
    statuses = Counter(one.answer.status_code for one in sent)
    print(f"{SPOILT} spoilt files in {took:.0f} s, the slowest answer after {slowest:.2f} s: {dict(statuses)}")
    assert slowest < LONGEST_ANSWER_SECONDS
    assert set(statuses) == {200, 400}
    hashes = {file: sha256 for file, sha256 in kept(server).items() if file not in before}
    assert len(hashes) == statuses[200]
    assert {hashlib.sha256(one.data).hexdigest() for one in sent} & set(hashes.values()) <= harmless(sent)
    for path in stored(server):
        read_tune(path.read_bytes()) if path.suffix == ".mid" else probe(path.read_bytes())
    assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}
    assert "Traceback" not in server.log


def harmless(sent: list[Sent]) -> set[str]:
    """A MIDI file that we could have written is written so again: its bytes are ours, whoever sent them."""
    return {hashlib.sha256(one.data).hexdigest() for one in sent if one.data[:4] == b"MThd"}


def test_sound_files_of_every_purpose_and_format_are_taken_by_their_rule(server: TuttiServer) -> None:
    def one(number: int) -> Sent:
        purpose, kind, seconds = KINDS[number % len(KINDS)]
        data = song(kind, seconds, seed=number // len(KINDS) % 2, channels=1 + number // len(KINDS) % 2)
        named = b"ID3\x04\0\0\0\0\0\x0d" + b"TIT2\0\0\0\x03\0\0" + bytes((3, 48 + number % 10, 48)) + data
        return send(server, number, named if kind == "mp3" else data, purpose, kind, seconds)

    started = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as senders:
        sent = list(senders.map(one, range(SOUND)))

    slowest = max(one.answered_after for one in sent)
    print(f"{SOUND} sound files in {time.monotonic() - started:.0f} s, the slowest answer after {slowest:.2f} s")
    assert [one.answer.text for one in sent if one.answer.status_code != 200] == []
    lengths = server.ask_database("[(row.purpose, row.duration_ms) for row in Upload.objects.order_by('-id')[:200]]")
    expected = Counter((one.purpose, min(one.seconds, RULES[one.purpose].longest_seconds)) for one in sent)
    assert Counter((purpose, round(length / 1000)) for purpose, length in lengths) == expected


@pytest.mark.parametrize("is_chunked", [False, True])
def test_file_over_its_limit_is_refused_and_nothing_is_left(server: TuttiServer, is_chunked: bool) -> None:
    before = len(stored(server))

    sent = send(server, 1 if is_chunked else 0, song("mp3", 6) + bytes(MOST_BYTES), "audio")

    assert (sent.answer.status_code, len(stored(server))) == (413, before)
    assert "20,000,000" in sent.answer.text


def test_file_of_just_the_limit_is_read(server: TuttiServer) -> None:
    data = song("mp3", 6)

    sent = send(server, 1, data + bytes(MOST_BYTES - len(data)), "voice")

    assert sent.answer.status_code == 200, sent.answer.text


def test_form_on_a_route_that_takes_no_files_has_the_limit_of_every_body(server: TuttiServer) -> None:
    body, content_type = form(bytes(2_000_000), "audio")

    answer = httpx.post(
        f"{server.url}/v1/music/generations",
        content=iter([body]),
        headers={"Authorization": f"Bearer {server.demo['keys']['funded']}", "Content-Type": content_type},
    )

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
