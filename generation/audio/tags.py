"""Tags in the words of each container. Ours are two: `title` and `AIGC`; others pass through where a format can."""

from __future__ import annotations

from collections.abc import Mapping

from generation.audio import id3_tags, mpeg4_tags
from generation.audio.opening import opened

AI_LABEL_KEY = "AIGC"

_INFO_KEYWORDS = "IKEY"
_INFO_COMMENT = "comment"
_WRITTEN_HERE = {"mp3": id3_tags.with_tags, "ipod": mpeg4_tags.with_tags}


def muxer_tags(muxer: str, tags: Mapping[str, str]) -> dict[str, str]:
    """The tags as this muxer of FFmpeg's wants them; none where we write them ourselves, see `finished`.

    Vorbis comments keep any name. WAV's INFO has a fixed list: the label goes into the comment (ICMT), and the
    keywords (IKEY) name it.
    """
    if muxer in _WRITTEN_HERE:
        return {}
    if muxer != "wav" or AI_LABEL_KEY not in tags:
        return dict(tags)
    others = {key: value for key, value in tags.items() if key != AI_LABEL_KEY}
    return {**others, _INFO_COMMENT: tags[AI_LABEL_KEY], _INFO_KEYWORDS: AI_LABEL_KEY}


def muxer_options(muxer: str) -> dict[str, str]:
    """How every file of ours is muxed: without FFmpeg's version or a random serial, so equal songs hash equally."""
    return {"fflags": "+bitexact", **({"id3v2_version": "0"} if muxer == "mp3" else {})}


def finished(muxer: str, file: bytes, tags: Mapping[str, str]) -> bytes:
    """The muxed file with the tags that its muxer was not given."""
    return _WRITTEN_HERE[muxer](file, tags) if muxer in _WRITTEN_HERE else file


def read_tags(audio: bytes) -> dict[str, str]:
    """Every tag of a file, by FFmpeg's names. Ogg keeps them on the stream, all others on the container."""
    with opened(audio) as (container, stream):
        return {**container.metadata, **stream.metadata}
