"""The wire `chat`: songs by chat completions, as OpenAI's clients send them."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, Final

from generation.contract import (
    USUAL_LINK_LIFE,
    AudioFormat,
    JobView,
    Order,
    Refusal,
    Reply,
    Sampling,
    SongRequest,
    TrackView,
)
from generation.dialects import openai_answers
from generation.dialects.base import CAUSES, Refused, failure_of, job_headers, retry_headers
from generation.dialects.lyria import CATALOG, spent, still_made
from generation.dialects.lyrics_text import joined, split
from generation.dialects.modalities import TEXT, modalities_of, text_of
from generation.dialects.reading import Fields, in_path
from generation.dialects.vocabulary import is_asked, refuse_unconveyed, unknown, unread

SLUG: Final = "chat"
OBJECT: Final = "chat.completion"

LONGEST_NAME: Final = 100
LONGEST_TEXT: Final = 100_000
LONGEST_TRANSNO: Final = 255
HIGHEST_SEED: Final = 2**63 - 1

# What the client may call a role, and whose words it stands for: those of `system` come first, an assistant's are
# not asked for anything.
SYSTEM, USER, ASSISTANT = "system", "user", "assistant"
ROLES: Final = {SYSTEM: SYSTEM, "developer": SYSTEM, USER: USER, ASSISTANT: ASSISTANT}

FORMATS: Final[dict[str, AudioFormat | None]] = {
    "mp3": None,
    "wav": "wav",
    "flac": "flac",
    "opus": "opus",
    "pcm16": "pcm",
}
"""`audio.format`; mp3 is what comes when nothing is asked."""
PCM16_RATE: Final = 24_000
PCM16_CHANNELS: Final = 1
"""What this wire's clients take headerless audio for: nothing in it says so."""
AUDIO: Final = ("format",)
MESSAGE: Final = ("role", "content")
PART: Final = ("type", "text")

NAMES: Final = {"prompt": "messages"} | dict.fromkeys(("format", "sample_rate", "channels"), "audio.format")
"""How this wire spells the fields of the song request."""

CONVEYED: Final = frozenset(
    {"model", "messages", "modalities", "audio", "stream", "n", "transno", "seed", "temperature", "top_p"}
)
"""What this wire takes; every other documented field of any wire is refused by name."""


class Chat:
    slug = SLUG
    link_life = USUAL_LINK_LIFE

    def parse(self, body: Mapping[str, Any], path: Mapping[str, str]) -> Order:
        """Read an order; at an endpoint, which decides the model, the body need not name it."""
        fields = Fields(body)
        if "endpoint" not in path:
            fields.required_text("model")
        song = _song(fields)
        order = Order(
            song=song,
            model=fields.text("model", longest=LONGEST_NAME) or "",
            catalog=CATALOG,
            wire={"modalities": modalities_of(fields, "modalities")},
            names=NAMES,
            transno=fields.text("transno", longest=LONGEST_TRANSNO),
            endpoint=in_path(path, "endpoint", missing="not_found"),
            ignored=(*unknown(body), *_unread(fields)),
        )
        _refuse_streams_and_choices(fields)
        refuse_unconveyed(body, CONVEYED, _WHY)
        return order

    def accepted(self, job: JobView) -> Reply:
        """The answer to one whose wait was cut short: this wire has no way to ask later, another one has."""
        return _unfinished(job, request_id="")

    def finished(self, job: JobView, *, request_id: str) -> Reply:
        if job.finished is None:
            return _unfinished(job, request_id=request_id)
        failure = failure_of(job, request_id=request_id)
        return self.refused(failure) if failure else self.view(job)

    def view(self, job: JobView) -> Reply:
        body = {
            "id": job.id,
            "object": OBJECT,
            "created": int(job.created.timestamp()),
            "model": job.model,
            "choices": [_choice(index, track, job) for index, track in enumerate(job.tracks)],
            "usage": _usage(job),
        }
        return Reply(status=200, body=body, headers=job_headers(job))

    def refused(self, refused: Refused) -> Reply:
        cause = CAUSES.get(refused.code, CAUSES["internal_error"])
        return openai_answers.error(cause, refused, retry_headers(cause, refused))


def _unfinished(job: JobView, *, request_id: str) -> Reply:
    # A second try of the order would be a second song.
    refused = Refused(code="busy", message=still_made(job), job_id=job.id, request_id=request_id)
    return openai_answers.error(CAUSES["busy"], refused, {"x-should-retry": "false"})


