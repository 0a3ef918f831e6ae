"""The commands of the README that order a song, as they stand there: only the address and the key are others."""

from __future__ import annotations

import base64
import json
import re
import textwrap
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.scenarios.customers import Customer, heard, until
from tests.scenarios.printed import Answered, curl
from tests.scenarios.servers import ROOT, TuttiServer

pytestmark = [pytest.mark.whole_server, pytest.mark.timeout(300)]

SHOWN: Final = "http://127.0.0.1:8000"
COMMANDS: Final = [
    textwrap.dedent(block)
    for block in re.findall(r"(?m)^ {4}curl .*\n(?: {4,}.*\n)*", (ROOT / "README.md").read_text(encoding="utf-8"))
]


def path_of(command: str) -> str:
    return command[command.index(SHOWN) + len(SHOWN) :].split(maxsplit=1)[0]


@pytest.fixture(scope="module")
def customer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    server = TuttiServer(tmp_path_factory.mktemp("readme"))
    try:
        assert server.demo["keys"]
        server.start()
        yield Customer(server, tmp_path_factory.mktemp("curl"))
    finally:
        server.close()


def of_music(customer: Customer, answer: Answered) -> bytes:
    return customer.open(answer.json()["audio"])


def of_content(customer: Customer, answer: Answered) -> bytes:
    parts = answer.json()["candidates"][0]["content"]["parts"]
    return base64.b64decode(parts[1]["inlineData"]["data"])


def of_chat(customer: Customer, answer: Answered) -> bytes:
    return base64.b64decode(answer.json()["choices"][0]["message"]["audio"]["data"])


def of_events(customer: Customer, answer: Answered) -> bytes:
    told = [line.removeprefix("data: ") for line in answer.body.decode().splitlines() if line.startswith("data: ")]
    ended = json.loads(told[-1])
    assert ended["event"] == "completed"
    return base64.b64decode(ended["audio"])


def of_minimax(customer: Customer, answer: Answered) -> bytes:
    return customer.open(answer.json()["data"]["audio"])


def of_mureka(customer: Customer, answer: Answered) -> bytes:
    task_id, endpoint = answer.json()["data"]["taskId"], customer.server.demo["endpoints"]["mureka"]
    address = f"{customer.server.url}/v1/ai/{endpoint}/mureka/song/query/{task_id}"

    def ask() -> Any:
        return curl(f"curl {address} -H 'Authorization: Bearer {customer.key}'", customer.folder).json()["data"]

    return customer.open(until(lambda task: task["finished_at"] is not None, ask)["choices"][0]["url"])


SONGS: Final = {
    "/v1/music/generations": of_music,
    "/v1beta/models/lyria-3-pro-preview:generateContent": of_content,
    "/v1/music/chat/completions": of_chat,
    "/api/v1/generate_music": of_events,
    "/v1/music_generation": of_minimax,
    "/v1/ai/mureka-v7-6/mureka/song/generate": of_mureka,
}


def test_the_readme_orders_by_every_wire() -> None:
    assert [path_of(command) for command in COMMANDS] == list(SONGS)


@pytest.mark.parametrize("command", COMMANDS, ids=path_of)
def test_a_command_of_the_readme_ends_with_a_song_that_plays(customer: Customer, command: str) -> None:
    line = command.replace(SHOWN, customer.server.url)

    answer = curl(f"KEY={customer.key}\n{line}", customer.folder)

    assert answer.status == 200, answer.body
    heard(SONGS[path_of(command)](customer, answer))
