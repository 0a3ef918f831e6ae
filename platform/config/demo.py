"""The first song: ordered, waited for, saved and paid as any program would, through the REST API."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
from django.conf import settings
from django.db import connections

from billing.money import in_credits
from billing.services.receipt import Receipt, receipt_of

ORDER: Final = settings.ROOT / "docs" / "first-song.json"
START_SECONDS: Final = 60
SONG_SECONDS: Final = 240


class DemoFailed(Exception):
    """The first song did not come; the message says what came instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSong:
    file: Path
    duration_seconds: float
    quoted_micro: int
    receipt: Receipt


def make_first_song(*, base_url: str, key: str) -> FirstSong:
    """Order `docs/first-song.json` as it stands and save what comes. Raises DemoFailed."""
    body = ORDER.read_bytes()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with httpx.Client(base_url=base_url, timeout=SONG_SECONDS, trust_env=False) as client:
        wait_until_healthy(client)
        quote = _json(client.post("/v1/music/quotes", content=body, headers=headers))
        song = _json(client.post("/v1/music/generations", content=body, headers=headers))
        audio = client.get(song["audio"])
    if audio.status_code != httpx.codes.OK:
        raise DemoFailed(f"The link to the song answered {audio.status_code}.")
    return FirstSong(
        file=_save(audio.content),
        duration_seconds=song["duration"],
        quoted_micro=quote["micro_credits"],
        receipt=_receipt(UUID(song["id"])),
    )


def wait_until_healthy(client: httpx.Client) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            if client.get("/healthz").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise DemoFailed(f"The server did not answer within {START_SECONDS} s.")


def tell(song: FirstSong, world: Mapping[str, Any], say: Callable[[str], None]) -> None:
    """The receipt, and how to go on."""
    base_url, customer = world["base_url"], world["customer"]
    lines = [
        f"Your first song: {_from_here(song.file)} ({song.duration_seconds:.1f} s)",
        f"  quote    {in_credits(song.quoted_micro):>12} credits",
        f"  hold     {in_credits(song.receipt.held_micro):>12} credits",
        f"  charge   {in_credits(song.receipt.charged_micro):>12} credits",
        f"  released {in_credits(song.receipt.released_micro):>12} credits",
        f"Portal: {base_url}/  sign in as {customer['email']} with {customer['password']}",
        f"API:    {base_url}/docs",
        "Order another:",
        f"  {curl_line(base_url=base_url, key=world['keys']['funded'])}",
    ]
    for line in lines:
        say(line)


def curl_line(*, base_url: str, key: str) -> str:
    """One line for a POSIX shell, from any folder."""
    body = json.dumps(json.loads(ORDER.read_text()), ensure_ascii=False)
    parts = ["curl", "-sS", f"{base_url}/v1/music/generations"]
    parts += ["-H", f"Authorization: Bearer {key}", "-H", "Content-Type: application/json", "-d", body]
    return shlex.join(parts)


def _json(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code != httpx.codes.OK:
        raise DemoFailed(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text}")
    data: dict[str, Any] = answer.json()
    return data


def _save(audio: bytes) -> Path:
    file: Path = settings.VAR / "demo" / "first-song.mp3"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(audio)
    return file


def _receipt(job_id: UUID) -> Receipt:
    try:
        return receipt_of(reference=job_id)
    finally:
        connections.close_all()  # this thread's own


def _from_here(file: Path) -> Path:
    return file.relative_to(settings.ROOT) if file.is_relative_to(settings.ROOT) else file
