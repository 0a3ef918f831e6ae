"""The wire `musicgen` as an upstream: POST /api/v1/generate_music, answered by a stream of events.

A plain service makes one song at a time, bills nobody, and stops its work when its client leaves. So an order is
harmless to repeat: a stream that ends without its song leaves nothing behind, neither work nor a bill. A Tutti (shape
`tutti`) speaks the same wire and cancels in the same way, but may have finished, and charged, in the very moment in
which the line broke; it takes the same order under one Idempotency-Key, so it is asked again what became of it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from generation.contract import Delivery, RawTake, SongRequest
from generation.providers import http, sse
from generation.providers.base import Incoming, Line, ProviderError, UpstreamAccess
from generation.providers.conveys import TUTTI
from generation.providers.http import Heard, Told
from generation.providers.openai_music import KIND_BY_CODE
from generation.providers.parallel import in_parallel
from generation.providers.shares import lines_of
from generation.providers.untrusted import host_of, storable

logger = logging.getLogger("tutti.upstreams")

GENERATE: Final = "/api/v1/generate_music"
LINE_BYTES: Final = 32 * 1024 * 1024
STREAM_BYTES: Final = 2 * LINE_BYTES
"""A song and everything that is said before it."""
SHORT_BYTES: Final = 64 * 1024
"""What is read of a refusal, and of events on the loop: a song is read on a thread, for it takes a while."""
BUSY_PAUSE_SECONDS: Final = 2.0
"""Before a busy service is asked again that names no pause of its own."""
BUSY_SECONDS: Final = 60.0
"""How long a busy service is asked again within one attempt; then its job may go elsewhere, or comes back later.

