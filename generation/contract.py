"""What the layers of the work say to each other: frozen values, no database, no queue, no money."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Self

AudioFormat = Literal["mp3", "wav", "flac", "opus", "m4a", "pcm"]
Phase = Literal["compose", "decode", "enhance", "copy", "encode"]
USUAL_LINK_LIFE: Final = timedelta(days=7)
"""How long a link to audio opens, unless its wire documents another life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How a model draws its tokens; None leaves the model's own value."""

    top_k: int | None = None
    top_p: float | None = None
    temperature: float | None = None
    cfg_coef: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Ids of uploaded files the song should lean on."""

    reference: str | None = None
    vocal: str | None = None
    melody: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend:
    """Continue an earlier track or an upload from a point, in milliseconds."""

    track: str | None = None
    upload: str | None = None
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SongRequest:
    """The canonical order, whatever wire it came by. None means: not asked, the model decides.

    Units: `duration_seconds` seconds, `sample_rate` hertz, `bitrate` bits per second, `channels` 1 or 2.
    """

    prompt: str = ""
    lyrics: str | None = None
    instrumental: bool = False
    title: str | None = None
    duration_seconds: float | None = None
    takes: int = 1
    seed: int | None = None
    sampling: Sampling = Sampling()
    enhance: bool = False
    format: AudioFormat | None = None
    sample_rate: int | None = None
    bitrate: int | None = None
    channels: int | None = None
    stereo: bool = False
    """Two channels of the model's own, not one copied."""
    watermark: bool = False
    references: References = References()
    extend: Extend | None = None
    partial_audio: bool = False
    write_lyrics: bool = False

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        values = dict(data)
        values["sampling"] = Sampling(**values.get("sampling") or {})
        values["references"] = References(**values.get("references") or {})
        values["extend"] = Extend(**values["extend"]) if values.get("extend") else None
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Word:
    """One sung word; times in milliseconds from the start of the track."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the lyrics as sung; times in milliseconds."""

    start: int
    end: int
    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a track; times in milliseconds.

    `section_type` is one of intro, verse, pre-chorus, chorus, bridge, break, outro.
    """

    section_type: str
    start: int
    end: int
    lines: tuple[Line, ...] = ()


def sections_as_json(sections: Sequence[Section]) -> list[dict[str, Any]]:
    return [dataclasses.asdict(section) for section in sections]


def sections_from_json(data: Sequence[Mapping[str, Any]]) -> tuple[Section, ...]:
    return tuple(
        Section(
            section["section_type"],
            section["start"],
            section["end"],
            tuple(
                Line(line["start"], line["end"], line["text"], tuple(Word(**word) for word in line["words"]))
                for line in section["lines"]
            ),
        )
        for section in data
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTake:
    """One result as an upstream gave it: a whole audio file in whatever container it chose.

    `is_watermarked`: the upstream has set the audible mark itself.
    """

    audio: bytes
    sections: tuple[Section, ...] = ()
    seed: int | None = None
    upstream_id: str = ""
    is_watermarked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a take that may be heard while the rest is made: `part` counts from 0, `data` is whole frames.

    `take` counts from 0 within what was ordered of the provider now, as the takes of its delivery do. `pcm` is 16-bit
    little-endian samples of all channels in turn; the first piece of a `wav` begins with its head.
    """

    take: int
    part: int
    data: bytes
    format: AudioFormat
    sample_rate: int
    channels: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """What an order came to in tokens: of its text, and of what was made."""

    prompt: int
    candidates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LyricsRequest:
    """An order for a text alone. `lyrics` is what an edit begins with; the same seed gives the same text."""

    prompt: str = ""
    title: str | None = None
    lyrics: str | None = None
    is_edit: bool = False
    seed: int | None = None

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**data)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenLyrics:
    """A text as a writer gave it: sections under their tags; `style_tags` are separated by commas."""

    lyrics: str
    title: str = ""
    style_tags: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """An upload as a provider may carry it to its upstream: cleaned by us. `purpose` is what it was uploaded for.

    `tune`, of a MIDI file: start and end of each note in milliseconds, and its pitch as MIDI counts.
    """

    audio: bytes
    format: str
    file_name: str
    purpose: str
    duration_ms: int
    tune: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTrack:
    """An earlier track that is continued. `upstream_id` is its id at the upstream that is asked now, or empty.

    `sample_rate` and `channels` are needed for the format `pcm`, which does not say them itself.
    """

    audio: bytes
    format: AudioFormat
    duration_ms: int
    upstream_id: str = ""
    sample_rate: int | None = None
    channels: int | None = None


