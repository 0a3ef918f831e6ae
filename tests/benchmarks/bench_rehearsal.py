"""Process CPU seconds the rehearsal composer takes per 30 s of music. Run: python tests/benchmarks/bench_rehearsal.py

The first song of a process renders its sounds; later ones find them on the shelf. Both are printed, because a busy
server is in the second state and a fresh one in the first. Then what listening costs.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from generation.providers.base import Sound
from generation.providers.rehearsal import compose
from generation.providers.rehearsal.leaning import Material, lean
from generation.providers.rehearsal.sounds import shelf
from generation.providers.rehearsal.wav import pcm_of, wav_file

LYRICS = (
    "[Intro]\n\n[Verse]\nWalking down the street\nFeeling the beat\n\n[Chorus]\nDancing in the sun\nHaving so much fun"
)
PROMPTS = ("Pop music, happy, suitable for a sunny day", "slow, sad", "fast, happy", "摇滚", "jazz", "electronic")
SONGS_PER_PROMPT = 5


def cpu_seconds(prompt: str, seed: int) -> float:
    begun = time.process_time()
    song = compose(prompt=prompt, lyrics=LYRICS, seed=seed, duration_seconds=30.0)
    wav_file(pcm_of(song.samples), song.sample_rate)
    return time.process_time() - begun


def main() -> None:
    for prompt in PROMPTS:
        shelf.clear()
        first = cpu_seconds(prompt, 0)
        later = [cpu_seconds(prompt, seed) for seed in range(1, SONGS_PER_PROMPT + 1)]
        again = cpu_seconds(prompt, 0)
        print(f"{prompt:<44} empty shelf {first:.3f} s   other seeds {median(later):.3f} s   same seed {again:.3f} s")
    reference = compose(prompt=PROMPTS[0], lyrics=LYRICS, seed=0, duration_seconds=30.0)
    sound = Sound(reference.samples, reference.sample_rate)
    for name in ("reference", "vocal", "melody"):
        begun = time.process_time()
        lean(Material(**{name: sound}))
        print(f"listening to 30 s of {name:<23} {time.process_time() - begun:.3f} s")
    print(f"sounds held: {shelf.held_bytes / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
