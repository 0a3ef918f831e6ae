"""New tags around audio that stays as it is, packet for packet."""

from __future__ import annotations

import io
from collections.abc import Mapping

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from generation.audio import id3_tags, sniff
from generation.audio.opening import opened
from generation.audio.tags import finished, muxer_options, muxer_tags

_MUXERS = {sniff.WAV: "wav", sniff.FLAC: "flac", sniff.OGG: "ogg", sniff.MPEG_4: "ipod"}


def relabel(audio: bytes, tags: Mapping[str, str]) -> bytes:
    """The file with exactly these tags; its audio packets stay bit-identical. Raises BadAudio for what is no audio."""
    with opened(audio) as (source, stream):
        kind = sniff.container_of(audio)
        if kind not in _MUXERS:
            return id3_tags.with_tags(audio, tags)
        muxer = _MUXERS[kind]
        return finished(muxer, _remuxed(source, stream, muxer, tags), tags)


def _remuxed(source: InputContainer, stream: AudioStream, muxer: str, tags: Mapping[str, str]) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=muxer, container_options=muxer_options(muxer)) as container:
        container.metadata.update(muxer_tags(muxer, tags))
        copy = container.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.size:
                packet.stream = copy
                container.mux(packet)
    return file.getvalue()
