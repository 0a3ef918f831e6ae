"""The wire `mureka` as an upstream: an order becomes a task that is asked for until it ends; its songs are fetched.

It is spoken in two envelopes (`envelopes`). One call makes up to three songs; more are ordered side by side.
A poll or a download that fails is tried again until the deadline, for the song exists. A status nobody described may
be a new word for work under way, so it is waited out like one, unless the task says that it has ended.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Final

from generation.contract import (
    Delivery,
    Fault,
    LyricsRequest,
    MissingTake,
    RawTake,
    SongRequest,
    WrittenLyrics,
)
from generation.providers import http
from generation.providers.base import Line, ProviderError, UpstreamAccess
from generation.providers.downloads import download
from generation.providers.http import Heard, Told
from generation.providers.mureka.answers import ENDED_BADLY, STREAMING, SUCCEEDED, UNDER_WAY, Choice, Task
from generation.providers.mureka.envelopes import OFFICIAL, envelope_of, kind_of_reason
from generation.providers.mureka.orders import Order, headers, kind_of_call, order_of, shares_of, with_less_time
from generation.providers.mureka.previews import Previews, previews
from generation.providers.parallel import SHARE_OF_PARALLEL, in_parallel
from generation.providers.untrusted import is_path_safe, storable

logger = logging.getLogger("tutti.upstreams")

NO_AUDIO: Final = "The upstream says that it made the song, and gave no audio. Nothing was charged for it."
NOT_FETCHED_IN_TIME: Final = "The song was made, and could not be fetched in time. Nothing was charged for it."
NO_TICKET: Final = "Nobody knows what became of the order. Nothing was charged."
LONGEST_STATUS: Final = 40
"""Of a word nobody described, for the log."""
NO_WRITER: Final = "The model's upstream does not write such lyrics. Nothing was charged."


class Mureka:
    """Satisfies `generation.providers.base.Provider`, `Resumes` and `WritesLyrics`."""

    slug = "mureka"
    repeatable = False

    async def make(self, song: SongRequest, upstream: UpstreamAccess, line: Line) -> Delivery:
        """Upload what the song leans on, order, wait, fetch."""
        began = time.monotonic()
        order = await order_of(song, upstream)
        upstream = with_less_time(upstream, time.monotonic() - began)
        shares = shares_of(song)
        firsts = accumulate(shares, initial=0)
        calls = [
            partial(_make, song=song, line=line, order=order, first=first, takes=takes)
            for first, takes in zip(firsts, shares, strict=False)
        ]
        if len(calls) == 1:
            return await calls[0](upstream)
        return await in_parallel(upstream, calls, takes_of=shares)

    async def resume(self, song: SongRequest, upstream: UpstreamAccess, tickets: Sequence[str], line: Line) -> Delivery:
        """Ask for the tasks of an earlier process. What was heard of their songs already is not given again."""
        if not tickets:
            raise ProviderError("upstream_error", NO_TICKET, seen="unknown")
        calls = [partial(_resume, song, ticket) for ticket in tickets]
        try:
            delivery = await (calls[0](upstream) if len(calls) == 1 else in_parallel(upstream, calls))
        except ProviderError as error:
            if error.seen == "not_made" and len(tickets) < len(shares_of(song)):
                # Of the other calls nothing is known: they were made as well, perhaps.
                raise http.unknown() from None
            raise
        return _of_size(delivery, song.takes)

    async def write(self, request: LyricsRequest, upstream: UpstreamAccess) -> WrittenLyrics:
        """Have a text written; only the official envelope has a call for it, and none that edits is known."""
        if upstream.shape != OFFICIAL or request.is_edit:
            raise ProviderError("upstream_error", NO_WRITER, seen="not_made")
        wire = envelope_of(upstream)
        heard = await http.call(
            upstream,
            "POST",
            wire.path("lyrics/generate"),
            headers=headers(upstream) | http.known_by(upstream),
            fields={"prompt": request.prompt},
            deadline_seconds=upstream.deadline_seconds,
        )
        lyrics, title = wire.data(heard).get("lyrics"), wire.data(heard).get("title")
        if not isinstance(lyrics, str) or not lyrics.strip():
            raise http.failure(heard, wire.told(heard) or (Told("broken") if wire.data(heard) else None))
        told_title = storable(title) if isinstance(title, str) else ""
        return WrittenLyrics(lyrics=storable(lyrics), title=request.title or told_title)


async def _make(
    upstream: UpstreamAccess, *, song: SongRequest, line: Line, order: Order, first: int, takes: int
) -> Delivery:
    """One call of an order, for the takes from `first` on."""
    until = asyncio.get_running_loop().time() + upstream.deadline_seconds
    async with http.within(upstream.deadline_seconds):
        heard, task, task_id = await _ordered(order.path, order.body(takes), upstream)
        await line.ticket(task_id)
        following = _Following(song, upstream, f"{order.asked_at}/{task_id}", takes, until)
        async with previews(upstream, line) as streams:
            return await following.to_the_end(heard, task, first, streams)


async def _resume(song: SongRequest, ticket: str, upstream: UpstreamAccess) -> Delivery:
    """What became of one task. It may be for any number of the order's takes."""
    if not is_path_safe(ticket):
        raise ProviderError("upstream_error", NO_TICKET, seen="unknown")
    path = envelope_of(upstream).path(kind_of_call(song, upstream)[1])
    until = asyncio.get_running_loop().time() + upstream.deadline_seconds
    async with http.within(upstream.deadline_seconds):
        following = _Following(song, upstream, f"{path}/{ticket}", 0, until)
        return await following.to_the_end(None, Task({}))


