"""The wire `openai_music` as an upstream: POST /v1/music/generations, answered at once or asked for by its id.

Any service with that call is spoken to by the fields of its first description. An upstream that is a Tutti (shape
`tutti`) takes the whole order, several takes in one call, and the same order twice under one Idempotency-Key; so an
order of unknown fate is simply sent again there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from generation.contract import Delivery, Fault, MissingTake, RawTake, SongRequest
from generation.providers import http
from generation.providers.base import Line, ProviderError, UpstreamAccess
from generation.providers.conveys import TUTTI
from generation.providers.downloads import download, is_link
from generation.providers.http import Heard, Kind, Told
from generation.providers.parallel import in_parallel
from generation.providers.untrusted import is_path_safe, storable

GENERATIONS: Final = "/v1/music/generations"
TASKS: Final = "/v1/tasks"
CATALOG: Final = "music_gen"
SUCCEEDED: Final = "SUCCEEDED"
UNDER_WAY: Final = frozenset({"PENDING", "RUNNING"})
ENDED_BADLY: Final = frozenset({"FAILED", "CANCELLED", "EXPIRED"})
HIGHEST_SEED: Final = 2**63 - 1
WAIT_SECONDS: Final = 60
"""How long a Tutti is asked to keep an answer back; what takes longer is asked for by its id."""
NOBODY_KNOWS: Final = Fault("upstream_error", http.UNKNOWN)
"""Of a take that was ordered by a process which went away before its id came."""
ACCEPTED_RATES: Final = (16_000, 24_000, 32_000, 44_100)
ACCEPTED_BITRATES: Final = (32_000, 64_000, 128_000, 256_000)
LOSSLESS: Final = ("wav", "flac", "pcm")

KIND_BY_CODE: Final[dict[str, Kind]] = {
    **dict.fromkeys(("content_policy", "content_policy_violation", "content_filter"), "content"),
    **dict.fromkeys(("rate_limit_exceeded", "concurrency_limit_exceeded", "busy"), "busy"),
    **dict.fromkeys(("insufficient_quota", "key_limit_exceeded", "member_limit_exceeded"), "ours"),
    **dict.fromkeys(("org_limit_exceeded", "missing_api_key", "invalid_api_key", "permission_denied"), "ours"),
    **dict.fromkeys(("model_not_found", "not_found", "method_not_allowed"), "ours"),
    **dict.fromkeys(("malformed_json", "missing_parameter", "invalid_parameter"), "order"),
    **dict.fromkeys(("unsupported_parameter", "body_too_large", "idempotency_conflict"), "order"),
    **dict.fromkeys(("upstream_error", "bad_audio", "deadline_exceeded", "internal_error", "cancelled"), "broken"),
}
KIND_BY_TYPE: Final[dict[str, Kind]] = {
    "insufficient_quota": "ours",
    "authentication_error": "ours",
    "permission_error": "ours",
    "rate_limit_error": "busy",
    "invalid_request_error": "order",
    "api_error": "broken",
}


class OpenAIMusic:
    """Satisfies `generation.providers.base.Provider` and `Resumes`."""

    slug = "openai_music"
    repeatable = False

    async def make(self, song: SongRequest, upstream: UpstreamAccess, line: Line) -> Delivery:
        """Order, wait, fetch. An upstream that makes one song per call is called once for each take."""
        if upstream.shape == TUTTI or song.takes == 1:
            return await _Order(song, upstream, line, upstream.reference).bring()
        one = replace(song, takes=1)
        return await in_parallel(upstream, [partial(_bring, one, line)] * song.takes)

    async def resume(self, song: SongRequest, upstream: UpstreamAccess, tickets: Sequence[str], line: Line) -> Delivery:
        """Ask for the ids that were kept; a Tutti that gave none yet is sent the same order under the same key."""
        if upstream.shape == TUTTI:
            order = _Order(song, upstream, line, upstream.reference)
            return await (order.bring_again(tickets[0]) if tickets else order.bring())
        if not tickets:
            raise http.unknown()
        one = replace(song, takes=1)
        asked = tickets[: song.takes]
        try:
            delivery = await in_parallel(upstream, [partial(_bring_again, one, line, ticket) for ticket in asked])
        except ProviderError as error:
            if error.seen == "not_made" and len(asked) < song.takes:
                # Of the others nothing is known: they were ordered as well, perhaps.
                raise http.unknown() from None
            raise
        # Takes that were ordered and whose ids never came: the upstream may have made them.
        unheard = tuple(MissingTake(NOBODY_KNOWS, is_unknown=True) for _ in range(song.takes - len(asked)))
        return replace(delivery, missing=(*delivery.missing, *unheard))


async def _bring_again(song: SongRequest, line: Line, ticket: str, upstream: UpstreamAccess) -> Delivery:
    return await _Order(song, upstream, line, upstream.reference).bring_again(ticket)


async def _bring(song: SongRequest, line: Line, upstream: UpstreamAccess) -> Delivery:
    return await _Order(song, upstream, line, upstream.reference).bring()


@dataclass(frozen=True, slots=True)
class _Order:
    """One order at the upstream, known there by `key`."""

    song: SongRequest
    upstream: UpstreamAccess
    line: Line
    key: str

    async def bring(self) -> Delivery:
        async with http.within(self.upstream.deadline_seconds):
            heard = await self._accepted()
            job, task_id = heard.fields, _id(heard.fields)
            if task_id is not None:
                await self.line.ticket(task_id)
            if heard.status == http.ACCEPTED or _status(job) in UNDER_WAY:
                heard, job = await self._end_of(task_id)
            return await self._ended(heard, job)

    async def bring_again(self, task_id: str) -> Delivery:
        """What was ordered under this id by another process."""
        async with http.within(self.upstream.deadline_seconds):
            return await self._ended(*await self._end_of(task_id))

    async def _ended(self, heard: Heard, job: Mapping[str, Any]) -> Delivery:
        if _error(job) is not None or _status(job) in ENDED_BADLY:
            raise http.failure(heard, _told(job) or Told("broken"))
        if _status(job) != SUCCEEDED and (_status(job) or not job.get("audio")):
            # A word nobody described, or none and nothing to hear: perhaps the song is being made.
            raise http.unknown()
        return await self._delivery(job)

    async def _accepted(self) -> Heard:
        """The answer to the order: a job, well or badly ended or under way. Raises ProviderError."""
        try:
            heard = await self._post()
            if self.upstream.shape != TUTTI or not _broke_before_its_job(heard):
                return _job_in(heard)
        except ProviderError as error:
            if error.seen == "not_made" or self.upstream.shape != TUTTI:
                raise
        return await self._asked_again()

    async def _asked_again(self) -> Heard:
        """Ask a Tutti what became of the order, by the same order under the same key, until it tells.

        A refusal here speaks of this call alone (too many, not now); only a job speaks of the song.
        """
        for pause in http.pauses():
            await asyncio.sleep(pause)
            try:
                heard = await self._post()
            except ProviderError:
                continue
            if _id(heard.fields) is not None:
                return _job_in(heard)
        raise AssertionError("the pauses never end")

    async def _post(self) -> Heard:
        headers = {**self._headers(), "Idempotency-Key": self.key}
        if self.upstream.shape == TUTTI:
            headers["Prefer"] = f"wait={WAIT_SECONDS}"
        fields = order_fields(self.song, self.upstream, self.key)
        deadline = self.upstream.deadline_seconds
        return await http.call(
            self.upstream, "POST", GENERATIONS, headers=headers, fields=fields, deadline_seconds=deadline
        )

    async def _end_of(self, task_id: str | None) -> tuple[Heard, Mapping[str, Any]]:
        """Ask for the job until it is no longer under way. A failed poll is no failed song."""
        if task_id is None:
            raise http.unknown()
        pause = self.upstream.poll_seconds
        while True:
            await asyncio.sleep(pause)
            heard, job = await self._poll(task_id)
            if heard is not None and heard.status != http.ACCEPTED and _is_over(job):
                return heard, job
            if isinstance(progress := job.get("progress"), int | float):
                await self.line.progress(float(min(max(progress, 0), 100)), "compose")
            asked = http.retry_after(heard.headers) if heard is not None else None
            pause = max(self.upstream.poll_seconds, asked or 0.0)

    async def _poll(self, task_id: str) -> tuple[Heard | None, Mapping[str, Any]]:
        """What the upstream says of the job now; empty where it says nothing of it."""
        try:
            heard = await http.call(self.upstream, "GET", f"{GENERATIONS}/{task_id}", headers=self._headers())
            if heard.status != http.NOT_FOUND:
                return heard, heard.fields if heard.status in (http.OK, http.ACCEPTED) else {}
            heard = await http.call(self.upstream, "GET", TASKS, headers=self._headers(), query={"taskid": task_id})
        except ProviderError:
            return None, {}
        data = heard.fields.get("data")
        is_found = heard.status == http.OK and heard.fields.get("status") == "ok" and isinstance(data, dict)
        return heard, data if is_found and isinstance(data, dict) else {}

    async def _delivery(self, job: Mapping[str, Any]) -> Delivery:
        listed = job["audios"] if isinstance(job.get("audios"), list) else []
        entries: list[Mapping[str, Any]] = [entry for entry in listed if isinstance(entry, dict)]
        takes = [await self._take(job, entry) for entry in (entries or [job])[: self.song.takes]]
        lyrics = job.get("lyrics")
        return Delivery(takes=tuple(takes), lyrics=storable(lyrics) if isinstance(lyrics, str) and lyrics else None)

    async def _take(self, job: Mapping[str, Any], entry: Mapping[str, Any]) -> RawTake:
        audio, seed = entry.get("audio"), entry.get("seed")
        return RawTake(
            audio=await self._audio(audio.strip()) if isinstance(audio, str) else b"",
            seed=seed if isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed <= HIGHEST_SEED else None,
            upstream_id=_id(job) or "",
        )

    async def _audio(self, text: str) -> bytes:
        """A link is followed, hex is read; what is neither is no audio."""
        if is_link(text):
            return await download(self.upstream, text)
        try:
            return bytes.fromhex(text)
        except ValueError:
            return b""

    def _headers(self) -> dict[str, str]:
        """A service of the house's own network may ask for no key."""
        return {"Authorization": f"Bearer {self.upstream.credential}"} if self.upstream.credential else {}


