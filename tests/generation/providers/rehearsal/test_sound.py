"""It is music, by measurement: every figure is taken from the MP3 a customer would play."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from generation.providers.rehearsal import Composition, compose

LYRICS = "[Verse]\nWalking down the street\nFeeling the beat\n\n[Chorus]\nDancing in the sun\nHaving so much fun"
CHINESE_LYRICS = "【Verse】\n清晨的阳光照进窗\n我听见城市在歌唱\n【Chorus】\n来吧一起大声唱\n让快乐飞向远方"
GENRES = [
    "pop, happy",
    "rock",
    "folk, sad",
    "jazz",
    "lofi",
    "electronic",
    "classical piano",
    "ambient",
    "古风",
    "latin",
]


@pytest.fixture(scope="module", params=GENRES)
def genre_song(request: pytest.FixtureRequest) -> Composition:
    return compose(prompt=request.param, lyrics=LYRICS, seed=11, duration_seconds=30.0)


@pytest.fixture(scope="module")
def genre_recording(genre_song: Composition, listen: Callable):
    return listen(genre_song)


def bars_of(song: Composition) -> list[tuple[float, float]]:
    bar_seconds = 240.0 / song.tempo_bpm
    count = round(len(song.samples) / song.sample_rate / bar_seconds)
    return [(bar * bar_seconds, (bar + 1) * bar_seconds) for bar in range(count)]


def test_the_first_song_lasts_half_a_minute_to_a_minute(first_recording) -> None:
    assert 30.0 <= first_recording.seconds <= 60.0


def test_peaks_stay_below_minus_1_dbfs(genre_recording) -> None:
    assert genre_recording.peak_dbfs <= -1.0


@pytest.mark.parametrize("bitrate", [32_000, 64_000, 128_000, 256_000, 320_000])
def test_peaks_stay_below_minus_1_dbfs_at_every_bitrate(first_song, listen_at, bitrate: int) -> None:
    assert listen_at(first_song, bitrate).peak_dbfs <= -1.0


def test_loudness_is_that_of_released_music(genre_recording) -> None:
    assert -17.5 <= genre_recording.loudness_lufs <= -14.5


def test_hardly_any_window_is_silent(genre_recording) -> None:
    assert genre_recording.quiet_share < 0.05


def test_no_seam_clicks(genre_recording) -> None:
    assert genre_recording.largest_step <= 0.5


def test_at_least_four_chords_are_heard(first_song, first_recording) -> None:
    heard = {first_recording.chord(start, end) for start, end in bars_of(first_song)}

    assert len(heard) >= 4


def test_chords_heard_in_bars_are_mostly_those_written(first_song, first_recording) -> None:
    written = dict(first_song.chords)
    names = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
    right = 0
    for start, name in written.items():
        root, quality = first_recording.chord(start, start + 240.0 / first_song.tempo_bpm)
        right += names[root] + quality == name

    assert right >= 0.7 * len(written)


def test_the_chord_changes_at_bar_lines(first_song, first_recording) -> None:
    beat = 60.0 / first_song.tempo_bpm
    starts = [start for start, _ in first_song.chords][1:]

    def change(moment: float) -> float:
        before = first_recording.chroma(moment - beat, moment)
        return float(np.abs(first_recording.chroma(moment, moment + beat) - before).sum())

    at_bar_lines = np.median([change(start) for start in starts])
    within_bars = np.median([change(start + 2 * beat) for start in starts[:-1]])

    assert at_bar_lines > 1.3 * within_bars


def test_onsets_sit_on_the_beat(genre_song, genre_recording) -> None:
    assert len(genre_recording.onsets) >= 30
    assert genre_recording.on_grid_share(genre_song.tempo_bpm) >= 0.6


def test_onsets_leave_a_wrong_grid(first_song, first_recording) -> None:
    """The measure itself can fail: a tempo 7 % off is not on the beat."""
    assert first_recording.on_grid_share(first_song.tempo_bpm * 1.07) < 0.4


def test_the_tempo_heard_is_the_tempo_written(first_song, first_recording) -> None:
    assert first_recording.tempo_bpm == pytest.approx(first_song.tempo_bpm, rel=0.03)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_section_borders_are_changes_of_sound(listen, seed: int) -> None:
    song = compose(
        prompt="Pop music, happy", lyrics="[Intro]\n\n" + LYRICS + "\n[Bridge]\nla la la\n[Outro]", seed=seed
    )
    recording = listen(song)
    everywhere = np.array([recording.contrast(moment) for moment in np.arange(1.0, recording.seconds - 1.0, 0.25)])
    borders = [section.start / 1000 for section in song.sections[1:]]

    best = [max(recording.contrast(border + shift) for shift in (-0.2, -0.1, 0.0, 0.1, 0.2)) for border in borders]

    assert len(borders) == 4
    assert min(best) >= np.quantile(everywhere, 0.85)


@pytest.mark.parametrize("seed", [3, 4])
def test_the_same_section_twice_still_has_a_border(listen, seed: int) -> None:
    song = compose(prompt="pop", lyrics="[Verse 1]\nhello my friend\n[Verse 2]\nhello again\n", seed=seed)
    recording = listen(song)
    everywhere = np.array([recording.contrast(moment) for moment in np.arange(1.0, recording.seconds - 1.0, 0.25)])

    assert recording.contrast(song.sections[1].start / 1000) >= np.quantile(everywhere, 0.8)


@pytest.mark.parametrize("seed", [5, 6, 7])
@pytest.mark.parametrize(
    ("slow_sad", "fast_happy", "lyrics"),
    [("slow, sad", "fast, happy", LYRICS), ("慢, 悲伤", "快, 欢快", CHINESE_LYRICS), ("慢", "快", CHINESE_LYRICS)],
    ids=["English", "Chinese", "tempo alone"],
)
def test_words_change_tempo_and_mode(listen, slow_sad: str, fast_happy: str, lyrics: str, seed: int) -> None:
    slow, fast = (
        compose(prompt=prompt, lyrics=lyrics, seed=seed, duration_seconds=20.0) for prompt in (slow_sad, fast_happy)
    )
    slow_heard, fast_heard = listen(slow), listen(fast)

    assert fast_heard.tempo_bpm / slow_heard.tempo_bpm >= 1.3
    assert fast.tempo_bpm / slow.tempo_bpm >= 1.3
    assert (slow.mode, fast.mode) == ("minor", "major")
    assert (slow_heard.key[1], fast_heard.key[1]) == ("minor", "major")


@pytest.mark.parametrize(("one", "other"), [("piano", "electric guitar"), ("folk", "electronic"), ("弦乐", "合唱")])
def test_words_change_the_instruments(one: str, other: str) -> None:
    order: dict[str, Any] = {"lyrics": LYRICS, "seed": 5, "duration_seconds": 12.0}

    first, second = (compose(prompt=f"happy 120 bpm, {words}", **order) for words in (one, other))

    assert first.chords == second.chords
    assert not np.allclose(first.samples, second.samples, atol=1e-3)


def test_both_sides_play_and_differ(first_recording) -> None:
    left, right = first_recording.samples.T
    levels = np.sqrt(np.mean(left**2)), np.sqrt(np.mean(right**2))

    assert 0.7 <= levels[0] / levels[1] <= 1.4
    assert 0.3 <= np.corrcoef(left, right)[0, 1] <= 0.98


def test_a_dense_text_is_sung_on_the_half_beat(listen) -> None:
    lyrics = "\n".join(["[Verse]", *["So very very many little syllables in every single line"] * 30])
    song = compose(prompt="pop", lyrics=lyrics, seed=3)

    assert listen(song).on_grid_share(2 * song.tempo_bpm) >= 0.9


def test_singing_is_heard_where_words_stand(listen) -> None:
    """Two songs that differ in one line alone: where only the longer line is sung, its formants stand out."""
    order: dict[str, Any] = {"prompt": "piano, no drums, 100 bpm", "seed": 2, "duration_seconds": 9.6}
    long, short = (compose(**order, lyrics=f"[Verse]\n{line}") for line in ("la la la la la la la", "la"))
    sung = slice(3 * 60, 6 * 60)  # beats 3 to 6 in units of 10 ms

    louder = listen(long).bands[sung, 10:19] - listen(short).bands[sung, 10:19]

    assert long.sections[0].lines[0].end > 3600 > short.sections[0].lines[0].end
    assert louder.mean() > 3.0


def test_chord_changes_are_reported_in_order(first_song) -> None:
    starts = [start for start, _ in first_song.chords]

    assert starts[0] == 0.0
    assert all(before < after for before, after in pairwise(starts))
    assert all(one != two for (_, one), (_, two) in pairwise(first_song.chords))
    assert len({name for _, name in first_song.chords}) >= 4
