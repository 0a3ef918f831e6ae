"""Files that callers upload: unharmed ones of every kind, cheaply made, and the forms they are sent in."""

from __future__ import annotations

import functools
import io
import uuid

import av
import numpy as np

from generation.audio.midi import Note, write_tune

RATE = 22_050


@functools.cache
def song(
    kind: str, seconds: float, *, seed: int = 0, channels: int = 1, rate: int = RATE, loudness: float = 0.3
) -> bytes:
    """An MP3, M4A or MIDI file of that length; another seed, another file."""
    if kind == "mid":
        return tune(seconds, seed)
    return _encoded(kind, loudness * _samples(seconds, seed, channels, rate), rate)


def tune(seconds: float, seed: int = 0) -> bytes:
    count = int(seconds * 2)
    return write_tune([Note(500 * place, 500 * (place + 1), 48 + (seed + 7 * place) % 24) for place in range(count)])


def _samples(seconds: float, seed: int, channels: int, rate: int) -> np.ndarray:
    at = np.arange(round(seconds * rate)) / rate
    pitches = 110 * 2 ** ((seed + np.arange(channels)) / 12)
    return (np.sin(2 * np.pi * pitches[:, None] * at[None, :])).astype(np.float32)


def _encoded(kind: str, samples: np.ndarray, rate: int) -> bytes:
    muxer, encoder = {"mp3": ("mp3", "libmp3lame"), "m4a": ("ipod", "aac"), "aac": ("adts", "aac")}[kind]
    layout = "stereo" if len(samples) == 2 else "mono"
    file = io.BytesIO()
    with av.open(file, "w", format=muxer) as container:
        stream = container.add_stream(encoder, rate=rate, layout=layout, options={"aac_coder": "fast"})
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = 48_000
        for start in range(0, samples.shape[1], rate):
            part = np.ascontiguousarray(samples[:, start : start + rate])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = rate, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def form(file: bytes | None, purpose: str | None, *, file_name: str = "song.mp3") -> tuple[bytes, str]:
    """The body of a form and its content type."""
    boundary = uuid.uuid4().hex
    parts = []
    if file is not None:
        head = f'Content-Disposition: form-data; name="file"; filename="{file_name}"\r\n'
        parts.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + file)
    if purpose is not None:
        parts.append(b'Content-Disposition: form-data; name="purpose"\r\n\r\n' + purpose.encode())
    lines = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return lines + b"--" + boundary.encode() + b"--\r\n", f"multipart/form-data; boundary={boundary}"