class Refusal(Exception):
    """An order that is turned down before any money moves: the caller can mend it.

    `code` is a word of the error table; `param` names the field at fault.
    """

    def __init__(self, code: str, message: str, *, param: str | None = None, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.param, self.retry_after = code, message, param, retry_after


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a job or a take ended badly: a code of the error table and a sentence for the customer.

    `param` names the field of the order at fault, where that is known; `audio`: what was made of it.
    """

    code: str
    message: str
    param: str | None = None


@dataclass(frozen=True, slots=True)
class MissingTake:
    """A take that was ordered and did not come. `is_unknown`: the upstream may have made it, and may bill for it."""

    fault: Fault
    is_unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Everything an upstream gave for one attempt; `missing` are the takes that were ordered and are not in `takes`.

    `tokens` as the upstream counted them, where it counts.
    """

    takes: tuple[RawTake, ...]
    missing: tuple[MissingTake, ...] = ()
    lyrics: str | None = None
    tokens: Tokens | None = None
    text: WrittenLyrics | None = None
    """What an order for a text alone came to; there are no takes then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LyricsLinks:
    """Links to the timed lyrics of a track, signed as its audio is. `is_estimated`: no vendor gave these times."""

    lrc: str
    srt: str
    vtt: str
    is_estimated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackView:
    """A delivered take as a reader may see it. `link` is signed and absolute; `read` loads the bytes."""

    id: str
    take: int
    link: str
    format: AudioFormat
    sample_rate: int
    channels: int
    bitrate: int
    duration_ms: int
    size: int
    sha256: str
    seed: int | None
    sections: tuple[Section, ...]
    charged_micro: int
    read: Callable[[], bytes] = field(compare=False, repr=False)
    links: Mapping[AudioFormat, str] = field(default_factory=dict)
    """Links to the same song in formats that are offered beside the ordered one."""
    lyrics: LyricsLinks | None = None
    """None where nothing is sung."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a job was charged: as text for reading, and as the integer it is."""

    price: str
    currency: str
    micro_credits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job as a reader may see it: what every dialect renders, by whichever way it is asked."""

    id: str
    model: str
    state: str
    streaming: bool
    created: datetime
    finished: datetime | None
    progress: float | None
    takes: int
    tracks: tuple[TrackView, ...]
    lyrics: str | None
    seed: int | None
    price_micro: int
    usage: Usage | None
    """None before the job's end."""
    error: Fault | None
    wire: Mapping[str, Any]
    base_url: str
    tokens: Tokens | None = None
    """What the order has come to so far: the numbers that a price per 1,000 tokens uses."""
    stream_links: tuple[str, ...] = ()
    """One growing audio for each take that can be heard while it is made; empty before the first sound."""
    watermarked: bool = False
    """An audible mark was ordered."""
    is_text: bool = False
    """A text alone was ordered: `lyrics` is that text once it is delivered, and there are no tracks."""
    title: str = ""
    style_tags: str = ""
    """What was written with the lyrics, by whoever wrote them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer in the words of one wire."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a dialect read from a body: the song, whose model, how the answer is wanted, what was not understood."""

    song: SongRequest
    model: str
    catalog: str
    wire: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    """How this wire spells the fields of the song request, where it spells them otherwise."""
    implied: tuple[str, ...] = ()
    """Fields of the song request that this wire orders by its nature: it has no name for them."""
    made_good: tuple[str, ...] = ()
    """Fields that this wire makes good where the model takes them as wishes: its answers do not name them."""
    ignored: tuple[str, ...] = ()
    transno: str | None = None
    endpoint: str | None = None
    """The slug in the address, where that decides the model; `model` is then what else names it, or empty."""
    wire_default: str = ""
    """The wire whose default model is meant when the order names none."""
    text: LyricsRequest | None = None
    """A text alone is ordered; `song` then asks for nothing."""