def _of_size(delivery: Delivery, takes: int) -> Delivery:
    """As many takes as were ordered; what lacks may be in a task whose id was lost."""
    kept = delivery.takes[:takes]
    lacking = takes - len(kept)
    missing = delivery.missing[:lacking]
    lost = MissingTake(Fault("upstream_error", NO_TICKET), is_unknown=True)
    return Delivery(takes=kept, missing=missing + (lost,) * (lacking - len(missing)))


async def _ordered(path: str, fields: dict[str, object], upstream: UpstreamAccess) -> tuple[Heard, Task, str]:
    """Give the order: the answer, the task in it, its id. Raises ProviderError where no task is known to be begun."""
    wire = envelope_of(upstream)
    heard = await http.call(
        upstream,
        "POST",
        path,
        headers=headers(upstream) | http.known_by(upstream),
        fields=fields,
        deadline_seconds=upstream.deadline_seconds,
    )
    task = Task(wire.data(heard))
    if task.id is None:
        raise http.failure(heard, wire.told(heard))
    return heard, task, task.id


@dataclass(frozen=True, slots=True)
class _Following:
    """One task, followed to its end and to its songs. `takes` 0: as many as it has; `until` by the loop's clock."""

    song: SongRequest
    upstream: UpstreamAccess
    path: str
    takes: int
    until: float

    async def to_the_end(
        self, heard: Heard | None, task: Task, first: int = 0, streams: Previews | None = None
    ) -> Delivery:
        """Ask until the task has ended, then fetch. Raises ProviderError."""
        pause, strange = self.upstream.poll_seconds, {"", *UNDER_WAY}
        while heard is None or not task.is_over:
            if streams is not None and self.song.partial_audio and task.status == STREAMING:
                self._listen(task, first, streams)
            if task.status not in strange:
                strange.add(task.status)
                told = heard.redacted(task.status) if heard is not None else ""
                logger.warning("A task at an upstream has a status nobody described: %r", told[:LONGEST_STATUS])
            await asyncio.sleep(pause)
            heard, task = await self._polled()
            asked = http.retry_after(heard.headers) if heard is not None else None
            pause = max(self.upstream.poll_seconds, asked or 0.0)
        if task.status in ENDED_BADLY:
            raise http.failure(heard, Told(kind_of_reason(task.failed_reason) or "broken", task.failed_reason))
        if task.status != SUCCEEDED:
            raise http.unknown()
        return await self._fetched(task)

    def _listen(self, task: Task, first: int, streams: Previews) -> None:
        for place, choice in enumerate(task.choices[: self.takes]):
            if choice.stream_link is not None:
                streams.hear(first + place, choice.stream_link)

    async def _polled(self) -> tuple[Heard | None, Task]:
        """What the upstream says of the task now; nothing where the call failed."""
        try:
            heard = await http.call(self.upstream, "GET", self.path, headers=headers(self.upstream))
        except ProviderError:
            return None, Task({})
        return heard, Task(envelope_of(self.upstream).data(heard))

    async def _fetched(self, task: Task) -> Delivery:
        """Every song of the task, at once. Raises ProviderError where none can be had."""
        choices = task.choices[: self.takes or None]
        now = asyncio.get_running_loop().time()
        # A little less than the time left: one that hangs does not take the others with it.
        until = now + SHARE_OF_PARALLEL * (self.until - now)
        ends = await asyncio.gather(*(self._take(choice, until) for choice in choices))
        takes = tuple(end for end in ends if isinstance(end, RawTake))
        none = MissingTake(Fault("upstream_error", NO_AUDIO), is_unknown=True)
        missing = [end for end in ends if isinstance(end, MissingTake)] + [none] * (self.takes - len(choices))
        if not takes:
            fault = (missing or [none])[0].fault
            raise ProviderError(fault.code, fault.message, seen="unknown")
        return Delivery(takes=takes, missing=tuple(missing))

    async def _take(self, choice: Choice, until: float) -> RawTake | MissingTake:
        link = choice.link(self.song)
        if link is None:
            return MissingTake(Fault("upstream_error", NO_AUDIO), is_unknown=True)
        try:
            async with asyncio.timeout_at(until):
                audio = await download(self.upstream, link)
        except TimeoutError:
            return MissingTake(Fault("upstream_error", NOT_FETCHED_IN_TIME), is_unknown=True)
        except ProviderError as error:
            return MissingTake(Fault(error.code, str(error)), is_unknown=True)
        return RawTake(audio=audio, sections=choice.sections, upstream_id=choice.id)
