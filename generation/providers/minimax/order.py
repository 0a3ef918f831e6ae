"""What is asked of an upstream of the wire `minimax`, field by field."""

from __future__ import annotations

from typing import Any, Final

from generation.contract import LyricsRequest, SongRequest
from generation.lyrics.tags import tags_for
from generation.providers.base import UpstreamAccess

SAMPLE_RATES: Final = (16_000, 24_000, 32_000, 44_100)
BITRATES: Final = (32_000, 64_000, 128_000, 256_000)
BEST_RATE, BEST_BITRATE = 44_100, 256_000
LOSSLESS: Final = ("wav", "flac", "pcm")
STEREO: Final = 2
"""How many channels a song has when the order names no number."""


def order_fields(song: SongRequest, upstream: UpstreamAccess) -> dict[str, Any]:
    """The body of an order for one take."""
    fields = {
        "model": upstream.model,
        "prompt": song.prompt or None,
        "lyrics": tags_for("minimax", song.lyrics or "") or None,
        "stream": song.partial_audio or None,
        "output_format": _output_format(song),
        "audio_setting": audio_setting(song),
        "aigc_watermark": sets_mark(song) or None,
        "is_instrumental": song.instrumental or None,
        "lyrics_optimizer": writes_lyrics(song) or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def audio_setting(song: SongRequest) -> dict[str, Any]:
    """The audio as ordered where the wire has it; else the best it has, to be transcoded by us."""
    is_made_there = song.format in (None, "mp3", *LOSSLESS)
    rate = song.sample_rate if is_made_there and song.sample_rate in SAMPLE_RATES else BEST_RATE
    bitrate = song.bitrate if is_made_there and song.bitrate in BITRATES else BEST_BITRATE
    setting = {
        "sample_rate": rate,
        "bitrate": bitrate,
        # Headless samples tell nothing of themselves: only a WAV does.
        "format": "wav" if song.format in LOSSLESS else "mp3",
        "channel": song.channels,
    }
    return {name: value for name, value in setting.items() if value is not None}


def sets_mark(song: SongRequest) -> bool:
    """Whether the upstream sets the audible mark: it marks no stream."""
    return song.watermark and not song.partial_audio


def writes_lyrics(song: SongRequest) -> bool:
    """Whether the upstream writes the lyrics: when it was asked to, or has a song to sing and no words for it."""
    return song.write_lyrics or not (song.lyrics or song.instrumental)


def lyrics_fields(request: LyricsRequest) -> dict[str, Any]:
    """The body of an order for a text alone."""
    fields = {
        "mode": "edit" if request.is_edit else "write_full_song",
        "prompt": request.prompt or None,
        "lyrics": tags_for("minimax", request.lyrics or "") or None,
        "title": request.title or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _output_format(song: SongRequest) -> str:
    """Hex comes with the answer; a WAV of some minutes outgrows any answer in hex, and is fetched from a link.

    A stream has hex alone, in small pieces.
    """
    return "url" if song.format in LOSSLESS and not song.partial_audio else "hex"
