"""Each dialect against its golden pairs.

`<wire>/<case>.request.json` holds what a client sends and how its job ends; `<case>.reply.json` the order that is
read from it and the reply, whole: the one at the end of the wait, or where it `asks` so the one `at once`. A pair is
written by hand from the wire's description, never from the code.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from billing.money import CURRENCY, in_credits
from generation.contract import (
    Fault,
    JobView,
    LyricsLinks,
    LyricsRequest,
    Order,
    Refusal,
    Reply,
    Section,
    SongRequest,
    Tokens,
    TrackView,
    Usage,
    sections_from_json,
)
from generation.dialects.base import Dialect, Refused
from generation.dialects.registry import DIALECTS
from generation.tokens import Made, tokens_of

HERE = Path(__file__).parent
CASES = sorted(path for path in HERE.glob("*/*.request.json"))
REQUEST_ID = "req_1"
JOB_ID = "01890a5d-ac96-774b-bcce-b302099a8057"
BASE_URL = "https://music.example.org"


def case_name(path: Path) -> str:
    return f"{path.parent.name}/{path.name.removesuffix('.request.json')}"


def job_of(order: Order, ends: dict[str, Any]) -> JobView:
    """The job of an order, as it stands when the answer is made."""
    state = ends["state"]
    is_final = state not in ("queued", "running")
    tracks = tuple(track(take, order.song, ends) for take in ends.get("takes", []))
    return JobView(
        id=JOB_ID,
        model=order.model,
        state=state,
        streaming=ends.get("streaming", False),
        created=datetime(2026, 6, 4, 5, 40, 8, tzinfo=UTC),
        finished=datetime(2026, 6, 4, 5, 41, 8, tzinfo=UTC) if is_final else None,
        progress=ends.get("progress"),
        takes=order.song.takes,
        tracks=tracks,
        lyrics=ends.get("lyrics", order.song.lyrics),
        seed=order.song.seed,
        price_micro=1_500_000 * order.song.takes,
        usage=usage_of(tracks) if is_final else None,
        error=Fault(*ends["error"]) if "error" in ends else None,
        wire={**order.wire, "approximated": ends.get("approximated", [])},
        base_url=BASE_URL,
        tokens=tokens_of(order.song, ends.get("lyrics", order.song.lyrics), [made(each, ends) for each in tracks]),
        is_text=order.text is not None,
        title=ends.get("title", ""),
        style_tags=ends.get("style_tags", ""),
        stream_links=tuple(ends.get("stream_links", ())),
        watermarked=order.song.watermark,
    )


def made(track: TrackView, ends: dict[str, Any]) -> Made:
    """`tokens` of a job's end: what the upstream counted for each take."""
    return Made(track.duration_ms, Tokens(*ends["tokens"]) if "tokens" in ends else None)


def usage_of(tracks: tuple[TrackView, ...]) -> Usage:
    charged_micro = 1_500_000 * len(tracks)
    return Usage(price=in_credits(charged_micro), currency=CURRENCY, micro_credits=charged_micro)


def track(take: int, song: SongRequest, ends: dict[str, Any]) -> TrackView:
    link = f"{BASE_URL}/v1/audio/signed/song-{take + 1}"
    return TrackView(
        id=ends["ids"][take] if "ids" in ends else f"track-{take}",
        take=take,
        link=f"{link}.mp3",
        format=song.format or "mp3",
        sample_rate=song.sample_rate or 44_100,
        channels=song.channels or 2,
        bitrate=song.bitrate or 256_000,
        duration_ms=31_500 + take,
        size=4,
        sha256="9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a",
        seed=song.seed,
        sections=tuple(section(given) for given in ends.get("sections", [])),
        charged_micro=1_500_000,
        lyrics=lyrics_links(take) if song.lyrics else None,
        read=lambda: bytes([1, 2, 3, 4]),
        links={"mp3": f"{link}.mp3", "flac": f"{link}.flac", "wav": f"{link}.wav"},
    )


def lyrics_links(take: int) -> LyricsLinks:
    stem = f"{BASE_URL}/v1/audio/signed/song-{take + 1}"
    return LyricsLinks(lrc=f"{stem}.lrc", srt=f"{stem}.srt", vtt=f"{stem}.vtt", is_estimated=True)


def section(given: str | dict[str, Any]) -> Section:
    """A section with its lines, or its type alone."""
    return Section(given, 0, 1000) if isinstance(given, str) else sections_from_json([given])[0]


def reply_to(dialect: Dialect, request: dict[str, Any]) -> tuple[dict[str, Any] | None, Reply]:
    """The order that was read, as what differs from a plain one, and the reply."""
    try:
        order = dialect.parse(request["body"], request.get("path", {}))
    except Refusal as refusal:
        refused = Refused(
            code=refusal.code,
            message=refusal.message,
            param=refusal.param,
            retry_after=refusal.retry_after,
            request_id=REQUEST_ID,
        )
        return None, dialect.refused(refused)
    job = job_of(order, request["ends"])
    if request.get("asks") == "at once":
        return read_as_json(order), dialect.accepted(job)
    return read_as_json(order), dialect.finished(job, request_id=REQUEST_ID)


def read_as_json(order: Order) -> dict[str, Any]:
    song = changed(order.song, SongRequest())
    rest = dataclasses.asdict(order) | {"ignored": list(order.ignored)}
    read = {name: rest[name] for name in ("model", "catalog", "wire", "ignored", "transno")} | {"song": song}
    if order.text is not None:
        read["text"] = changed(order.text, LyricsRequest())
    if order.wire_default:
        read["wire_default"] = order.wire_default
    return read if order.endpoint is None else read | {"endpoint": order.endpoint}


def changed(asked: SongRequest | LyricsRequest, plain: SongRequest | LyricsRequest) -> dict[str, Any]:
    """What differs from an order that asks for nothing."""
    return {name: value for name, value in asked.as_json().items() if value != plain.as_json()[name]}


@pytest.mark.parametrize("path", CASES, ids=case_name)
def test_a_golden_pair(path: Path) -> None:
    request = json.loads(path.read_text())
    golden = json.loads(path.with_name(path.name.replace(".request.", ".reply.")).read_text())

    order, reply = reply_to(DIALECTS[path.parent.name], request)

    assert {
        "order": order,
        "status": reply.status,
        "headers": dict(reply.headers),
        "body": json.loads(json.dumps(reply.body)),
    } == {"order": None} | golden


@pytest.mark.parametrize("slug", DIALECTS)
def test_a_dialect_has_golden_pairs(slug: str) -> None:
    assert [path for path in CASES if path.parent.name == slug]
