"""What an answer of the wire `minimax` says: every one has a code of its own, whatever its HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from generation.contract import Delivery, RawTake, SongRequest, WrittenLyrics
from generation.providers import http
from generation.providers.base import UpstreamAccess
from generation.providers.downloads import download, is_link
from generation.providers.http import Heard, Kind, Told
from generation.providers.minimax.order import sets_mark, writes_lyrics
from generation.providers.untrusted import is_path_safe, storable

SUCCESS: Final = 0
MAKING, MADE = 1, 2
"""`data.status`: the song is being made, the song is whole."""
TIMED_OUT: Final = 1001
REFUSED_OUTPUT: Final = 1027
LONGEST_CODE: Final = 9

KIND_BY_CODE: Final[dict[int, Kind]] = {
    **dict.fromkeys((1000, TIMED_OUT, 1024, 1033), "broken"),
    **dict.fromkeys((1002, 1039, 1041, 2045), "busy"),
    **dict.fromkeys((1004, 1008, 2049, 2056, 2061), "ours"),
    **dict.fromkeys((1026, REFUSED_OUTPUT), "content"),
    **dict.fromkeys((1042, 2013), "order"),
}
"""What `base_resp.status_code` is about."""


def require_success(heard: Heard, *, came_before: bool = False) -> None:
    """Raise ProviderError for what is no success: any code but 0, another HTTP status than 2xx, no JSON object.

    `came_before`: some of the song has come already.
    """
    fields, is_fine = heard.fields, http.OK <= heard.status < http.REDIRECTS
    code = _code(fields)
    if code in (SUCCESS, None):
        if not is_fine or not fields:
            raise http.failure(heard, None)
        return
    if code == TIMED_OUT and status_of(data_of(fields)) == MAKING:
        # Another gateway took the order, and only waits for it no longer: the song is being made.
        raise http.unknown()
    if code not in KIND_BY_CODE and (came_before or data_of(fields).get("audio")):
        # A code nobody described, beside audio: perhaps there is a song, and a bill.
        raise http.unknown()
    raise http.failure(heard, _told(heard, code))


def whole_song(heard: Heard) -> Mapping[str, Any]:
    """The `data` of an answer that holds a whole song. Raises ProviderError for any other."""
    require_success(heard)
    data = data_of(heard.fields)
    if status_of(data) not in (None, MADE):
        raise http.unknown()
    return data


def data_of(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    data = fields.get("data")
    return data if isinstance(data, dict) else {}


def status_of(data: Mapping[str, Any]) -> int | None:
    return _whole(data.get("status"))


async def song_in(heard: Heard, song: SongRequest, upstream: UpstreamAccess) -> Delivery:
    """The take an answer brings. Raises ProviderError."""
    return delivered(await _audio(whole_song(heard), upstream), heard, song)


def delivered(audio: bytes, heard: Heard, song: SongRequest) -> Delivery:
    """A take, with what its answer tells of it."""
    take = RawTake(audio=audio, upstream_id=_trace_id(heard), is_watermarked=sets_mark(song))
    return Delivery(takes=(take,), lyrics=_lyrics(heard.fields) if writes_lyrics(song) else None)


def text_in(heard: Heard) -> WrittenLyrics:
    """The lyrics an answer brings. Raises ProviderError."""
    if _code(heard.fields) == TIMED_OUT and heard.headers.get("x-should-retry") == "false":
        # As for songs: a gateway that waits no longer for what it has ordered.
        raise http.unknown()
    require_success(heard)
    lyrics, title, tags = (_text(heard.fields, name) for name in ("lyrics", "song_title", "style_tags"))
    if not lyrics:
        raise http.unknown()
    return WrittenLyrics(lyrics=lyrics, title=title, style_tags=tags)


async def _audio(data: Mapping[str, Any], upstream: UpstreamAccess) -> bytes:
    """A link is followed at once, hex is read, wherever either stands; what is neither is no audio."""
    for name in ("audio", "audio_url"):
        found = data.get(name)
        text = found.strip() if isinstance(found, str) else ""
        if is_link(text):
            return await download(upstream, text)
        if audio := read_hex(text):
            return audio
    return b""


def read_hex(text: object) -> bytes | None:
    """The bytes written in hex; None for what is no hex."""
    try:
        return bytes.fromhex(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _told(heard: Heard, code: int | None) -> Told:
    kind = KIND_BY_CODE.get(code or 0)
    if kind is None and not http.REDIRECTS <= heard.status < http.SERVER_ERROR:
        # The form is the vendor's own: whatever the code means, it made no song.
        kind = "broken"
    message = _text(_base_resp(heard.fields), "status_msg")
    return Told(kind, message, param="audio" if code == REFUSED_OUTPUT else None)


def _code(fields: Mapping[str, Any]) -> int | None:
    return _whole(_base_resp(fields).get("status_code"))


def _base_resp(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    said = fields.get("base_resp")
    return said if isinstance(said, dict) else {}


def _trace_id(heard: Heard) -> str:
    # It is kept with the song; nobody asks by it.
    found = heard.redacted(_text(heard.fields, "trace_id"))
    return found if is_path_safe(found) else ""


def _lyrics(fields: Mapping[str, Any]) -> str | None:
    return _text(data_of(fields), "lyrics") or _text(fields, "lyrics") or None


def _text(fields: Mapping[str, Any], name: str) -> str:
    found = fields.get(name)
    return storable(found).strip() if isinstance(found, str) else ""


def _whole(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= LONGEST_CODE:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
