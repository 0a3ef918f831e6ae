"""What is asked over the wire `mureka`: the call, its body, the files that go ahead of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from generation.contract import Extend, SongRequest
from generation.lyrics.tags import tags_for
from generation.providers import http
from generation.providers.base import ProviderError, UpstreamAccess
from generation.providers.multipart import Form, FormFile
from generation.providers.mureka.answers import Task
from generation.providers.mureka.envelopes import OFFICIAL, envelope_of

UPLOAD_SECONDS: Final = 120.0
MOST_SONGS: Final = 3
"""How many songs one call makes at most."""
CONTINUED: Final = "audio"
"""The purpose of an upload that is continued."""
NOT_UPLOADED: Final = "The model's upstream did not take the file this song leans on. Nothing was charged."


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One call that makes songs. `asked_at` is the path where its task is asked for, before the task's id.

    `is_counted`: the call takes a number of songs; one that does not makes one.
    """

    path: str
    asked_at: str
    fields: Mapping[str, Any]
    is_counted: bool = True

    def body(self, takes: int) -> dict[str, Any]:
        # Two songs are made, and billed, where no number is given.
        return {**self.fields, "n": takes} if self.is_counted else dict(self.fields)


def shares_of(song: SongRequest) -> tuple[int, ...]:
    """How many songs each call is for; a continuation is one."""
    at_once = 1 if song.extend is not None else MOST_SONGS
    whole, rest = divmod(song.takes, at_once)
    return (at_once,) * whole + ((rest,) if rest else ())


def headers(upstream: UpstreamAccess) -> dict[str, str]:
    """A service of the house's own network may ask for no key."""
    return {"Authorization": f"Bearer {upstream.credential}"} if upstream.credential else {}


def kind_of_call(song: SongRequest, upstream: UpstreamAccess) -> tuple[str, str]:
    """The call that makes such a song, and the one that asks for it."""
    if song.instrumental and upstream.shape == OFFICIAL:
        return "instrumental/generate", "instrumental/query"
    return ("song/extend" if song.extend is not None else "song/generate"), "song/query"


async def order_of(song: SongRequest, upstream: UpstreamAccess) -> Order:
    """The order, with every file it leans on uploaded. Raises ProviderError: not made."""
    _refuse_what_cannot_be_said(song, upstream)
    wire = envelope_of(upstream)
    call, asked_at = kind_of_call(song, upstream)
    if song.extend is not None:
        fields = await _extend_fields(song, song.extend, upstream)
    elif song.instrumental:
        fields = await _instrumental_fields(song, upstream)
    else:
        fields = await _song_fields(song, upstream)
    given = {name: value for name, value in {"model": wire.model(), **fields}.items() if value is not None}
    return Order(path=wire.path(call), asked_at=wire.path(asked_at), fields=given, is_counted=song.extend is None)


async def _song_fields(song: SongRequest, upstream: UpstreamAccess) -> dict[str, Any]:
    leans_on = song.references
    return {
        "lyrics": tags_for("mureka", song.lyrics or "") or None,
        "prompt": song.prompt or None,
        "reference_id": await _uploaded(leans_on.reference, "reference", upstream),
        "vocal_id": await _uploaded(leans_on.vocal, "vocal", upstream),
        "melody_id": await _uploaded(leans_on.melody, "melody", upstream),
        "stream": song.partial_audio or None,
    }


async def _instrumental_fields(song: SongRequest, upstream: UpstreamAccess) -> dict[str, Any]:
    return {
        "prompt": song.prompt or None,
        "instrumental_id": await _uploaded(song.references.reference, "instrumental", upstream),
        "stream": song.partial_audio or None,
    }


async def _extend_fields(song: SongRequest, extend: Extend, upstream: UpstreamAccess) -> dict[str, Any]:
    song_id, upload_id = None, await _uploaded(extend.upload, CONTINUED, upstream)
    if extend.track is not None:
        track = await upstream.sources.track(extend.track)
        song_id = track.upstream_id or None
        if song_id is None:
            file = FormFile(name=f"song.{track.format}", format=track.format, data=track.audio)
            upload_id = await _upload(file, CONTINUED, upstream)
    return {
        "song_id": song_id,
        "upload_audio_id": upload_id,
        "lyrics": tags_for("mureka", song.lyrics or "") or None,
        "extend_at": envelope_of(upstream).milliseconds(extend.at_ms),
    }


def _refuse_what_cannot_be_said(song: SongRequest, upstream: UpstreamAccess) -> None:
    """What would be lost without a word, and is worth no upload before it is refused. Raises ProviderError."""
    leans_on = song.references
    unsaid = {
        "instrumental": song.instrumental and (upstream.shape != OFFICIAL or song.extend is not None),
        "vocal": song.instrumental and leans_on.vocal is not None,
        "melody": song.instrumental and leans_on.melody is not None,
        "lyrics": song.instrumental and bool(song.lyrics),
    }
    param = next((name for name, is_unsaid in unsaid.items() if is_unsaid), None)
    if param is not None:
        message = f"The model's upstream cannot be asked for this: {param}. Nothing was charged."
        raise ProviderError("unsupported_parameter", message, seen="not_made", param=param)


# --- Files that go ahead of an order ------------------------------------------------------------------------------


async def _uploaded(file_id: str | None, purpose: str, upstream: UpstreamAccess) -> str | None:
    """The upstream's id of one of our uploads, sent there for this order."""
    if file_id is None:
        return None
    source = await upstream.sources.file(file_id)
    return await _upload(FormFile(name=source.file_name, format=source.format, data=source.audio), purpose, upstream)


async def _upload(file: FormFile, purpose: str, upstream: UpstreamAccess) -> str:
    """Send a file. Raises ProviderError: whatever happened, no song was ordered."""
    wire = envelope_of(upstream)
    try:
        heard = await http.call(
            upstream,
            "POST",
            wire.path("files/upload"),
            headers=headers(upstream),
            form=Form(texts={"purpose": purpose}, files={"file": file}),
            deadline_seconds=min(UPLOAD_SECONDS, upstream.deadline_seconds),
        )
        uploaded = Task(wire.data(heard)).id
        if uploaded is None:
            raise http.failure(heard, wire.told(heard))
    except ProviderError as error:
        if error.seen == "not_made":
            raise
        raise ProviderError("upstream_error", NOT_UPLOADED, seen="not_made", retryable=True) from None
    return uploaded


def with_less_time(upstream: UpstreamAccess, seconds: float) -> UpstreamAccess:
    """The same upstream after this time has gone by."""
    return replace(upstream, deadline_seconds=max(upstream.deadline_seconds - seconds, 0.0))
