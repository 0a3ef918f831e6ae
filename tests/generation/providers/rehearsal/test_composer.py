"""The song as data: length, seeds, sections and word timings."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from generation.contract import Section
from generation.providers.rehearsal import Composition, compose
from generation.providers.rehearsal.composer import Stopped, seed_of
from generation.providers.rehearsal.sounds import shelf

LYRICS = "[Intro]\n\n[Verse]\nWalking down the street\nFeeling the beat\n\n[Chorus]\nDancing in the sun"
SHORT: dict[str, Any] = {"prompt": "happy pop", "lyrics": LYRICS, "duration_seconds": 6.0}


@pytest.mark.parametrize("seconds", [1, 5, 7.3, 30, 60, 240])
def test_the_length_is_as_ordered(seconds: float) -> None:
    song = compose(prompt="happy pop", lyrics=LYRICS, duration_seconds=seconds)

    assert song.samples.shape == (round(seconds * 44_100), 2)
    assert song.samples.dtype == np.float32
    assert song.sections[0].start == 0
    assert song.sections[-1].end == round(seconds * 1000)


@pytest.mark.parametrize("prompt", ["slow, sad", "fast, happy", "ambient", "200 bpm", "60 bpm"])
@pytest.mark.parametrize("lyrics", [None, LYRICS, "[Verse]\n" + "one more line to sing tonight\n" * 100])
def test_the_song_decides_for_half_a_minute_to_a_minute(prompt: str, lyrics: str | None) -> None:
    song = compose(prompt=prompt, lyrics=lyrics)

    assert 30.0 <= len(song.samples) / 44_100 <= 60.0


def test_the_same_seed_gives_the_same_samples_whatever_was_made_before() -> None:
    first = compose(**SHORT, seed=5)
    shelf.clear()
    compose(**{**SHORT, "prompt": "sad rock"}, seed=6)

    assert np.array_equal(compose(**SHORT, seed=5).samples, first.samples)


def test_another_seed_gives_another_song() -> None:
    songs = [compose(**SHORT, seed=seed) for seed in range(4)]

    assert len({(song.key, song.mode, song.chords) for song in songs}) > 1
    assert all(not np.array_equal(one.samples, two.samples) for one, two in pairwise(songs))


def test_without_a_seed_prompt_and_lyrics_decide() -> None:
    song = compose(**SHORT)

    assert song.seed == seed_of("happy pop", LYRICS)
    assert np.array_equal(song.samples, compose(**SHORT, seed=song.seed).samples)
    assert seed_of("happy pop", LYRICS) != seed_of("happy pop", "other words")


def test_temperature_changes_the_melody_alone() -> None:
    tame, wild = compose(**SHORT, seed=5, temperature=0.0), compose(**SHORT, seed=5, temperature=2.0)

    assert (tame.chords, tame.tempo_bpm) == (wild.chords, wild.tempo_bpm)
    assert not np.array_equal(tame.samples, wild.samples)


def test_sections_follow_the_tags_without_gap() -> None:
    lyrics = (
        "【Intro】\n[verse 1]\na line\n[Pre-Chorus]\nb line\n[HOOK]\nc line\n[Inst]\n[Bridge]\nd\n[Build Up]\n[Outro]"
    )

    song = compose(prompt="pop", lyrics=lyrics)

    kinds = [section.section_type for section in song.sections]
    assert kinds == ["intro", "verse", "pre-chorus", "chorus", "break", "bridge", "pre-chorus", "outro"]
    assert all(before.end == after.start for before, after in pairwise(song.sections))
    assert song.sections[0].start == 0


@pytest.mark.parametrize(
    "lyrics", [LYRICS, "[Verse]\n你好,世界\n再见 tonight", "[Verse]\n" + "many words in a line\n" * 60]
)
@pytest.mark.parametrize("seconds", [None, 10.0])
def test_words_are_timed_inside_their_lines_and_sections(lyrics: str, seconds: float | None) -> None:
    song = compose(prompt="pop", lyrics=lyrics, duration_seconds=seconds)

    sung = [line.text for section in song.sections for line in section.lines]
    assert sung == [line for line in lyrics.splitlines() if line and not line.startswith("[")]
    assert_timings_nest(song)


def assert_timings_nest(song: Composition) -> None:
    for section in song.sections:
        for line in section.lines:
            assert section.start <= line.start < line.end <= section.end
            assert (line.words[0].start, line.words[-1].end) == (line.start, line.end)
            assert all(word.start < word.end for word in line.words)
            assert all(one.end <= two.start for one, two in pairwise(line.words))
        assert all(one.end <= two.start for one, two in pairwise(section.lines))


def test_chinese_characters_are_words_of_their_own() -> None:
    song = compose(prompt="流行", lyrics="[Verse]\n你好,世界")

    assert [word.text for word in song.sections[0].lines[0].words] == ["你", "好,", "世", "界"]


def test_an_instrumental_has_sections_but_no_lines() -> None:
    song = compose(prompt="pop", lyrics=LYRICS, instrumental=True)

    assert song.lyrics is None
    assert [section.section_type for section in song.sections] == ["intro", "verse", "chorus"]
    assert all(section.lines == () for section in song.sections)


def test_an_instrumental_without_lyrics_has_a_form_of_its_own() -> None:
    song = compose(prompt="pop", instrumental=True)

    assert [section.section_type for section in song.sections][:3] == ["intro", "verse", "chorus"]


def test_a_song_without_lyrics_sings_its_own() -> None:
    song = compose(prompt="a song about mountains")

    assert song.lyrics is not None
    assert "mountains" in song.lyrics.lower()
    assert any(section.lines for section in song.sections)


def test_a_song_too_short_for_its_sections_keeps_sung_ones_first() -> None:
    song = compose(prompt="120 bpm", lyrics=LYRICS, duration_seconds=3.9)

    assert [section.section_type for section in song.sections] == ["verse", "chorus"]


def test_composing_stops_between_sections() -> None:
    answers = iter([False, True])

    with pytest.raises(Stopped):
        compose(**SHORT, is_stopped=lambda: next(answers))


def test_section_values_are_those_of_the_contract(first_song: Composition) -> None:
    assert all(type(section) is Section for section in first_song.sections)
    assert [section.section_type for section in first_song.sections] == ["intro", "verse", "chorus"]