Takes are asked for side by side, and a service with one slot makes them one by one: there it is until the deadline.
"""
LONGEST_SECONDS: Final = 60

BROKEN: Final = "The model's upstream failed to make the song. Nothing was charged."
LOST: Final = "The model's upstream broke off before the song was whole. Nothing was charged."
OURS: Final = "The model's upstream does not serve us at the moment. We were told; nothing was charged."


class MusicGenHttp:
    """Satisfies `generation.providers.base.Provider`.

    Repeatable: the wire itself ends the work of a client that leaves, and a service on one's own hardware bills
    nobody. Stopping a call therefore closes its connection, which frees the upstream at once.
    """

    slug = "musicgen_http"
    repeatable = True

    async def make(self, song: SongRequest, upstream: UpstreamAccess, line: Line) -> Delivery:
        """Order and listen; once for each take, for this wire makes one song per call."""
        if song.takes == 1:
            return await _Order(song, upstream, line, upstream.reference).bring()
        shares = lines_of(line, song.takes)
        return await in_parallel(upstream, [partial(_bring, song, take, one) for take, one in enumerate(shares)])


async def _bring(song: SongRequest, take: int, line: Line, upstream: UpstreamAccess) -> Delivery:
    # The same seed would make the same music.
    seed = None if song.seed is None else song.seed + take
    one = replace(song, takes=1, seed=seed)
    return await _Order(one, upstream, line, upstream.reference, is_beside_others=True).bring()


class _TurnedAway(Exception):
    """The stream was not opened: what `error` says is of this call, and nothing of an earlier one for the same song."""

    def __init__(self, error: ProviderError, *, is_busy: bool = False) -> None:
        super().__init__(str(error))
        self.error, self.is_busy = error, is_busy


@dataclass(frozen=True, slots=True)
class _Order:
    """One order at the upstream; a Tutti knows it by `key`."""

    song: SongRequest
    upstream: UpstreamAccess
    line: Line
    key: str
    is_beside_others: bool = False
    """Other takes of the same song are asked for meanwhile."""

    async def bring(self) -> Delivery:
        """The song. Raises ProviderError."""
        try:
            async with asyncio.timeout(self.upstream.deadline_seconds) as limit:
                return await self._patiently()
        except TimeoutError:
            if not limit.expired():
                raise
            raise self._lost() from None

    async def _patiently(self) -> Delivery:
        try:
            return await self._when_free()
        except ProviderError as lost:
            if lost.seen == "not_made" or not self._is_tutti:
                raise
        return await self._asked_again()

    async def _when_free(self) -> Delivery:
        """Ask; a service that is busy with others is asked again for a while."""
        patience = self.upstream.deadline_seconds if self.is_beside_others else BUSY_SECONDS
        end = asyncio.get_running_loop().time() + patience
        while True:
            try:
                return await self._asked()
            except _TurnedAway as away:
                pause = away.error.retry_after or 0.0
                if not away.is_busy or asyncio.get_running_loop().time() + pause > end:
                    raise away.error from None
            await asyncio.sleep(pause)

    async def _asked_again(self) -> Delivery:
        """Ask a Tutti what became of the order, by the same order under the same key, until it tells."""
        for pause in http.pauses():
            await asyncio.sleep(pause)
            try:
                return await self._asked()
            except _TurnedAway:
                continue
            except ProviderError as error:
                if error.seen == "not_made":
                    raise
        raise AssertionError("the pauses never end")

    async def _asked(self) -> Delivery:
        async with self._opened() as incoming:
            if self._is_tutti and incoming.status >= http.SERVER_ERROR and incoming.status != http.UNAVAILABLE:
                # It broke, perhaps after it had taken the order.
                raise self._lost()
            if incoming.status != http.OK:
                raise _turned_away(await _refusal(incoming))
            async with aclosing(incoming.chunks()) as chunks, aclosing(_events(chunks)) as events:
                async for event in events:
                    match event.get("event"):
                        case "progress":
                            await self._progress(event.get("progress"))
                        case "completed":
                            return _delivery(event.get("audio"))
                        case "error":
                            raise _failed(incoming, event.get("message"))
        logger.warning("The stream of %s ended without a song.", host_of(self.upstream.base_url))
        raise self._lost()

    async def _progress(self, percent: Any) -> None:
        if isinstance(percent, int | float) and not isinstance(percent, bool) and not math.isnan(percent):
            await self.line.progress(float(min(max(percent, 0), 100)), "compose")

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Incoming]:
        """The call, and what it means that it breaks. Raises ProviderError."""
        try:
            async with self.upstream.http.open(
                "POST",
                f"{self.upstream.base_url.rstrip('/')}{GENERATE}",
                headers=self._headers(),
                body=json.dumps(order_fields(self.song, self.upstream), ensure_ascii=False).encode(),
                connect_seconds=self.upstream.connect_seconds,
                deadline_seconds=self.upstream.deadline_seconds,
                max_bytes=STREAM_BYTES,
            ) as incoming:
                yield incoming
        except PermissionError as refused:
            logger.error("A call was refused on our side: %s", refused)  # noqa: TRY400
            raise _TurnedAway(ProviderError("upstream_error", OURS, seen="not_made")) from None
        except ConnectionError as unreached:
            logger.warning("%s", unreached)
            error = ProviderError("upstream_error", http.NOT_REACHED, seen="not_made", retryable=True)
            raise _TurnedAway(error) from None
        except EOFError as lost:
            logger.warning("%s", lost)
            raise self._lost() from None
        except OverflowError as too_long:
            # It made something; to order the same again would be in vain.
            logger.warning("%s", too_long)
            raise http.unknown() from None

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "text/event-stream", "Content-Type": "application/json"}
        if self.upstream.credential:
            headers["Authorization"] = f"Bearer {self.upstream.credential}"
        if self._is_tutti:
            headers["Idempotency-Key"] = self.key
        return headers

    def _lost(self) -> ProviderError:
        """What a stream means that ended without its song; see the head of this module."""
        if self._is_tutti:
            return http.unknown()
        return ProviderError("upstream_error", LOST, seen="not_made", retryable=True)

    @property
    def _is_tutti(self) -> bool:
        return self.upstream.shape == TUTTI


def order_fields(song: SongRequest, upstream: UpstreamAccess) -> dict[str, Any]:
    """The body of the order: what was asked, and nothing that a plain service does not describe."""
    sampling = song.sampling
    fields = {
        "description": song.prompt,
        "duration": _whole_seconds(song.duration_seconds),
        "mbd": song.enhance or None,
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
        "temperature": sampling.temperature,
        "cfg_coef": sampling.cfg_coef,
    }
    if upstream.shape == TUTTI:
        fields |= {"model": upstream.model or None, "seed": song.seed, "stereo": song.stereo or None}
    return {name: value for name, value in fields.items() if value is not None}


def _whole_seconds(seconds: float | None) -> int | None:
    """The wire takes whole seconds; the nearest is within what is judged as the ordered length."""
    return None if seconds is None else min(max(round(seconds), 1), LONGEST_SECONDS)


async def _events(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[Mapping[str, Any], None]:
    """The events that are JSON objects; what is none of them says nothing."""
    async with aclosing(sse.events(chunks, longest_line=LINE_BYTES)) as texts:
        async for text in texts:
            event = _read(text) if len(text) <= SHORT_BYTES else await asyncio.to_thread(_read, text)
            if event is not None:
                yield event


def _read(text: str) -> Mapping[str, Any] | None:
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict):
        return None
    if isinstance(audio := event.get("audio"), str):
        event["audio"] = _bytes_of(audio)
    return event


def _bytes_of(audio: str) -> bytes:
    """Base64, also as a data URL; what is neither is no audio."""
    with suppress(ValueError):
        return base64.b64decode(audio.rpartition(",")[2])
    return b""


def _delivery(audio: Any) -> Delivery:
    if not isinstance(audio, bytes) or not audio:
        raise ProviderError("upstream_error", BROKEN, seen="not_made", retryable=True)
    return Delivery(takes=(RawTake(audio=audio),))


def _failed(incoming: Incoming, message: Any) -> ProviderError:
    """The song was begun and not made; the service says why, in words of its own."""
    said = " ".join(storable(incoming.redacted(str(message or ""))).split())[: http.LONGEST_QUOTED]
    logger.warning("An upstream gave no song: %s", said)
    return ProviderError("upstream_error", BROKEN, seen="not_made", retryable=True)


async def _refusal(incoming: Incoming) -> Heard:
    """An answer in place of a stream; of a long one only the beginning is read, for the log."""
    body = bytearray()
    async with aclosing(incoming.chunks()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) >= SHORT_BYTES:
                break
    return Heard(incoming.status, incoming.headers, _read(body.decode(errors="replace")), incoming.redacted)


def _turned_away(heard: Heard) -> _TurnedAway:
    """No stream was opened, so no work was begun: known, whatever the status."""
    error = http.failure(heard, _told(heard))
    is_busy = heard.status == http.UNAVAILABLE and error.retryable
    if is_busy and not error.retry_after:
        error.retry_after = BUSY_PAUSE_SECONDS
    return _TurnedAway(error, is_busy=is_busy)


def _told(heard: Heard) -> Told:
    """What a refusal says: a Tutti by its code, a plain service by its status alone."""
    error = heard.fields.get("error")
    error = error if isinstance(error, dict) else {"message": error}
    message = str(error.get("message") or "")
    if (kind := KIND_BY_CODE.get(str(error.get("code")))) is not None:
        return Told(kind, message)
    if heard.status == http.UNAVAILABLE:
        return Told("busy", message)
    is_known = heard.status < http.SERVER_ERROR and heard.status not in (http.REQUEST_TIMEOUT, http.CONFLICT)
    return Told(None if is_known else "broken", message)