def _song(fields: Fields) -> SongRequest:
    words = split(_text(fields))
    audio_format = FORMATS[fields.inside("audio").choice("format", FORMATS) or "mp3"]
    return SongRequest(
        prompt=words.prompt,
        lyrics=words.lyrics,
        seed=fields.whole("seed", low=0, high=HIGHEST_SEED),
        sampling=_sampling(fields),
        format=audio_format,
        sample_rate=PCM16_RATE if audio_format == "pcm" else None,
        channels=PCM16_CHANNELS if audio_format == "pcm" else None,
    )


def _text(fields: Fields) -> str:
    """The words of `system`, then those of the user; raises Refusal when there are none."""
    fields.required_value("messages")
    said = [(_role(message), _content(message)) for message in fields.each("messages")]
    text = joined(content for role in (SYSTEM, USER) for by, content in said if by == role)
    if not text:
        raise Refusal("missing_parameter", "Missing required parameter: messages[].content", param="messages[].content")
    return text


def _role(message: Fields) -> str:
    return ROLES[message.choice("role", ROLES) or USER]


def _content(message: Fields) -> str | None:
    """A text, or parts that are texts; raises Refusal for a part that is something else. An assistant's is not read."""
    if _role(message) == ASSISTANT:
        return None
    if not isinstance(message.body.get("content"), list):
        return message.text("content", longest=LONGEST_TEXT)
    return joined(_part(part) for part in message.each("content"))


def _part(part: Fields) -> str | None:
    kind = part.body.get("type", TEXT)
    if kind != TEXT:
        path = part.path_of("type")
        named = repr(kind) if isinstance(kind, str) and len(kind) <= LONGEST_NAME else "something else"
        message = f"Only text can be conveyed; {path} is {named}. Leave that part out."
        raise Refusal("unsupported_parameter", message, param=path)
    return part.text("text", longest=LONGEST_TEXT)


def _sampling(fields: Fields) -> Sampling:
    """Only what was asked. This wire's own `top_p` of 1 leaves nothing out, so it asks for nothing."""
    temperature = fields.number("temperature", low=0, high=1000)
    top_p = fields.number("top_p", low=0, high=1)
    return Sampling(
        temperature=temperature if is_asked(fields.body, "temperature") else None,
        top_p=top_p if top_p != 1 and is_asked(fields.body, "top_p") else None,
    )


def _refuse_streams_and_choices(fields: Fields) -> None:
    if fields.truth("stream"):
        message = "Songs are not streamed here. Leave out stream, or set it to false."
        raise Refusal("unsupported_parameter", message, param="stream")
    if is_asked(fields.body, "n"):
        raise fields.invalid("n", "must be 1: one song is made by an order")


def _unread(fields: Fields) -> Iterator[str]:
    """What stands in objects and is not read. Raises Refusal where that would change the song."""
    yield from unread(fields.inside("audio"), AUDIO)
    for message in fields.each("messages"):
        if _role(message) == ASSISTANT:
            continue
        yield from unread(message, MESSAGE)
        if isinstance(message.body.get("content"), list):
            for part in message.each("content"):
                yield from unread(part, PART)


def _choice(index: int, track: TrackView, job: JobView) -> dict[str, Any]:
    audio = {
        "id": track.id,
        "data": base64.b64encode(track.read()).decode(),
        "expires_at": int(((job.finished or job.created) + USUAL_LINK_LIFE).timestamp()),
        "transcript": job.lyrics or "",
    }
    message = {"role": ASSISTANT, "content": text_of(job), "audio": audio}
    return {"index": index, "finish_reason": "stop", "message": message}


def _usage(job: JobView) -> dict[str, int]:
    prompt, made = dataclasses.astuple(spent(job))
    return {"prompt_tokens": prompt, "completion_tokens": made, "total_tokens": prompt + made}


_WHY: Final = {
    "prompt": "The parameter {name} belongs to another API. Say it in `messages`.",
    "lyrics": "The parameter {name} belongs to another API. Say it in `messages`, under tags such as [Verse].",
    "contents": "Either `messages` or {name}: leave out one.",
    "generationConfig": "The parameter {name} belongs to another API. Say it as `modalities`.",
}
