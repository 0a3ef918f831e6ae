"""An uploaded MIDI file made anew: its tune, and nothing else it held."""

from __future__ import annotations

from typing import Any, BinaryIO

from generation.audio.midi import read_tune, trimmed, write_tune


def read(source: bytes, target: BinaryIO, *, longest_seconds: float) -> dict[str, Any]:
    """Write the tune to `target` as a MIDI file of one track; what was written. Raises BadAudio."""
    tune = trimmed(read_tune(source), round(1000 * longest_seconds))
    target.write(write_tune(tune))
    return {"format": "mid", "duration_ms": max(note.end for note in tune), "tune": tune}
