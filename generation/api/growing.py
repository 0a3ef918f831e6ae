"""Takes that are heard while they are made: a signed link to audio that grows until its song is whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Final

from asgiref.sync import sync_to_async
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from accounts.permissions import PUBLIC
from generation.api import shapes
from generation.api.audio import answer_with
from generation.api.base import MusicView
from generation.audio.formats import FORMATS
from generation.audio.growing import growing_format
from generation.contract import AudioFormat, Refusal
from generation.models import Job, Track
from generation.services.hearing import Hearing
from generation.services.links import open_stream
from generation.waiting import News, RoomClosed, waiting_room

CHUNK_BYTES: Final = 128 * 1024


class GrowingAudio(MusicView):
    """While the take is made: its pieces from the beginning, then what else there is of it. Afterwards: its file."""

    words = {"GET": PUBLIC}

    @shapes.open_stream
    def get(self, request: Request, token: str, file_name: str) -> HttpResponseBase:
        # The signature is the right to read, as for the links to files.
        job_id, take = open_stream(token, file_name)
        job = Job.unscoped.filter(pk=job_id).first()
        audio_format = growing_format(job.song.format) if job is not None else None
        track = Track.unscoped.filter(job=job, take=take, format=audio_format).first()
        if track is not None:
            return answer_with(request, track, file_name)
        if job is None or audio_format is None or job.is_final:
            raise Refusal("not_found", "This song is not being made any more, or was not made.")
        headers = _headers(audio_format, file_name)
        if request.method == "HEAD":
            return HttpResponse(headers=headers)
        return StreamingHttpResponse(GrowingStream(Hearing(job_id, take), audio_format).chunks(), headers=headers)


def _headers(audio_format: AudioFormat, file_name: str) -> dict[str, str]:
    return {
        "Content-Type": FORMATS[audio_format].media_type,
        "Accept-Ranges": "none",
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
        "Content-Disposition": f'inline; filename="{file_name}"',
        "X-Content-Type-Options": "nosniff",
        "x-ai-generated": "true",
    }


@dataclass(slots=True)
class GrowingStream:
    """Ends with the take: with its last sound when it is delivered, else with what there was to hear.

    When an attempt fails of which something was given, the stream ends; opened again, it begins with the next attempt.
    """

    hearing: Hearing
    audio_format: AudioFormat
    is_leaving: bool = False

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """No thread is held while nothing is to be heard, nor between two pieces."""
        stirred = asyncio.Event()

        def leave() -> None:
            self.is_leaving = True
            stirred.set()

        def hear(news: News) -> None:
            if news.seq > self.hearing.seq or news.is_final:
                stirred.set()

        room = waiting_room()
        try:
            with room.closing(leave), room.watching(self.hearing.job_id, hear):
                while not self.hearing.is_over:
                    stirred.clear()
                    async for piece in self._pieces():
                        yield piece
                    if self.is_leaving:
                        return
                    if not self.hearing.is_over:
                        await stirred.wait()
        except RoomClosed:
            return
        async for chunk in self._rest():
            yield chunk

    async def _pieces(self) -> AsyncIterator[bytes]:
        while not self.is_leaving:
            piece = await sync_to_async(self.hearing.next_piece, thread_sensitive=True)()
            if piece is None:
                return
            yield piece

    async def _rest(self) -> AsyncIterator[bytes]:
        rest = await sync_to_async(self.hearing.rest, thread_sensitive=True)(self.audio_format)
        for start in range(0, len(rest), CHUNK_BYTES):
            yield rest[start : start + CHUNK_BYTES]
