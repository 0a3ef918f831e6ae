"""Signed audio links: a plain GET, no key, no cookie."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, cast

from asgiref.sync import sync_to_async
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts.permissions import PUBLIC
from generation.api import shapes
from generation.api.base import MusicView
from generation.api.lyrics import extension_of, sheet_of
from generation.api.ranges import Part, Unsatisfiable, part_of
from generation.audio.formats import FORMATS
from generation.contract import AudioFormat, Refusal
from generation.lyrics.sheets import SHEETS
from generation.models import Track
from generation.services.links import open_link

CHUNK_BYTES: Final = 128 * 1024


class Audio(MusicView):
    words = {"GET": PUBLIC}

    @shapes.open_audio
    def get(self, request: Request, token: str, file_name: str) -> HttpResponseBase:
        track = _track(token, file_name)
        if extension_of(file_name) in SHEETS:
            return sheet_of(request, track, file_name)
        headers = _headers(track, file_name)
        if request.headers.get("if-none-match") == headers["ETag"]:
            return HttpResponse(status=304, headers=headers)
        try:
            part = part_of(_wished_range(request, headers["ETag"]), track.size)
        except Unsatisfiable:
            return HttpResponse(
                status=416, headers={"Content-Range": f"bytes */{track.size}", "Accept-Ranges": "bytes"}
            )
        return _send(request, track, part, headers)


def _track(token: str, file_name: str) -> Track:
    # The signature is the right to read: whoever holds the link may be nobody's member.
    track = Track.unscoped.filter(pk=open_link(token, file_name)).select_related("job").first()
    if track is None or not default_storage.exists(track.file):
        raise Refusal("not_found", "There is no such file, or its link has ended: ask for the song again.")
    return track


def _headers(track: Track, file_name: str) -> dict[str, str]:
    return {
        "Content-Type": _content_type(track),
        "Accept-Ranges": "bytes",
        "ETag": f'"{track.sha256}"',
        "Cache-Control": "private, max-age=86400",
        "Content-Disposition": f'inline; filename="{file_name}"',
        "X-Content-Type-Options": "nosniff",
        "x-ai-generated": "true",
    }


def _content_type(track: Track) -> str:
    media_type = FORMATS[cast(AudioFormat, track.format)].media_type
    return f"{media_type};rate={track.sample_rate};channels={track.channels}" if track.format == "pcm" else media_type


def _wished_range(request: Request, etag: str) -> str:
    """The range, unless it is meant for another version of the file."""
    is_for_this = request.headers.get("if-range", etag) == etag
    return request.headers.get("range", "") if is_for_this else ""


def _send(request: Request, track: Track, part: Part | None, headers: dict[str, str]) -> HttpResponseBase:
    status = 200
    if part is not None:
        status, headers["Content-Range"] = 206, f"bytes {part.first}-{part.last}/{track.size}"
    part = part or Part(0, track.size - 1)
    headers["Content-Length"] = str(part.length)
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    return StreamingHttpResponse(FilePart(default_storage.open(track.file), part), status=status, headers=headers)


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
