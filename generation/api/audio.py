"""Signed audio links: a plain GET, no key, no cookie."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from functools import partial
from typing import Final, cast

from asgiref.sync import sync_to_async
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts.permissions import PUBLIC
from generation.api import shapes
from generation.api.awaited import Answer, Waiting
from generation.api.base import MusicView
from generation.api.errors import failure
from generation.api.lyrics import extension_of, sheet_of
from generation.api.ranges import Part, Unsatisfiable, part_of
from generation.api.streams import comes
from generation.audio.formats import FORMATS
from generation.contract import AudioFormat, Refusal
from generation.lyrics.sheets import SHEETS
from generation.models import Rendition, Track
from generation.services.links import open_link
from generation.services.renditions import is_made, made_rendition, rendition_of
from generation.waiting import waiting_room

CHUNK_BYTES: Final = 128 * 1024
LOOK_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 60.0
"""For a format that is being made: a song of seven minutes takes some seconds, and the workers may be busy."""


Served = Track | Rendition


class Audio(MusicView):
    """A take in the format its link names; serve it through `awaited`, as that may have to be made first."""

    words = {"GET": PUBLIC}

    @shapes.open_audio
    def get(self, request: Request, token: str, file_name: str) -> HttpResponseBase:
        track = _track(token, file_name)
        audio_format = extension_of(file_name)
        if audio_format in SHEETS:
            return sheet_of(request, track, file_name)
        if audio_format == track.format:
            return answer_with(request, track, file_name)
        rendition = rendition_of(track, audio_format)
        if rendition.file:
            return answer_with(request, rendition, file_name)
        return WaitingForRendition(rendition, render=partial(_render_made, request, rendition.pk, file_name))


class WaitingForRendition(Waiting):
    """The answer to one who asks for a format that is being made: a worker encodes, and no thread is held here."""

    def __init__(self, rendition: Rendition, *, render: Answer, seconds: float = LONGEST_WAIT_SECONDS) -> None:
        super().__init__(rendition.track.job_id, seconds=seconds, render=render)
        self._rendition_id = rendition.pk

    async def over(self) -> None:
        stopping, room = asyncio.Event(), waiting_room()
        try:
            with room.closing(stopping.set):
                async with asyncio.timeout(self.seconds):
                    while not await room.run(is_made, self._rendition_id) and not stopping.is_set():
                        await comes(stopping, LOOK_SECONDS)
        except TimeoutError:
            return


def _render_made(request: Request, rendition_id: uuid.UUID, file_name: str) -> HttpResponseBase:
    try:
        return answer_with(request, made_rendition(rendition_id), file_name)
    except Exception as exc:  # noqa: BLE001 - the view has ended: nobody above would word it
        return failure(exc, request._request, MusicView.dialect)  # noqa: SLF001 - what lies below DRF's request


def _track(token: str, file_name: str) -> Track:
    # The signature is the right to read: whoever holds the link may be nobody's member.
    track = Track.unscoped.filter(pk=open_link(token, file_name)).select_related("job").first()
    if track is None or not default_storage.exists(track.file):
        raise _no_such_file()
    return track


def answer_with(request: Request, audio: Served, file_name: str) -> HttpResponseBase:
    """The whole file, the part that is asked for, or that nothing has changed."""
    headers = _headers(audio, file_name)
    if request.headers.get("if-none-match") == headers["ETag"]:
        return HttpResponse(status=304, headers=headers)
    try:
        part = part_of(_wished_range(request, headers["ETag"]), audio.size)
    except Unsatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{audio.size}", "Accept-Ranges": "bytes"})
    return _send(request, audio, part, headers)


def _headers(audio: Served, file_name: str) -> dict[str, str]:
    return {
        "Content-Type": _content_type(audio),
        "Accept-Ranges": "bytes",
        "ETag": f'"{audio.sha256}"',
        "Cache-Control": "private, max-age=86400",
        "Content-Disposition": f'inline; filename="{file_name}"',
        "X-Content-Type-Options": "nosniff",
        "x-ai-generated": "true",
    }


def _content_type(audio: Served) -> str:
    media_type = FORMATS[cast(AudioFormat, audio.format)].media_type
    return f"{media_type};rate={audio.sample_rate};channels={audio.channels}" if audio.format == "pcm" else media_type


def _wished_range(request: Request, etag: str) -> str:
    """The range, unless it is meant for another version of the file."""
    is_for_this = request.headers.get("if-range", etag) == etag
    return request.headers.get("range", "") if is_for_this else ""


def _send(request: Request, audio: Served, part: Part | None, headers: dict[str, str]) -> HttpResponseBase:
    status = 200
    if part is not None:
        status, headers["Content-Range"] = 206, f"bytes {part.first}-{part.last}/{audio.size}"
    part = part or Part(0, audio.size - 1)
    headers["Content-Length"] = str(part.length)
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    return StreamingHttpResponse(FilePart(default_storage.open(audio.file), part), status=status, headers=headers)


def _no_such_file() -> Refusal:
    return Refusal("not_found", "There is no such file, or its link has ended: ask for the song again.")


class FilePart:
    """A part of a file, read piece by piece: no thread is held between two pieces, however slow the reader is."""

    def __init__(self, file: File[bytes], part: Part) -> None:
        self.file, self._part = file, part

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self.file:
            await sync_to_async(self.file.seek, thread_sensitive=True)(self._part.first)
            left = self._part.length
            while left > 0:
                piece = await sync_to_async(self.file.read, thread_sensitive=True)(min(CHUNK_BYTES, left))
                if not piece:
                    return
                left -= len(piece)
                yield piece

    def close(self) -> None:
        """Called by Django when the answer ends, also one that was never read."""
        self.file.close()
