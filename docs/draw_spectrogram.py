"""Draw docs/pictures/rehearsal-spectrogram.png: a rehearsal song as its listener's ear sorts it.

Run from the repository root: python docs/draw_spectrogram.py. NumPy and zlib only. Time runs to the right (one
pixel is about 30 ms), pitch upwards from 40 Hz to 16 kHz on a musical (logarithmic) axis; white lines mark the
borders of the sections, the strip above them is coloured by the kind of section, ticks below are bar lines.
"""

from __future__ import annotations

import itertools
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from generation.providers.rehearsal import Composition, compose  # noqa: E402 - found beside the docs, not installed

PICTURE = ROOT / "docs" / "pictures" / "rehearsal-spectrogram.png"
PROMPT = "Pop music, happy, suitable for a sunny day"
LYRICS = (
    "[Intro]\n\n[Verse]\nWalking down the street\nFeeling the beat\n\n[Chorus]\nDancing in the sun\nHaving so much fun"
)
WIDTH, HEIGHT, STRIP, TICKS = 1200, 420, 18, 10
WINDOW_FRAMES = 8192
LOWEST_HZ, HIGHEST_HZ = 40.0, 16_000.0
RANGE_DB = 75.0
STRIP_COLOURS = {
    "intro": (120, 144, 156), "verse": (66, 133, 244), "pre-chorus": (171, 71, 188), "chorus": (244, 160, 0),
    "bridge": (15, 157, 88), "break": (0, 172, 193), "outro": (120, 144, 156),
}  # fmt: skip
# Black over violet and orange to pale yellow: brighter is louder, in print too.
RAMP = ((0, 0, 4), (60, 15, 110), (150, 40, 110), (225, 85, 50), (250, 175, 25), (252, 255, 190))

Picture = npt.NDArray[np.uint8]


def draw(song: Composition) -> Picture:
    """An RGB picture of shape (STRIP + HEIGHT + TICKS, WIDTH, 3)."""
    seconds = len(song.samples) / song.sample_rate
    picture = np.vstack(
        [
            np.zeros((STRIP, WIDTH, 3), np.uint8),
            paint(level_table(song)),
            np.full((TICKS, WIDTH, 3), 255, np.uint8),
        ]
    )
    for section in song.sections:
        left, right = (round(at / 1000 / seconds * WIDTH) for at in (section.start, section.end))
        picture[:STRIP, left:right] = STRIP_COLOURS[section.section_type]
        picture[: STRIP + HEIGHT, max(0, left - 1) : left + 1] = 255
    bar_seconds = 240.0 / song.tempo_bpm
    for bar in range(int(seconds / bar_seconds) + 1):
        column = min(WIDTH - 1, round(bar * bar_seconds / seconds * WIDTH))
        picture[-TICKS:, column] = 0
    return picture


def level_table(song: Composition) -> npt.NDArray[np.float64]:
    """Loudness 0-1 of shape (HEIGHT, WIDTH), the highest pitch in the first row."""
    mono = np.pad(song.samples.mean(axis=1), WINDOW_FRAMES // 2)
    starts = np.linspace(0, len(mono) - WINDOW_FRAMES, WIDTH).astype(int)
    window = np.hanning(WINDOW_FRAMES)
    power = np.stack([np.abs(np.fft.rfft(mono[start : start + WINDOW_FRAMES] * window)) ** 2 for start in starts])
    edges = LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** (np.arange(HEIGHT + 1) / HEIGHT)
    bins = np.clip(np.round(edges / song.sample_rate * WINDOW_FRAMES).astype(int), 1, power.shape[1] - 1)
    rows = [power[:, low : max(high, low + 1)].max(axis=1) for low, high in itertools.pairwise(bins)]
    decibels = 10 * np.log10(np.stack(rows[::-1]) + 1e-12)
    levels: npt.NDArray[np.float64] = np.clip((decibels - decibels.max() + RANGE_DB) / RANGE_DB, 0, 1)
    return levels


def paint(levels: npt.NDArray[np.float64]) -> Picture:
    stops = np.linspace(0, 1, len(RAMP))
    colours = [np.interp(levels, stops, [stop[channel] for stop in RAMP]) for channel in range(3)]
    return np.stack(colours, axis=2).astype(np.uint8)


def png_bytes(picture: Picture) -> bytes:
    """An 8-bit RGB PNG (ISO/IEC 15948), each row stored as differences from the row above."""
    height, width, _ = picture.shape
    above = np.vstack([np.zeros((1, width, 3), np.uint8), picture[:-1]])
    rows = (picture - above).reshape(height, width * 3)
    data = np.hstack([np.full((height, 1), 2, np.uint8), rows]).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(data, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in chunks)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


if __name__ == "__main__":
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    song = compose(prompt=PROMPT, lyrics=LYRICS)
    PICTURE.write_bytes(png_bytes(draw(song)))
    print(f"{PICTURE.relative_to(ROOT)}: {song.key} {song.mode}, {song.tempo_bpm:.1f} beats a minute")
    for section in song.sections:
        print(f"  {section.section_type:<10} {section.start / 1000:6.2f}-{section.end / 1000:.2f} s")
