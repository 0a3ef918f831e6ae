"""Lyrics: the calls that order a text alone, and the timed lyrics of a track as files."""

from __future__ import annotations

import hashlib
from typing import Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from generation.api import lyrics_shapes
from generation.api.base import MusicView
from generation.api.orders import OrderView
from generation.contract import Refusal
from generation.dialects.registry import MINIMAX_LYRICS, MUREKA_LYRICS
from generation.lyrics.sheets import SHEETS
from generation.models import Track
from generation.services.queries import find_job
from generation.services.timed_lyrics import file_stem, lyrics_sheet, track_of

LONGEST_TAKE: Final = 6
"""Digits of a number that some take could have."""


class MiniMaxWriting(OrderView):
    dialect = MINIMAX_LYRICS

    @lyrics_shapes.write_lyrics
    def post(self, request: Request) -> HttpResponseBase:
        return self.answer_to(self.take(request))


class MurekaWriting(OrderView):
    dialect = MUREKA_LYRICS

    @lyrics_shapes.generate_lyrics
    def post(self, request: Request) -> HttpResponseBase:
        return self.answer_to(self.take(request))


class TimedLyrics(MusicView):
    words = {"GET": "generation.read"}

    @lyrics_shapes.read_timed_lyrics
    def get(self, request: Request, job_id: str, take: str, sheet: str) -> HttpResponse:
        job = find_job(job_id, live=self.caller.live)
        if not take.isascii() or not take.isdigit() or len(take) > LONGEST_TAKE:
            raise Refusal("not_found", "There is no such take.")
        track = track_of(job, int(take))
        return sheet_of(request, track, f"{file_stem(track)}.{sheet}")


def extension_of(file_name: str) -> str:
    return file_name.rpartition(".")[2]


def sheet_of(request: Request, track: Track, file_name: str) -> HttpResponse:
    """The timed lyrics of a track, in the format of the file's name. Raises Refusal `not_found`."""
    name = extension_of(file_name)
    body = lyrics_sheet(track, name).encode()
    headers = {
        "ETag": f'"{hashlib.sha256(body).hexdigest()}"',
        "Cache-Control": "private, max-age=86400",
        "Content-Disposition": f'inline; filename="{file_name}"',
        "X-Content-Type-Options": "nosniff",
        "x-ai-generated": "true",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return HttpResponse(status=304, headers=headers)
    media_type = next(kind.media_type for known, kind in SHEETS.items() if known == name)
    return HttpResponse(body, content_type=media_type, headers=headers)
