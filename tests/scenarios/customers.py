"""A customer with the client they have: base address, key and endpoint are theirs, the rest is as documented."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from tests.scenarios.playing import Played, play
from tests.scenarios.printed import Answered, curl, filled
from tests.scenarios.servers import TuttiServer

HOSTS: Final = ("https://genaiapi-m2.cloudsway.net", "https://genaiapi.cloudsway.net")
PATIENCE_SECONDS: Final = 120
SHORTEST_SECONDS: Final = 5
QUIETEST_DBFS: Final = -40


@dataclass(frozen=True)
class Customer:
    server: TuttiServer
    folder: Path
    bought: Counter[str] = field(default_factory=Counter)
    """The songs of each model that are to be found in the books."""

    @property
    def key(self) -> str:
        key: str = self.server.demo["keys"]["funded"]
        return key

    def curl(self, line: str, *, endpoint: str, **more: str) -> Answered:
        """Run a documented line; `more` are further names of the document and their values here."""
        values = {
            **dict.fromkeys(HOSTS, self.server.url),
            **dict.fromkeys(("${your AK}", "${Your AK}"), self.key),
            **dict.fromkeys(("{endpointPath}", "${Your endpoint}"), self.server.demo["endpoints"][endpoint]),
            **{f"{{{name}}}": value for name, value in more.items()},
        }
        return curl(filled(line, values), self.folder)

    def post(self, path: str, body: Any) -> httpx.Response:
        return httpx.post(
            f"{self.server.url}{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
            timeout=PATIENCE_SECONDS,
        )

    def open(self, link: str) -> bytes:
        """What a link gives to anybody: no key, no cookie."""
        answer = httpx.get(link, timeout=PATIENCE_SECONDS)
        assert (answer.status_code, answer.headers["x-ai-generated"]) == (httpx.codes.OK, "true"), link
        return answer.content

    def has_bought(self, model: str) -> None:
        self.bought[model] += 1

    def charged(self) -> dict[str, int]:
        """How many jobs of each model ended with which charge in micro-credits, whatever they ended in."""
        charges: dict[str, int] = self.server.ask_database(
            "Counter(f'{job.mapping.llm.public_name} {job.charged_micro}'"
            " for job in Job.objects.select_related('mapping__llm'))"
        )
        return charges


def heard(audio: bytes) -> Played:
    """The song played to its end: one that lasts and is not silent."""
    played = play(audio)
    assert played.seconds > SHORTEST_SECONDS
    assert played.level_dbfs > QUIETEST_DBFS
    return played


def until(is_over: Any, ask: Any) -> Any:
    """Ask again and again, as a client does, until it is over."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_over(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.3)
    return found
