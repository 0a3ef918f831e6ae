"""Audio that stand-ins for upstreams give."""

from __future__ import annotations

import io

import av
import numpy as np


def mp3(seconds: float = 0.5) -> bytes:
    """A tone as an elementary stream, without tags."""
    moments = np.arange(int(seconds * 44_100)) / 44_100
    tone = np.repeat((0.3 * np.sin(2 * np.pi * 220 * moments)).astype("f4")[None, :], 2, axis=0)
    file = io.BytesIO()
    with av.open(file, "w", format="mp3", options={"write_xing": "0", "id3v2_version": "0"}) as container:
        stream = container.add_stream("libmp3lame", rate=44_100, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(tone), format="fltp", layout="stereo")
        frame.sample_rate = 44_100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()