# --- What is asked ------------------------------------------------------------------------------------------------


def order_fields(song: SongRequest, upstream: UpstreamAccess, key: str) -> dict[str, Any]:
    """The body of the order. What an upstream does not describe is not sent to it."""
    is_tutti = upstream.shape == TUTTI
    fields = {
        "model": upstream.model,
        "catelogid": upstream.endpoint or CATALOG,
        "prompt": song.prompt or None,
        "lyrics": song.lyrics or None,
        "output_format": "url",
        "audio_setting": (_audio_setting(song) if is_tutti else _described_setting(song)) or None,
        "transno": key,
        **(_more(song) if is_tutti else {}),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _more(song: SongRequest) -> dict[str, Any]:
    """What a Tutti takes beyond the first description; None where it was not asked."""
    sampling = song.sampling
    return {
        "n": song.takes if song.takes > 1 else None,
        "duration": song.duration_seconds,
        "instrumental": song.instrumental or None,
        "seed": song.seed,
        "title": song.title,
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
        "temperature": sampling.temperature,
        "cfg_coef": sampling.cfg_coef,
        "mbd": song.enhance or None,
        "lyrics_optimizer": song.write_lyrics or None,
    }


def _audio_setting(song: SongRequest) -> dict[str, Any]:
    setting = {
        # PCM has no head: only a WAV tells us what it holds.
        "format": "wav" if song.format == "pcm" else song.format,
        "sample_rate": song.sample_rate,
        "bitrate": song.bitrate,
        "channel": song.channels,
    }
    return {name: value for name, value in setting.items() if value is not None}


def _described_setting(song: SongRequest) -> dict[str, Any]:
    """The setting in the values every such service knows; the rest is transcoded by us."""
    setting: dict[str, Any] = {}
    if song.format in LOSSLESS:
        setting["format"] = "wav"
    if song.sample_rate in ACCEPTED_RATES:
        setting["sample_rate"] = song.sample_rate
    if song.bitrate in ACCEPTED_BITRATES:
        setting["bitrate"] = song.bitrate
    return setting


# --- What is heard ------------------------------------------------------------------------------------------------


def _job_in(heard: Heard) -> Heard:
    """The answer, if it holds a job. Raises ProviderError for one that refuses, breaks or says nothing."""
    is_fine = http.OK <= heard.status < http.REDIRECTS
    told = _told(heard.fields)
    if told is not None or not is_fine or not heard.fields:
        raise http.failure(heard, told)
    return heard


def _broke_before_its_job(heard: Heard) -> bool:
    """A Tutti that failed on its side without naming a job: it may have taken the order all the same."""
    error = _error(heard.fields)
    return isinstance(error, dict) and error.get("code") == "internal_error" and _id(heard.fields) is None


def _is_over(job: Mapping[str, Any]) -> bool:
    return _error(job) is not None or _status(job) not in {"", *UNDER_WAY}


def _error(fields: Mapping[str, Any]) -> Any:
    return fields.get("error") or None


def _told(fields: Mapping[str, Any]) -> Told | None:
    """What the error of this wire says: `{"error": {"code", "type", "message"}}`, or a sentence in its place."""
    error = _error(fields)
    if isinstance(error, str):
        return Told(None, error)
    if not isinstance(error, dict):
        return None
    kinds = (KIND_BY_CODE.get(str(error.get("code"))), KIND_BY_TYPE.get(str(error.get("type"))))
    return Told(next((kind for kind in kinds if kind), None), str(error.get("message") or ""))


def _status(job: Mapping[str, Any]) -> str:
    status = job.get("status")
    return status.upper() if isinstance(status, str) else ""


def _id(fields: Mapping[str, Any]) -> str | None:
    """The job's id, in the job itself or in the error that ended it; None for one that fits into no path."""
    error = _error(fields)
    found = fields.get("id") or (error.get("id") if isinstance(error, dict) else None)
    text = str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""
    return text if is_path_safe(text) else None
